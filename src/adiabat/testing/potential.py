"""The contract of a potential."""

import tempfile
from collections.abc import Collection
from math import isfinite
from pathlib import Path
from typing import cast

import numpy as np
import torch
from ase import Atoms
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import PropertyUnavailable, UnknownSpecies
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential, load_potential
from adiabat.potential.canaries import TOLERANCE
from adiabat.potential.scales import energy_scales, force_scales
from adiabat.system import Batch, Graph
from adiabat.testing.comparison import require_close
from adiabat.testing.derivatives import check_forces, check_stress
from adiabat.testing.smoothness import check_smooth
from adiabat.testing.structures import (
    Case,
    contract_cases,
    default_length,
    displaced,
    packing,
    random_rotation,
    transformed,
)
from adiabat.testing.violation import ContractViolation

ROUNDING = 1e-12
"""What equal energies and forces may differ by, on the scales of `potential.scales`."""


def check_potential(
    potential: Potential, *, length: float | None = None, radii: Collection[float] = (), stored: bool = True
) -> None:
    """Everything that whoever uses a potential relies on, in float64.

    Forces and stress are derivatives of the energy (1e-7). The energy does not change under rotation, reflection,
    translation, permutation, or the choice of the periodic image (1e-12); that of a repeated cell is repeated. Structures
    do not feel each other in a batch, nor fragments far apart. Edges beyond the cutoff change nothing. Energies, forces and
    second derivatives are continuous through the cutoff and `radii`. Stress exists with three periodic directions only, an
    unknown element is refused, and what is stored is restored.

    Args:
        potential: What is checked.
        length: Å, a distance between neighbours that it can evaluate; by default from covalent radii.
        radii: Å, further radii at which a term begins or ends.
        stored: Whether it can be stored.

    Raises:
        ContractViolation: With the structure, the value and the rule.
    """
    potential = potential.to(dtype=torch.float64)
    length = length or default_length(potential.species)
    radii = (potential.cutoff, *radii)
    cases = contract_cases(potential.species, length=length, radii=radii)
    for case in cases:
        check_shapes(potential, case)
        check_forces(potential, case)
        check_invariance(potential, case)
        check_longer_edges(potential, case)
        if case.atoms.pbc.all():
            check_stress(potential, case)
            check_repetition(potential, case)
        else:
            check_no_stress(potential, case)
    check_batch(potential, cases)
    check_fragments(potential, length=length)
    check_lone_atoms(potential)
    check_unknown_species(potential)
    check_smooth(potential, radii, length=length)
    check_single_precision(potential, cases)
    if stored:
        check_file(potential, cases)


def check_shapes(potential: Potential, case: Case) -> None:
    """Every quantity that was asked for is there, finite, of its shape; what was not is None; energies add up."""
    found, n = potential(case.atoms, want=("energy", "energies", "forces")), len(case.atoms)
    shapes = {"energy": (1,), "energies": (n,), "forces": (n, 3)}
    for name, shape in shapes.items():
        value = getattr(found, name)
        if value is None or tuple(value.shape) != shape or not bool(torch.isfinite(value).all()):
            raise ContractViolation(
                f"{case.name}: {name}", value=str(value), rule=f"what was asked for is finite, of the shape {shape}"
            )
    if found.stress is not None:
        raise ContractViolation(f"{case.name}: stress", value="is given", rule="what was not asked for is None")
    total, energies = cast(Tensor, found.energy), cast(Tensor, found.energies)
    _require_energy(potential, case.atoms, energies.sum()[None], total, place=case.name, rule="the energies add up")


