"""describe: what a data set holds, in numbers and histograms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from adiabat.data.isolated import AtomicReference
from adiabat.data.survey import Survey, take_survey
from adiabat.results import Result
from adiabat.system import Labelled
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

BINS = 60
NARROWEST = 1e-6
"""Width of a histogram, relative to its values: below this they are all the same."""
REFERENCE_NAMES = {
    "data": "isolated atoms of the data",
    "configuration": "isolated atoms of the configuration",
    "fitted": "least-squares energies per species",
    "shift": "a shift per species, for no structure has an energy",
}


@dataclass(frozen=True)
class Range:
    """Where values lie."""

    minimum: float
    median: float
    maximum: float


@dataclass(frozen=True)
class Histogram:
    """Counts between edges: (B + 1,) and (B,)."""

    edges: FloatArray
    counts: FloatArray


@dataclass(frozen=True)
class ConfigTypeSummary:
    """How many structures of a config_type there are, and how many have which label."""

    config_type: str
    structures: int
    atoms: int
    with_energy: int
    with_forces: int
    with_stress: int


@dataclass(frozen=True)
class SpeciesSummary:
    """How often an element occurs, and what its energies are counted from."""

    symbol: str
    atoms: int
    structures: int
    reference_ev: float | None
    reference_source: str | None


@dataclass(frozen=True)
class Description(Result):
    """What a data set holds; None where it holds nothing of the kind.

    Attributes:
        structures: How many.
        atoms: In all structures together.
        species: By atomic number.
        config_types: In order of appearance.
        energy_reference: What energies per atom are counted from.
        energy_per_atom_ev: Less the reference; isolated atoms left out.
        force_ev_per_angstrom: Norms of forces on atoms.
        pressure_gpa: Minus a third of the trace of the stress.
        shear_stress_gpa: The largest off-diagonal component of each structure.
        volume_per_atom_cubic_angstrom: Of structures with three periodic directions.
        shortest_distances_angstrom: By pair of symbols ("Mo-Ta"), within 6 Å.
        notes: What a user should know, and is nothing wrong.
        histograms: By name: energy, force, pressure, volume, distance (of nearest neighbours).
    """

    structures: int
    atoms: int
    species: tuple[SpeciesSummary, ...]
    config_types: tuple[ConfigTypeSummary, ...]
    energy_reference: str | None
    energy_per_atom_ev: Range | None
    force_ev_per_angstrom: Range | None
    pressure_gpa: Range | None
    shear_stress_gpa: Range | None
    volume_per_atom_cubic_angstrom: Range | None
    shortest_distances_angstrom: dict[str, float]
    notes: tuple[str, ...]
    histograms: dict[str, Histogram]


def describe(
    structures: Sequence[Labelled], *, isolated_atoms_ev: Mapping[str, float] | None = None, quiet: bool = False
) -> Description:
    """Describe labelled structures; arguments and errors as those of `adiabat.data.check`."""
    return describe_survey(take_survey(structures, isolated_atoms_ev, quiet=quiet))


def describe_survey(survey: Survey) -> Description:
    """Describe a data set that has been surveyed."""
    structures = survey.structures
    energy = survey.relative_energy[survey.not_isolated]
    labelled = [s.labels.stress for s in structures if s.labels.stress is not None]
    stresses = np.array(labelled).reshape(-1, 3, 3) * GPA_PER_EV_PER_CUBIC_ANGSTROM
    pressure = -np.trace(stresses, axis1=1, axis2=2) / 3
    shear = np.abs(stresses[:, [1, 0, 0], [2, 2, 1]]).max(axis=1, initial=0.0)
    volume = np.array([s.atoms.cell.volume / len(s.atoms) for s in structures if s.atoms.pbc.all()])
    forces = [s.labels.forces for s in structures if s.labels.forces is not None and not s.is_isolated_atom]
    components = np.concatenate([np.empty((0, 3)), *forces])
    values = {
        "energy": energy,
        "force": components.reshape(-1),
        "pressure": pressure,
        "volume": volume,
        "distance": np.concatenate(survey.distances.nearest),
    }
    histograms = {name: _histogram(of) for name, of in values.items()}
    return Description(
        structures=len(structures),
        atoms=sum(len(s.atoms) for s in structures),
        species=_species(survey),
        config_types=_config_types(structures),
        energy_reference=None if survey.reference is None else _reference_name(survey.reference),
        energy_per_atom_ev=_range(energy),
        force_ev_per_angstrom=_range(np.linalg.norm(components, axis=1)),
        pressure_gpa=_range(pressure),
        shear_stress_gpa=_range(shear),
        volume_per_atom_cubic_angstrom=_range(volume),
        shortest_distances_angstrom=_by_symbols(survey.distances.shortest),
        notes=() if survey.reference is None else survey.reference.notes,
        histograms={name: histogram for name, histogram in histograms.items() if histogram is not None},
    )


def _finite(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _range(values: FloatArray) -> Range | None:
    values = _finite(values)
    if not len(values):
        return None
    return Range(float(values.min()), float(np.median(values)), float(values.max()))


def _histogram(values: FloatArray) -> Histogram | None:
    values = _finite(values)
    if not len(values):
        return None
    least, most = float(values.min()), float(values.max())
    margin = max(NARROWEST * max(abs(least), abs(most), 1.0) - (most - least), 0.0) / 2
    counts, edges = np.histogram(values, bins=BINS, range=(least - margin, most + margin))
    return Histogram(edges, counts.astype(np.float64))


def _reference_name(reference: AtomicReference) -> str:
    by_source: dict[str, list[str]] = {}
    for number, source in reference.sources.items():
        by_source.setdefault(source, []).append(chemical_symbols[number])
    if len(by_source) == 1:
        return REFERENCE_NAMES[reference.source]
    return "; ".join(f"{REFERENCE_NAMES[source]} ({', '.join(symbols)})" for source, symbols in by_source.items())


def _species(survey: Survey) -> tuple[SpeciesSummary, ...]:
    atoms: dict[int, int] = {}
    structures: dict[int, int] = {}
    for structure in survey.structures:
        for number, count in zip(*np.unique(structure.atoms.numbers, return_counts=True), strict=True):
            atoms[int(number)] = atoms.get(int(number), 0) + int(count)
            structures[int(number)] = structures.get(int(number), 0) + 1
    reference = survey.reference
    return tuple(
        SpeciesSummary(
            chemical_symbols[number],
            atoms[number],
            structures[number],
            None if reference is None else reference.energies_ev[number],
            None if reference is None else reference.sources[number],
        )
        for number in sorted(atoms)
    )


def _config_types(structures: Sequence[Labelled]) -> tuple[ConfigTypeSummary, ...]:
    by_type: dict[str, list[Labelled]] = {}
    for structure in structures:
        by_type.setdefault(structure.config_type, []).append(structure)
    return tuple(
        ConfigTypeSummary(
            name,
            len(members),
            sum(len(member.atoms) for member in members),
            sum(member.labels.energy is not None for member in members),
            sum(member.labels.forces is not None for member in members),
            sum(member.labels.stress is not None for member in members),
        )
        for name, members in by_type.items()
    )


def _by_symbols(shortest: Mapping[tuple[int, int], float]) -> dict[str, float]:
    return {f"{chemical_symbols[a]}-{chemical_symbols[b]}": distance for (a, b), distance in shortest.items()}
