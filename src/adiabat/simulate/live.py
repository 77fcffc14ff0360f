"""The live line of a simulation: how far it has come, what it observes, how fast it goes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from adiabat.runs import LiveText, duration
from adiabat.simulate.observe import Observation

SECONDS_PER_DAY = 86400.0
FS_PER_NS = 1e6


@dataclass(frozen=True)
class Speed:
    """How fast a simulation goes.

    Attributes:
        steps: Steps done.
        seconds: In this time.
        timestep_fs: fs.
        atoms: In the structure.
    """

    steps: int
    seconds: float
    timestep_fs: float
    atoms: int

    @property
    def ns_per_day(self) -> float:
        """Simulated nanoseconds in a day."""
        return self.steps * self.timestep_fs / FS_PER_NS * SECONDS_PER_DAY / self.seconds

    @property
    def us_per_atom_per_step(self) -> float:
        """Microseconds for each atom in each step."""
        return 1e6 * self.seconds / (self.steps * self.atoms)


class LiveLine:
    """Within its block, shows how a simulation goes on.

    Args:
        steps: To do in all.
        done: Done before.
        timestep_fs: fs.
        atoms: In the structure.
        quiet: Show nothing.
    """

    def __init__(self, *, steps: int, done: int, timestep_fs: float, atoms: int, quiet: bool = False) -> None:
        self._steps, self._before, self._timestep_fs, self._atoms = steps, done, timestep_fs, atoms
        self._text = LiveText(quiet=quiet)
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        self._text.__enter__()
        self._start = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.__exit__(kind, value, trace)

    def say(self, message: str) -> None:
        """Show a line that stays."""
        self._text.say(message)

    def speed(self, step: int) -> Speed | None:
        """Since the block was entered; None before the first step."""
        steps, seconds = step - self._before, time.monotonic() - self._start
        return Speed(steps, seconds, self._timestep_fs, self._atoms) if steps > 0 and seconds > 0 else None

    def update(self, step: int, look: Callable[[], Observation]) -> None:
        """Show the present step where it is time to; only then is it looked at."""
        self._text.show(lambda: self._line(look(), self.speed(step)))

    def _line(self, seen: Observation, speed: Speed | None) -> str:
        if speed is None:
            return f"step {seen.step}/{self._steps}"
        left = (self._steps - seen.step) * speed.seconds / speed.steps
        return (
            f"step {seen.step}/{self._steps}  T {seen.temperature_k:.0f} K  E {seen.total_energy_ev:.4f} eV"
            f"  conserved {seen.conserved_energy_ev:.4f} eV  {speed.ns_per_day:.3g} ns/day"
            f"  {speed.us_per_atom_per_step:.3g} µs/atom/step  {duration(left)} left"
        )
