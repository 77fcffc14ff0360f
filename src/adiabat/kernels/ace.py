"""The compiled cluster expansion: plans, edges and their evaluation; arrays in, arrays out."""

import os
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from adiabat.kernels import _core
from adiabat.kernels.edges import EdgeList
from adiabat.typing import FloatArray

INSTRUCTION_SET_VARIABLE = "ADIABAT_INSTRUCTION_SET"
"""The environment variable that forces one of `instruction_sets()`."""

BLOCK_ROWS = 4
"""Rows of a program that are evaluated together."""

Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Entries start[i] ... start[i+1]-1 of row i: an index and a weight each."""

    start: Indices
    index: Indices
    weight: FloatArray

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.start) - 1

    @classmethod
    def of(cls, rows: list[list[tuple[int, float]]]) -> Self:
        """From the (index, weight) pairs of each row."""
        entries = [entry for row in rows for entry in row]
        start = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
        index = np.array([index for index, _ in entries], dtype=np.int32)
        return cls(start.astype(np.int32), index, np.array([weight for _, weight in entries], dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Program:
    """The energy of an atom of one species: E = Σ_rows v (linear + Σ_columns weight · V[column]).

    V holds the components, then the nodes. v is V[first] in the first `single_blocks` blocks, V[first] · V[second] in the
    others. The rows of a block, `BLOCK_ROWS` of them, share its columns; where a row lacks one, its weight is zero.

    Attributes:
        components: Rows over the densities of all species of neighbours.
        left: (nodes,) into V: a node is the product of two values before it.
        right: (nodes,).
        first: (rows,).
        second: (rows,).
        linear: (rows,) eV.
        single_blocks: How many blocks have one factor.
        column_start: (blocks + 1,).
        column: (columns,) into V.
        weight: (columns · BLOCK_ROWS,) eV.
        shift: eV, added to the energy.
    """

    components: SparseRows
    left: Indices
    right: Indices
    first: Indices
    second: Indices
    linear: FloatArray
    single_blocks: int
    column_start: Indices
    column: Indices
    weight: FloatArray
    shift: float = 0.0

    @classmethod
    def empty(cls) -> Self:
        """No energy."""
        nothing, zeros = np.zeros(0, dtype=np.int32), np.zeros(0)
        start = np.zeros(1, dtype=np.int32)
        return cls(
            SparseRows(start, nothing, zeros), nothing, nothing, nothing, nothing, zeros, 0, start, nothing, zeros
        )


@dataclass(frozen=True, eq=False)
class Plan:
    """All that the kernel knows of a potential.

    Attributes:
        cutoff: Å, of the radial functions.
        reach: Å, of the longest edge that counts.
        l_max: Highest degree of the harmonics.
        segments: (segments, 4): functions g_0 ... g_{k-1} with the harmonics from begin to end (l² + l + m), and where they
            stand in the density of one species of neighbour, as [k][harmonic - begin].
        pairs: (species², 9) by species of centre and neighbour: radius and inverse width of the inner switch; outer and
            inner radius, e² Z Z / 4πε₀, inverse screening length, A/3, B/4, C of the repulsion (see `physics.zbl`).
        programs: By species.
    """

    cutoff: float
    reach: float
    l_max: int
    segments: Indices
    pairs: FloatArray
    programs: tuple[Program, ...]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the kernel found; None where it was not asked for.

    Attributes:
        energies: (N,) eV.
        nearest_squared: (N,) Å², of the nearest neighbour that has an edge; infinite without one.
        energy: (S,) eV.
        forces: (N, 3) eV/Å.
        virial: (S, 3, 3) eV: V σ, symmetric: Σ_ij r_ij ⊗ ∂E_i/∂r_ij.
        atomic_virials: (N, 3, 3) eV: Σ_j r_ij ⊗ ∂E_j/∂r_ji with r_ij = r_j - r_i, as the heat flux needs it. Their sum is -V σ.
    """

    energies: FloatArray
    nearest_squared: FloatArray
    energy: FloatArray
    forces: FloatArray | None
    virial: FloatArray | None
    atomic_virials: FloatArray | None


