import numpy as np
from numpy.typing import NDArray

from adiabat.typing import FloatArray, IntArray

Indices = NDArray[np.int32]

def instruction_sets() -> list[str]: ...
def listed_edges(systems: int, center: IntArray, neighbor: IntArray, shift: IntArray, system: IntArray) -> EdgeList: ...
def search(
    start: IntArray,
    positions: FloatArray,
    boxes: FloatArray,
    periodic: NDArray[np.bool_],
    numbers: IntArray,
    cutoff: float,
    threads: int,
) -> tuple[EdgeList, tuple[float, int, int, tuple[int, int, int]] | None]: ...
def kick(velocities: FloatArray, forces: FloatArray, inverse: FloatArray, by: float, out: FloatArray) -> None: ...
def drift(positions: FloatArray, first: FloatArray, second: FloatArray, by: float, out: FloatArray) -> None: ...
def carry(
    start: IntArray,
    positions: FloatArray,
    first: FloatArray,
    second: FloatArray,
    by: float,
    cell: FloatArray,
    way: FloatArray,
    out: FloatArray,
) -> None: ...
def drag(
    start: IntArray,
    velocities: FloatArray,
    centers: FloatArray,
    forces: FloatArray,
    inverse: FloatArray,
    by: float,
    cell: FloatArray,
    way: FloatArray,
    out: FloatArray,
) -> None: ...
def second_moments(
    start: IntArray,
    masses: FloatArray,
    free: NDArray[np.bool_],
    velocities: FloatArray,
    moments: FloatArray,
    centers: FloatArray,
) -> None: ...
def transform(
    start: IntArray, vectors: FloatArray, matrices: FloatArray, centers: FloatArray, out: FloatArray
) -> None: ...
def rub(
    start: IntArray,
    velocities: FloatArray,
    inverse_roots: FloatArray,
    weights: FloatArray,
    noise: FloatArray,
    decay: float,
    widths: FloatArray,
    out: FloatArray,
    gained: FloatArray,
) -> None: ...
def furthest_squared(
    start: IntArray, before: FloatArray, matrices: FloatArray | None, after: FloatArray, out: FloatArray
) -> None: ...
def rescale(
    kinetic: FloatArray, thermal: FloatArray, kept: float, first: FloatArray, rest: FloatArray, out: FloatArray
) -> None: ...
def propagate_chains(
    mass: FloatArray,
    degrees: FloatArray,
    twice_kinetic: FloatArray,
    thermal: FloatArray,
    steps: FloatArray,
    links: FloatArray,
    factor: FloatArray,
    stored: FloatArray,
) -> None: ...
def normal(
    seed: int, purpose: int, step: int, replicas: NDArray[np.uint64], start: IntArray, out: FloatArray
) -> None: ...
def chi_squared(
    seed: int, purpose: int, step: int, replicas: NDArray[np.uint64], degrees: IntArray, out: FloatArray
) -> None: ...
def volumes(cells: FloatArray, out: FloatArray) -> None: ...
def thicknesses(cells: FloatArray, before: FloatArray, out: FloatArray) -> None: ...
def deformations(
    reference: FloatArray, cells: FloatArray, flat: float, out: FloatArray, change: FloatArray
) -> None: ...
def exponentials(matrices: FloatArray, out: FloatArray, mean: FloatArray) -> None: ...
def rescaling_strains(
    kinetic: FloatArray,
    stress: FloatArray,
    volume: FloatArray,
    pressure: FloatArray,
    thermal: FloatArray,
    compressibility: float,
    rate: float,
    noise: FloatArray,
    out: FloatArray,
) -> None: ...
def strain_heat(
    strain: FloatArray,
    shrink: FloatArray,
    kinetic: FloatArray,
    stress_before: FloatArray,
    volume_before: FloatArray,
    stress_after: FloatArray,
    volume_after: FloatArray,
    out: FloatArray,
) -> None: ...
def cell_forces(
    kinetic: FloatArray,
    stress: FloatArray,
    volume: FloatArray,
    pressure: FloatArray,
    degrees: FloatArray,
    out: FloatArray,
) -> None: ...

class EdgeList:
    @property
    def atoms(self) -> int: ...
    @property
    def systems(self) -> int: ...
    @property
    def edges(self) -> int: ...
    def expand(self, center: IntArray, neighbor: IntArray, shift: IntArray) -> None: ...

class PlanBuilder:
    def __init__(self, cutoff: float, reach: float, l_max: int, segments: Indices, pairs: FloatArray) -> None: ...
    def add_program(
        self,
        component_start: Indices,
        component_index: Indices,
        component_weight: FloatArray,
        left: Indices,
        right: Indices,
        first: Indices,
        second: Indices,
        linear: FloatArray,
        single_blocks: int,
        column_start: Indices,
        column: Indices,
        weight: FloatArray,
        shift: float,
    ) -> None: ...

