"""What a potential is, in numbers and words."""

from dataclasses import asdict, dataclass
from functools import singledispatch
from typing import Any

from ase.data import chemical_symbols

from adiabat.data.isolated import Source
from adiabat.models import IsolatedAtoms, LinearACE, Mean, MessagePassing
from adiabat.models.network import InvariantNetwork
from adiabat.models.symmetry import SymmetryNetwork
from adiabat.physics import ZBL
from adiabat.potential.file import UNITS, fingerprint
from adiabat.potential.potential import Potential
from adiabat.results import Result
from adiabat.system import EnergyModel

SOURCES: dict[Source, str] = {
    "data": "from isolated atoms in the data",
    "configuration": "from the configuration",
    "fitted": "a fitted reference shift",
    "shift": "a reference shift: no training structure had an energy",
}
"""Where the energy of an isolated atom comes from, in words."""


@dataclass(frozen=True)
class PartDescription:
    """One term of a potential's energy.

    Attributes:
        kind: Its registered name.
        cutoff_angstrom: How far it reaches.
        functions: Basis functions of an atom; None where it has none.
        parameters: Numbers that were learned from energies, forces and stresses; None where there are none.
        details: What it is made of, in words.
    """

    kind: str
    cutoff_angstrom: float
    functions: int | None
    parameters: int | None
    details: str


@dataclass(frozen=True)
class PotentialDescription(Result):
    """What a potential is.

    Attributes:
        species: Chemical symbols, by atomic number.
        cutoff_angstrom: The longest edge that a part needs.
        interaction_range_angstrom: How far one atom's displacement can change another's energy; None without a limit.
        parts: The terms of its energy.
        attachments: Kinds of what is attached, by name.
        canaries: Formulas of the structures by which its file is checked.
        units: Of its quantities.
        fingerprint: SHA-256 of what it computes and of what is attached.
        calibration: Of its error bars: weights of their terms, what they were worth on left-out structures, and the errors where
            whole config_types were left out. None where it has no error bars of its own.
        metadata: Provenance, configuration, data and summary of the training, as they were stored.
    """

    species: tuple[str, ...]
    cutoff_angstrom: float
    interaction_range_angstrom: float
    parts: tuple[PartDescription, ...]
    attachments: dict[str, str]
    canaries: tuple[str, ...]
    units: dict[str, str]
    fingerprint: str
    calibration: dict[str, Any] | None
    metadata: dict[str, Any]


def describe_potential(potential: Potential) -> PotentialDescription:
    """What `potential` is.

    Raises:
        PotentialFileError: It has a part that cannot be stored, and so no fingerprint.
    """
    return PotentialDescription(
        species=tuple(chemical_symbols[number] for number in potential.species),
        cutoff_angstrom=potential.cutoff,
        interaction_range_angstrom=potential.interaction_range,
        parts=tuple(describe_part(part) for part in potential.parts),
        attachments={name: part.kind for name, part in potential.attachments.items()},
        canaries=tuple(atoms.get_chemical_formula() for atoms in potential.canaries),
        units=UNITS,
        fingerprint=fingerprint(potential),
        calibration=_calibration(potential),
        metadata=potential.metadata,
    )


def _calibration(potential: Potential) -> dict[str, Any] | None:
    if potential.calibration is None:
        return None
    calibration, record = potential.calibration
    return {"weights": asdict(calibration), **record}


@singledispatch
def describe_part(part: EnergyModel) -> PartDescription:
    """One term; kinds of models that have more to say register here."""
    return PartDescription(part.kind, part.cutoff, None, None, f"{len(part.species)} species")


@describe_part.register
def _linear_ace(part: LinearACE) -> PartDescription:
    basis = part.basis
    channels, radial, degree = basis.mixing.shape[0], basis.n_max, basis.l_max
    body = 1 + max(products.index.shape[1] for products in basis.products)
    details = f"up to {body}-body; {radial} radial functions, l up to {degree}, {channels} element channel(s)"
    return PartDescription(part.kind, part.cutoff, basis.n_functions, part.coefficients.numel(), details)


@describe_part.register
def _invariant_network(part: InvariantNetwork) -> PartDescription:
    layers = ", ".join(str(width) for width in part.hidden)
    parameters = sum(parameter.numel() for parameter in part.parameters())
    details = f"perceptrons with hidden layers of {layers} on {part.transform.shape[1]} combinations of the invariants"
    return PartDescription(part.kind, part.cutoff, part.basis.n_functions, parameters, details)


@describe_part.register
def _symmetry_network(part: SymmetryNetwork) -> PartDescription:
    layers = ", ".join(str(width) for width in part.hidden)
    parameters = sum(parameter.numel() for parameter in part.parameters())
    details = (
        f"perceptrons with hidden layers of {layers} on {part.transform.shape[1]} combinations of {len(part.functions.radial)} radial and "
        f"{len(part.functions.angular)} angular symmetry functions an element or pair"
    )
    return PartDescription(part.kind, part.cutoff, part.functions.n_functions, parameters, details)


@describe_part.register
def _message_passing(part: MessagePassing) -> PartDescription:
    shape, parameters = part.config, sum(parameter.numel() for parameter in part.parameters())
    details = (
        f"{shape.layers} layer(s), l up to {shape.l_max}, {shape.edge_channels} scalars and {shape.vector_channels} vectors on edges, "
        f"{shape.channels} channels on atoms"
    )
    return PartDescription(part.kind, part.cutoff, None, parameters, details)


@describe_part.register
def _mean(part: Mean) -> PartDescription:
    first = ", ".join(f"{one.kind} ({one.details})" for one in map(describe_part, part.members[0]))
    return PartDescription(
        part.kind, part.cutoff, None, None, f"{len(part.members)} members, the first of them {first}"
    )


@describe_part.register
def _isolated_atoms(part: IsolatedAtoms) -> PartDescription:
    by_source: dict[Source, list[str]] = {}
    for number in part.species:
        energy = f"{chemical_symbols[number]} {part.energies_ev[number]:.4f} eV"
        by_source.setdefault(part.sources[number], []).append(energy)
    details = [f"{', '.join(energies)} ({SOURCES[source]})" for source, energies in by_source.items()]
    return PartDescription(part.kind, part.cutoff, None, None, "; ".join(details))


@describe_part.register
def _zbl(part: ZBL) -> PartDescription:
    named = []
    for (low, high), (inner, outer) in sorted(part.radii.items()):
        factor = part.charge_factors.get((low, high))
        charges = "" if factor is None else f" (charges times {factor:.3g})"
        named.append(f"{chemical_symbols[low]}-{chemical_symbols[high]} {inner:.2f} to {outer:.2f} Å{charges}")
    return PartDescription(
        part.kind, part.cutoff, None, None, f"repulsion of nuclei, switched off from {', '.join(named)}"
    )
