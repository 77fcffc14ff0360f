"""The shear viscosity of the Lennard-Jones fluid against a published value."""

import pytest
from test_thermal_conductivity_of_argon import EPSILON_EV, SIGMA, TIME_FS, LennardJones, fluid

from adiabat.potential import Potential
from adiabat.properties.observables import viscosity
from adiabat.units import BOLTZMANN_EV_PER_K


@pytest.mark.slow
def test_a_lennard_jones_liquid_is_as_viscous_as_published() -> None:
    """3.24 ± 0.04 in reduced units at the triple point, by Green and Kubo, of 2048 atoms: M. Ferrario, G. Ciccotti, B. L. Holian and
    J. P. Ryckaert, Phys. Rev. A 44, 6936 (1991). Of 108 atoms, and where the temperature is not met exactly, it differs by some per cent.
    """
    trajectory = fluid(25_000, reduced_density=0.8442, reduced_temperature=0.722)
    found = viscosity(trajectory, Potential([LennardJones()]), quiet=True)
    assert found.temperature_k * BOLTZMANN_EV_PER_K / EPSILON_EV == pytest.approx(0.722, rel=0.05)
    unit = EPSILON_EV * TIME_FS / SIGMA**3 * 0.1602176634  # ε τ / σ³ in mPa s
    reduced, error = (one / unit for one in (found.viscosity_mpa_s, found.viscosity_mpa_s_std))
    print(f"{reduced:.3f} ± {error:.3f} at T* = {found.temperature_k * BOLTZMANN_EV_PER_K / EPSILON_EV:.3f}")
    assert found.sure
    assert reduced == pytest.approx(3.24, abs=3 * error + 0.05 * 3.24)
    assert error < 0.4
