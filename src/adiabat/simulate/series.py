"""What integrators share that know the error of a mean temperature from the temperatures alone."""

from adiabat.simulate.statistics import standard_error
from adiabat.typing import FloatArray


class ErrorFromSeries:
    """How far temperatures are correlated in time depends on the potential, and is not known beforehand."""

    def mean_temperature_std_k(
        self,
        temperatures_k: FloatArray,
        *,
        interval_fs: float,
        settled_fs: float,
        degrees_of_freedom: int,
        system: int = 0,
    ) -> float | None:
        """K, from the series itself."""
        return standard_error(temperatures_k)