def check_invariance(potential: Potential, case: Case) -> None:
    """Under rotation, reflection, translation, permutation and the choice of images."""
    atoms, rng = case.atoms, np.random.default_rng(11)
    rotation, order = random_rotation(rng), rng.permutation(len(atoms))
    images = np.where(atoms.pbc, rng.integers(-2, 3, (len(atoms), 3)), 0) @ atoms.cell.array
    changed = {
        "rotated": transformed(atoms, rotation),
        "reflected": transformed(atoms, rotation @ np.diag([1, -1, 1])),
        "translated": displaced(atoms, rng.uniform(-3, 3, 3)),
        "permuted": cast(Atoms, atoms[order]),
        "with other periodic images": displaced(atoms, images),
    }
    before = _energy(potential, atoms)
    for name, other in changed.items():
        rule = "the energy does not change under rotation, reflection, translation, permutation and choice of images"
        _require_energy(potential, atoms, _energy(potential, other), before, place=f"{case.name}, {name}", rule=rule)


def check_longer_edges(potential: Potential, case: Case) -> None:
    """A graph may hold edges beyond the cutoff: each term cuts for itself."""
    batch = Batch.from_atoms(case.atoms)
    graphs = (neighbor_graph(batch, potential.cutoff), neighbor_graph(batch, potential.cutoff + 1.0))
    _require_same(
        potential, *graphs, place=f"{case.name}, edges 1 Å longer", rule="edges beyond the cutoff change nothing"
    )


def check_repetition(potential: Potential, case: Case) -> None:
    """The energy of a cell repeated along each vector is that of the cell, as often; it ends with the images it sees."""
    repeated = cast(Atoms, case.atoms * (2, 1, 3))
    expected = 6 * _energy(potential, case.atoms)
    rule = "the energy of a repeated cell is that of the cell, as many times"
    _require_energy(potential, repeated, _energy(potential, repeated), expected, place=case.name, rule=rule)


def check_no_stress(potential: Potential, case: Case) -> None:
    """Without three periodic directions there is no stress, and it is said."""
    try:
        stress = potential(case.atoms, want=("stress",)).stress
    except PropertyUnavailable:
        return
    raise ContractViolation(
        f"{case.name}: stress", value=str(stress), rule="a stress without three periodic directions is refused"
    )


def check_batch(potential: Potential, cases: list[Case]) -> None:
    """Structures give the same together as alone."""
    batch = Batch.from_atoms([case.atoms for case in cases])
    found = potential(batch, want=("energy", "forces"))
    forces = cast(Tensor, found.forces)
    for index, case in enumerate(cases):
        alone = potential(case.atoms, want=("energy", "forces"))
        place, rule = f"{case.name}, in a batch", "structures in a batch do not feel each other"
        energy = cast(Tensor, found.energy)[index : index + 1]
        _require_energy(potential, case.atoms, energy, cast(Tensor, alone.energy), place=place, rule=rule)
        mine, expected = forces[batch.system == index], cast(Tensor, alone.forces)
        _require_forces(mine, expected, Batch.from_atoms(case.atoms), place=place, rule=rule)


def check_fragments(potential: Potential, *, length: float) -> None:
    """Two fragments beyond each other's reach have the sum of their energies; without a reach there is nothing to check."""
    if not isfinite(potential.interaction_range):
        return
    first = _without_cell(packing(potential.species, (2, 2, 1), length=length, seed=21))
    second = _without_cell(packing(potential.species[::-1], (1, 2, 2), length=length, seed=22))
    apart = first.positions[:, 0].max() - second.positions[:, 0].min() + potential.interaction_range + 1.0
    both = first + displaced(second, np.array([apart, 0, 0]))
    expected = _energy(potential, first) + _energy(potential, second)
    rule = "two fragments further apart than the interaction range have the sum of their energies"
    _require_energy(potential, both, _energy(potential, both), expected, place="two far fragments", rule=rule)


