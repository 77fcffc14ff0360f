"""The live line of a simulation, on stderr: rewritten on a terminal, a new line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from adiabat.simulate.observe import Observation

SECONDS_PER_DAY = 86400.0
FS_PER_NS = 1e6
SECONDS_BETWEEN_REFRESHES = 0.5
SECONDS_BETWEEN_LINES = 15.0


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
        self._terminal = sys.stderr.isatty()
        self._interval = SECONDS_BETWEEN_REFRESHES if self._terminal else SECONDS_BETWEEN_LINES
        self._quiet = quiet
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._start = self._last = time.monotonic()

    def __enter__(self) -> Self:
        if self._terminal and not self._quiet:
            self._live.start()
        self._start = self._last = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, message: str) -> None:
        """Show a line that stays."""
        if not self._quiet:
            self._live.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def speed(self, step: int) -> Speed | None:
        """Since the block was entered; None before the first step."""
        steps, seconds = step - self._before, time.monotonic() - self._start
        return Speed(steps, seconds, self._timestep_fs, self._atoms) if steps > 0 and seconds > 0 else None

    def update(self, step: int, look: Callable[[], Observation]) -> None:
        """Show the present step where it is time to; only then is it looked at."""
        now = time.monotonic()
        speed = self.speed(step)
        if self._quiet or speed is None or now - self._last < self._interval:
            return
        self._last = now
        line = self._line(look(), speed)
        if self._terminal:
            self._live.update(Text(line), refresh=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def _line(self, seen: Observation, speed: Speed) -> str:
        left = (self._steps - seen.step) * speed.seconds / speed.steps
        return (
            f"step {seen.step}/{self._steps}  T {seen.temperature_k:.0f} K  E {seen.total_energy_ev:.4f} eV"
            f"  conserved {seen.conserved_energy_ev:.4f} eV  {speed.ns_per_day:.3g} ns/day"
            f"  {speed.us_per_atom_per_step:.3g} µs/atom/step  {_duration(left)} left"
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
