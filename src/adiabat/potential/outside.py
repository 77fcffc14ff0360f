"""FromASE: any ASE calculator as a potential."""

import importlib
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import ConfigurationError, PotentialFileError, PropertyUnavailable
from adiabat.potential.potential import Potential
from adiabat.system import Graph, PartState

SHORT = 0.1
"""Å: edges that are searched for a part that needs none."""


class FromASE(Potential):
    """An ASE calculator as a potential: energies, forces and, where it has one, stress; without standard deviations.

    It sees the species, positions, cell and periodic directions of a structure, one structure after the other. It cannot be saved.

    Args:
        calculator: Any.
    """

    def __init__(self, calculator: BaseCalculator) -> None:
        super().__init__([OutsideModel(calculator)], metadata={"calculator": type(calculator).__name__})

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same: it is evaluated by the calculator, in float64, on the processor.

        Raises:
            PropertyUnavailable: Another type or device is asked for.
        """
        if dtype not in (None, torch.float64) or str(device or "cpu") != "cpu":
            raise PropertyUnavailable(
                f"an ASE calculator was to be moved to {dtype} on {device}",
                rule="it computes where it computes",
                mend="leave it where it is",
            )
        return self


@dataclass(frozen=True, eq=False)
class OutsideModel:
    """The energy of a calculator, spread evenly over the atoms of a structure; it can be differentiated once.

    Attributes:
        calculator: It.
    """

    calculator: BaseCalculator
    kind: ClassVar[str] = "ase_calculator"

    @property
    def cutoff(self) -> float:
        """Å: no edge is needed."""
        return SHORT

    @property
    def interaction_range(self) -> float:
        """Not known."""
        return inf

    @property
    def species(self) -> tuple[int, ...]:
        """All: the calculator refuses what it does not know."""
        return tuple(range(1, len(chemical_symbols)))

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV."""
        batch = graph.batch
        return cast(Tensor, _Outside.apply(batch.positions, batch.cell, graph, self.calculator))

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same."""
        return self

    def to_state(self) -> PartState:
        """Refused.

        Raises:
            PotentialFileError: Always.
        """
        raise PotentialFileError(
            f"the calculator {type(self.calculator).__name__} cannot be stored",
            rule="a potential file holds no code",
            mend="keep how the calculator is made, and make it again",
        )


class _Outside(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, positions: Tensor, cell: Tensor, graph: Graph, calculator: BaseCalculator) -> Tensor:
        batch = graph.batch
        by_strain = ctx.needs_input_grad[1]
        energies, gradients, by_cell = [], [], []
        for atoms in batch.to_atoms():
            energy, forces, stress = _calculated(atoms, calculator, stress=by_strain)
            energies.append(np.full(len(atoms), energy / len(atoms)))
            gradients.append(-forces)
            if stress is not None:
                virial = atoms.get_volume() * stress + atoms.positions.T @ forces
                by_cell.append(np.linalg.solve(atoms.cell.array.T, virial))
        ctx.system, ctx.counts = batch.system, batch.counts
        ctx.gradients = torch.from_numpy(np.concatenate(gradients)).to(positions)
        ctx.by_cell = torch.from_numpy(np.stack(by_cell)).to(cell) if by_strain else None
        return torch.from_numpy(np.concatenate(energies)).to(positions)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *by_energies: Tensor) -> tuple[Tensor | None, ...]:
        [by_energy] = by_energies
        total = by_energy.new_zeros(len(ctx.counts)).index_add(0, ctx.system, by_energy) / ctx.counts
        cells = None if ctx.by_cell is None else total[:, None, None] * ctx.by_cell
        return total[ctx.system, None] * ctx.gradients, cells, None, None


def _calculated(
    atoms: Atoms, calculator: BaseCalculator, *, stress: bool
) -> tuple[float, np.ndarray, np.ndarray | None]:
    """Energy in eV, forces in eV/Å, stress (3, 3) in eV/Å³.

    Raises:
        PropertyUnavailable: The calculator fails, in its own words.
    """
    try:
        atoms.calc = calculator
        tensor = atoms.get_stress(voigt=False) if stress else None
        return _consistent_energy(atoms, calculator), np.asarray(atoms.get_forces()), tensor
    except Exception as error:  # whatever an outside code raises
        raise PropertyUnavailable(
            f"{type(calculator).__name__} fails: {type(error).__name__}: {error}",
            place=atoms.get_chemical_formula(),
            rule="the calculator has energy and forces, and the stress where cells move",
            mend="see whether it knows these elements, and can give a stress; its own manual says how",
        ) from error


def _consistent_energy(atoms: Atoms, calculator: BaseCalculator) -> float:
    """That of which the forces are derivatives: with smearing, the free energy, where the calculator gives one."""
    free = "free_energy" in getattr(calculator, "implemented_properties", ())
    return float(atoms.get_potential_energy(force_consistent=free))


def named_calculator(path: str) -> FromASE:
    """The calculator of an import path, ``ase.calculators.emt:EMT``, made without arguments.

    Raises:
        ConfigurationError: There is none, or it cannot be made so.
    """
    module, _, name = path.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise _not_made(path, str(error)) from error
    if not isinstance(made, BaseCalculator):
        raise _not_made(path, f"{name} makes a {type(made).__name__}")
    return FromASE(made)


def _not_made(path: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"no calculator is made: {why}",
        place=path,
        rule="an ASE calculator is named as module:Class, and made without arguments",
        mend="ase.calculators.emt:EMT is one; for one with arguments, write a module with a class or function of your own",
    )