def check_lone_atoms(potential: Potential) -> None:
    """An atom without neighbours has an energy, the same with and without a cell, and no force; or it is said to have none."""
    edge = 2 * potential.cutoff + 1.0
    for number in potential.species:
        free, boxed = Atoms([number]), Atoms([number], cell=[edge] * 3, pbc=True)
        try:
            found = potential([free, boxed], want=("energy", "forces"))
        except PropertyUnavailable:
            continue
        energy, forces = cast(Tensor, found.energy), cast(Tensor, found.forces)
        place, rule = (
            f"a lone atom of the number {number}",
            "an atom without neighbours has its own energy and no force",
        )
        _require_energy(potential, free, energy[:1], energy[1:], place=place, rule=rule)
        require_close(forces, torch.zeros_like(forces), scale=1.0, tolerance=0.0, place=place, rule=rule)


def check_unknown_species(potential: Potential) -> None:
    """An element that the potential does not know is refused."""
    unknown = next((number for number in range(1, len(chemical_symbols)) if number not in potential.species), None)
    if unknown is None:
        return
    try:
        energy = _energy(potential, Atoms([potential.species[0], unknown], positions=[[0, 0, 0], [0, 0, 2.0]]))
    except UnknownSpecies:
        return
    raise ContractViolation(
        f"an atom of the number {unknown}", value=f"energy {float(energy)}", rule="an unknown element is refused"
    )


def check_single_precision(potential: Potential, cases: list[Case]) -> None:
    """In float32 the energies are those of float64 to 1e-4, and are float32."""
    single = potential.to(dtype=torch.float32)
    for case in cases:
        found = cast(Tensor, single(Batch.from_atoms(case.atoms, dtype=torch.float32), want=("energy",)).energy)
        if found.dtype != torch.float32:
            raise ContractViolation(f"{case.name}, in float32", value=str(found.dtype), rule="float32 stays float32")
        require_close(
            found.double(),
            _energy(potential, case.atoms),
            scale=_energy_scale(potential, case.atoms),
            tolerance=TOLERANCE[torch.float32],
            place=f"{case.name}, in float32",
            rule="single precision agrees with double precision",
        )


def check_file(potential: Potential, cases: list[Case]) -> None:
    """What is stored and loaded gives the same energies."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contract.adiabat"
        potential.save(file, canaries=[cases[0].atoms])
        loaded = load_potential(file)
    for case in cases:
        place, rule = f"{case.name}, after storing and loading", "what is stored is restored"
        energies = _energy(loaded, case.atoms), _energy(potential, case.atoms)
        _require_energy(potential, case.atoms, *energies, place=place, rule=rule)


def _energy(potential: Potential, atoms: Atoms) -> Tensor:
    return cast(Tensor, potential(atoms, want=("energy",)).energy)


def _energy_scale(potential: Potential, atoms: Atoms) -> float:
    return float(energy_scales(potential.parts, neighbor_graph(Batch.from_atoms(atoms), potential.cutoff))[0])


def _require_energy(
    potential: Potential, atoms: Atoms, found: Tensor, expected: Tensor, *, place: str, rule: str
) -> None:
    scale = _energy_scale(potential, atoms)
    require_close(found, expected, scale=scale, tolerance=ROUNDING, place=f"{place}: energy", rule=rule)


def _require_forces(found: Tensor, expected: Tensor, batch: Batch, *, place: str, rule: str) -> None:
    scale = float(force_scales(expected, batch)[0])
    require_close(found, expected, scale=scale, tolerance=ROUNDING, place=f"{place}: forces", rule=rule)


def _require_same(potential: Potential, first: Graph, second: Graph, *, place: str, rule: str) -> None:
    one, other = (potential(graph, want=("energy", "forces")) for graph in (first, second))
    scale = float(energy_scales(potential.parts, first)[0])
    energies = cast(Tensor, other.energy), cast(Tensor, one.energy)
    require_close(*energies, scale=scale, tolerance=ROUNDING, place=f"{place}: energy", rule=rule)
    _require_forces(cast(Tensor, other.forces), cast(Tensor, one.forces), first.batch, place=place, rule=rule)


def _without_cell(atoms: Atoms) -> Atoms:
    return Atoms(atoms.numbers, positions=atoms.positions)
