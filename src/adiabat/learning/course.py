"""Courses: what one explorer is to simulate, and from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from ase import Atoms

from adiabat.learning.config import LearnConfig
from adiabat.learning.structure_json import from_json, to_json
from adiabat.simulate import Outputs, SimulationConfig

FRAMES = 20
"""Of a whole course, that are judged."""


@dataclass(frozen=True)
class Course:
    """One simulation, whole or what is left of it.

    Attributes:
        atoms: Where it begins, with velocities where it goes on.
        temperature_k: From, to.
        pressure_gpa: None at constant volume.
        steps: That are left of it.
        steps_of_all: Of the whole.
        seed: Of its random numbers.
        is_biased: Whether it is driven to where the potential is unsure.
    """

    atoms: Atoms
    temperature_k: tuple[float, float]
    pressure_gpa: float | None
    steps: int
    steps_of_all: int
    seed: int
    is_biased: bool

    @classmethod
    def drawn(cls, starts: Sequence[Atoms], config: LearnConfig, *, generation: int, number: int) -> Self:
        """A new one of an explorer: its temperature goes by its number, its structure by both, the rest by chance.

        Args:
            starts: The start structures.
            config: Temperatures, pressures, volumes.
            generation: Which; other ones draw other numbers.
            number: Of the explorer.
        """
        explore, seeds = config.explore, np.random.default_rng((config.seed, generation, number))
        coldest, hottest = config.temperature_k
        own = coldest + (hottest - coldest) * number / max(explore.explorers - 1, 1)
        atoms = starts[(generation * explore.explorers + number) % len(starts)]
        every_second = (number + generation) % 2 == 1
        if explore.vacancies and every_second and len(atoms) > 1:
            atoms = _without_one(atoms, seeds)
        pressure = None
        if config.pressure_gpa is not None and atoms.pbc.all():
            pressure = float(seeds.uniform(*config.pressure_gpa))
        else:
            atoms = _scaled(atoms, float(seeds.uniform(*explore.volume_range)))
        return cls(
            atoms=atoms,
            temperature_k=(coldest if explore.ramp else own, own),
            pressure_gpa=pressure,
            steps=explore.steps,
            steps_of_all=explore.steps,
            seed=int(seeds.integers(2**31)),
            is_biased=explore.bias is not None and (number % 2 == 0),
        )

    @property
    def every(self) -> int:
        """Steps from frame to frame."""
        return max(1, self.steps_of_all // FRAMES)

    @property
    def is_whole(self) -> bool:
        """Whether it begins at its beginning."""
        return self.steps == self.steps_of_all

    def simulation(self, timestep_fs: float) -> SimulationConfig:
        """What the engine is told."""
        start, end = self.temperature_k
        heat = start if start == end else f"{start!r}:{end!r}"
        shared: dict[str, Any] = {
            "steps": self.steps,
            "timestep_fs": timestep_fs,
            "temperature_k": heat,
            "seed": self.seed,
            "output": Outputs(trajectory_every=self.every),
        }
        if self.pressure_gpa is None:
            return SimulationConfig(ensemble="nvt", **shared)
        return SimulationConfig(ensemble="npt", pressure_gpa=self.pressure_gpa, cell="flexible", **shared)

    def left_after(self, done: int, atoms: Atoms) -> Self | None:
        """What is left after so many steps, from where it then stood; None where that is less than from frame to frame."""
        steps = self.steps - done
        if steps < self.every:
            return None
        start, end = self.temperature_k
        now = start + (end - start) * done / self.steps
        return type(self)(atoms, (now, end), self.pressure_gpa, steps, self.steps_of_all, self.seed + 1, self.is_biased)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        velocities = self.atoms.get_velocities() if self.atoms.has("momenta") else None
        return values | {
            "atoms": to_json(self.atoms),
            "velocities": None if velocities is None else velocities.tolist(),
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        values = dict(said)
        velocities = values.pop("velocities")
        values["atoms"] = from_json(values["atoms"])
        values["temperature_k"] = tuple(values["temperature_k"])
        if velocities is not None:
            values["atoms"].set_velocities(np.array(velocities))
        return cls(**values)


def _without_one(atoms: Atoms, seeds: np.random.Generator) -> Atoms:
    found = _bare(atoms)
    del found[int(seeds.integers(len(atoms)))]
    return found


def _scaled(atoms: Atoms, volume: float) -> Atoms:
    found = _bare(atoms)
    if atoms.pbc.all():
        found.set_cell(atoms.cell.array * volume ** (1 / 3), scale_atoms=True)
    return found


def _bare(atoms: Atoms) -> Atoms:
    return Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