@dataclass(frozen=True, eq=False)
class CommitteeEvaluation:
    """As `Evaluation`, of several members.

    Attributes:
        energies: (N, members) eV.
        nearest_squared: (N,) Å².
        energy: (S, members) eV.
        forces: (N, members, 3) eV/Å.
        virial: (S, members, 3, 3) eV.
        atomic_virials: (N, members, 3, 3) eV.
    """

    energies: FloatArray
    nearest_squared: FloatArray
    energy: FloatArray
    forces: FloatArray | None
    virial: FloatArray | None
    atomic_virials: FloatArray | None

    @classmethod
    def empty(cls, edges: EdgeList, members: int, want: "Want") -> Self:
        """Memory for what is wanted, not yet filled."""
        atoms, systems = edges.atoms, edges.systems
        with_forces = want.forces or want.virial or want.atomic_virials
        return cls(
            energies=np.empty((atoms, members)),
            nearest_squared=np.empty(atoms),
            energy=np.empty((systems, members)),
            forces=np.empty((atoms, members, 3)) if with_forces else None,
            virial=np.empty((systems, members, 3, 3)) if want.virial else None,
            atomic_virials=np.empty((atoms, members, 3, 3)) if want.atomic_virials else None,
        )

    def outputs(
        self,
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray | None, FloatArray | None, FloatArray | None]:
        """In the order in which the compiled classes take them."""
        return self.energies, self.nearest_squared, self.energy, self.forces, self.virial, self.atomic_virials

    def member(self, index: int) -> Evaluation:
        """What one member says; no copy."""
        forces, virial, tensors = self.forces, self.virial, self.atomic_virials
        return Evaluation(
            energies=self.energies[:, index],
            nearest_squared=self.nearest_squared,
            energy=self.energy[:, index],
            forces=None if forces is None else forces[:, index],
            virial=None if virial is None else virial[:, index],
            atomic_virials=None if tensors is None else tensors[:, index],
        )


@dataclass(frozen=True, eq=False)
class Configuration:
    """Where the atoms are.

    Attributes:
        edges: Edges at least as long as the plan's reach.
        positions: (N, 3) Å.
        cells: (S, 3, 3) Å, rows are vectors.
        species: (N,) places among the plan's programs.
    """

    edges: EdgeList
    positions: FloatArray
    cells: FloatArray
    species: Indices


@dataclass(frozen=True)
class Want:
    """What to compute besides energies."""

    forces: bool = False
    virial: bool = False
    atomic_virials: bool = False


@dataclass(frozen=True)
class Execution:
    """How to compute.

    Attributes:
        single: In float32, energies and forces summed in float64.
        threads: At most so many; results do not depend on it.
        instruction_set: One of `instruction_sets()`; None: that of the environment variable, else the best.
    """

    single: bool = False
    threads: int = 1
    instruction_set: str | None = None


class Evaluator:
    """A plan, ready to evaluate; it may be used from several threads."""

    def __init__(self, plan: Plan) -> None:
        self._core = _core.Evaluator(plan_builder(plan))

    def __call__(self, configuration: Configuration, *, want: Want, execution: Execution) -> Evaluation:
        """Evaluate.

        Args:
            configuration: Where the atoms are.
            want: What to compute.
            execution: How to compute.

        Raises:
            ValueError: A shape, a species, a position that is not finite, an instruction set that is not here.
            TypeError: Another type or layout.
        """
        c = configuration
        found = CommitteeEvaluation.empty(c.edges, 1, want)
        self._core.evaluate(
            *(c.edges, c.positions, c.cells, c.species, *found.outputs()),
            single=execution.single,
            threads=execution.threads,
            instruction_set=chosen_instruction_set(execution),
        )
        return found.member(0)


def plan_builder(plan: Plan) -> _core.PlanBuilder:
    """The plan as the compiled classes take it."""
    builder = _core.PlanBuilder(plan.cutoff, plan.reach, plan.l_max, plan.segments, plan.pairs)
    for p in plan.programs:
        builder.add_program(
            *(p.components.start, p.components.index, p.components.weight),
            *(p.left, p.right, p.first, p.second, p.linear, p.single_blocks),
            *(p.column_start, p.column, p.weight, p.shift),
        )
    return builder


def chosen_instruction_set(execution: Execution) -> str:
    """The one that is asked for, else that of the environment variable; "": the best."""
    return execution.instruction_set or os.environ.get(INSTRUCTION_SET_VARIABLE, "")


def instruction_sets() -> list[str]:
    """Those that this processor has, best first: of "avx512", "avx2", "baseline"."""
    return _core.instruction_sets()