class Evaluator:
    def __init__(self, plan: PlanBuilder) -> None: ...
    def evaluate(
        self,
        edges: EdgeList,
        positions: FloatArray,
        cells: FloatArray,
        species: Indices,
        energies: FloatArray,
        nearest: FloatArray,
        system_energies: FloatArray,
        forces: FloatArray | None,
        system_virials: FloatArray | None,
        atomic_virials: FloatArray | None,
        *,
        single: bool,
        threads: int,
        instruction_set: str,
    ) -> None: ...

class Products:
    def __init__(self, start: Indices, first: Indices, second: Indices, weight: FloatArray) -> None: ...

class InvariantTable:
    def __init__(
        self,
        component_start: Indices,
        component_index: Indices,
        component_weight: FloatArray,
        sums: Products,
        value_sums: int,
        invariants: Products,
        local: Products,
        stage_local: Indices,
        stage_component: Indices,
        component: Indices,
        pair_start: Indices,
        pair_function: Indices,
        pair_place: Indices,
        pair_weight: FloatArray,
    ) -> None: ...

class InvariantEvaluator:
    def __init__(self, plan: PlanBuilder, table: InvariantTable) -> None: ...
    def forward(
        self,
        edges: EdgeList,
        positions: FloatArray,
        cells: FloatArray,
        species: Indices,
        invariants: FloatArray,
        energies: FloatArray,
        nearest: FloatArray,
        system_energies: FloatArray,
        *,
        single: bool,
        threads: int,
        instruction_set: str,
    ) -> None: ...
    def backward(
        self,
        edges: EdgeList,
        positions: FloatArray,
        cells: FloatArray,
        species: Indices,
        by_invariant: FloatArray,
        energies: FloatArray,
        nearest: FloatArray,
        system_energies: FloatArray,
        forces: FloatArray | None,
        system_virials: FloatArray | None,
        atomic_virials: FloatArray | None,
        *,
        single: bool,
        threads: int,
        instruction_set: str,
    ) -> None: ...

class CommitteeEvaluator:
    def __init__(
        self, plan: PlanBuilder, table: InvariantTable, members: int, coefficients: list[FloatArray]
    ) -> None: ...
    def each(
        self,
        edges: EdgeList,
        positions: FloatArray,
        cells: FloatArray,
        species: Indices,
        energies: FloatArray,
        nearest: FloatArray,
        system_energies: FloatArray,
        forces: FloatArray | None,
        system_virials: FloatArray | None,
        atomic_virials: FloatArray | None,
        *,
        single: bool,
        threads: int,
        instruction_set: str,
    ) -> None: ...
    def beside(
        self,
        edges: EdgeList,
        positions: FloatArray,
        cells: FloatArray,
        species: Indices,
        values: FloatArray,
        energies: FloatArray,
        nearest: FloatArray,
        system_energies: FloatArray,
        forces: FloatArray | None,
        system_virials: FloatArray | None,
        atomic_virials: FloatArray | None,
        *,
        single: bool,
        threads: int,
        instruction_set: str,
    ) -> None: ...

class Network:
    def __init__(
        self,
        width: Indices,
        weight: FloatArray,
        bias: FloatArray,
        linear: FloatArray,
        readout: FloatArray,
        shift: float,
    ) -> None: ...

class NetworkEvaluator:
    def __init__(self, plan: PlanBuilder, table: InvariantTable, networks: list[Network]) -> None: ...
    def evaluate(
        self,
        edges: EdgeList,
        positions: FloatArray,
        cells: FloatArray,
        species: Indices,
        energies: FloatArray,
        nearest: FloatArray,
        system_energies: FloatArray,
        forces: FloatArray | None,
        system_virials: FloatArray | None,
        atomic_virials: FloatArray | None,
        *,
        single: bool,
        threads: int,
        instruction_set: str,
    ) -> None: ...

class RowBuilder:
    def __init__(
        self,
        plan: PlanBuilder,
        component_start: Indices,
        component_index: Indices,
        component_weight: FloatArray,
        pair_start: IntArray,
        pair_component: Indices,
        term_start: IntArray,
        term_weight: FloatArray,
        term_factor: Indices,
        factors: Indices,
    ) -> None: ...
    def rows(
        self,
        edges: EdgeList,
        positions: FloatArray,
        cells: FloatArray,
        species: Indices,
        features: FloatArray,
        forces: FloatArray,
        virial: FloatArray,
        *,
        instruction_set: str,
    ) -> None: ...
