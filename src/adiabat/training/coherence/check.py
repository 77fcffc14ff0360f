"""Whether the labels of a data set fit together: forces alone predict the energies' differences and the stresses.

A file with energies in Hartree beside forces in eV/Å, or with a stress of the opposite sign, trains without a word
elsewhere. Here a small model, fitted to forces only, predicts energies and stresses; the labels' slope on these
predictions is one where units and signs agree, and names the factor where they do not.
"""

from collections.abc import Iterable, Mapping, Sequence

from ase.data import chemical_symbols

from adiabat.data import Finding
from adiabat.data.checks.geometry import CLOSEST
from adiabat.neighbors import pair_vectors
from adiabat.runs import one_thread_each
from adiabat.system import Labelled
from adiabat.training.coherence.component_order import SHEARS, ShearOrder
from adiabat.training.coherence.force_comparison import LEAST_STRUCTURES, ForceSlopes, Kind, compare_with_forces
from adiabat.training.coherence.samples import few_species, spread_sample
from adiabat.training.coherence.slopes import TOLERANCE, Slope
from adiabat.training.coherence.unit_factors import explain

ENERGY_NAME, STRESS_NAME, ORDER_NAME = COHERENCE_FINDINGS = (
    "energy-force-mismatch",
    "stress-force-mismatch",
    "stress-component-order",
)
NAMES: dict[Kind, str] = {"energy": ENERGY_NAME, "stress": STRESS_NAME}
MOST_SPECIES = 5
"""The basis of the fit grows with the square of their number, and this is to be done in seconds."""
BUDGET_ONE, BUDGET_MORE, PER_STRUCTURE = 4000, 5000, 15
"""Atoms, for one species (and a larger basis) and for more; what a structure costs besides its atoms."""
CONVERT = "convert to eV, eV/Å, eV/Å³ (positive under tension) and try again"
CHECK_EVERYTHING = "check units and signs of energies, forces and stresses against the code that made them"
OTHER_SETTINGS = "a config_type of another reference, other settings or other units: relabel or remove it"


@one_thread_each()
def check_coherence(structures: Sequence[Labelled], *, quiet: bool = False) -> list[Finding]:
    """Findings where energies or stresses do not fit the forces; none where there are too few labels to tell.

    Args:
        structures: The data.
        quiet: Show no progress.
    """
    sample = comparable_sample(structures)
    if len(sample) < LEAST_STRUCTURES:
        return []
    found = compare_with_forces(sample, quiet=quiet)
    wrong = {name: order for name, order in found.orders.items() if order.is_wrong}
    findings = [finding for kind, slopes in found.slopes.items() for finding in _findings(kind, slopes, sample)]
    return [*findings, _wrong_order(wrong, sample)] if wrong else findings


def comparable_sample(structures: Sequence[Labelled]) -> list[Labelled]:
    """Structures with forces and something to compare them with, few enough and of few enough species to be quick."""
    usable = [
        s
        for s in structures
        if s.labels.forces is not None
        and len(s.atoms) > 1
        and (s.labels.energy is not None or s.labels.stress is not None)
    ]
    usable = few_species(usable, MOST_SPECIES)
    is_element = len({int(number) for s in usable for number in s.atoms.numbers}) == 1
    budget = BUDGET_ONE if is_element else BUDGET_MORE
    sample = spread_sample(usable, most_atoms=budget, per_structure=PER_STRUCTURE)
    # Atoms on top of each other are a finding of their own; here they would set the scale of all distances.
    return [s for s in sample if not len(pair_vectors(s.atoms, CLOSEST, place=s.place)[0])]


def _findings(kind: Kind, slopes: ForceSlopes, sample: Sequence[Labelled]) -> list[Finding]:
    if slopes.types_apart:
        return [_types_apart(kind, slopes.types_apart, sample)]
    if slopes.type_that_disturbs:
        return [_disturbed(kind, slopes.whole, *slopes.type_that_disturbs, sample)]
    return [_all_off(kind, slopes.whole, sample)] if slopes.is_off else []


def _all_off(kind: Kind, slope: Slope, sample: Sequence[Labelled]) -> Finding:
    symbols = ", ".join(chemical_symbols[n] for n in sorted({int(n) for s in sample for n in s.atoms.numbers}))
    what = f"the {kind} labels are {_times(slope)} what the forces say ({slope.count} labels, {symbols})"
    return _finding(kind, what, (_place(sample),), _convert(explain(kind, slope)))


def _types_apart(kind: Kind, slopes: Mapping[str, Slope], sample: Sequence[Labelled]) -> Finding:
    of_types = (f"{_times(slope)} ({slope.count} labels of config_type '{name}')" for name, slope in slopes.items())
    causes = dict.fromkeys(cause for slope in slopes.values() if (cause := explain(kind, slope)) is not None)
    what = f"the {kind} labels are {', '.join(of_types)} what the forces say"
    return _finding(kind, what, _places(slopes, sample), _convert(", ".join(causes)))


def _disturbed(kind: Kind, whole: Slope, name: str, rest: Slope, sample: Sequence[Labelled]) -> Finding:
    what = f"the {kind} labels are {_times(rest)} what the forces say without config_type '{name}', and {_times(whole)} with it"
    return _finding(kind, what, _places([name], sample), OTHER_SETTINGS)


def _wrong_order(orders: Mapping[str, ShearOrder], sample: Sequence[Labelled]) -> Finding:
    """A warning, for energies, forces and the other stresses are of use without the shear stresses."""
    of_types = (
        f"what stands as {', '.join(SHEARS)} in config_type '{name}' goes with {', '.join(order.components)} "
        f"(correlation {order.reordered:.2f}, as it stands {order.as_read:.2f})"
        for name, order in orders.items()
    )
    return Finding(
        ORDER_NAME,
        "warning",
        f"shear stresses are not in the order in which they are read: {'; '.join(of_types)}",
        _places(orders, sample),
        "shear stresses go with what the forces say of them, component by component",
        "write stresses as 3x3 matrices, or in Voigt's order xx yy zz yz xz xy (VASP's is xx yy zz xy yz zx)",
    )


def _finding(kind: Kind, what: str, places: tuple[str, ...], mend: str) -> Finding:
    rule = f"energies, forces and stresses are of one surface, in eV, eV/Å, eV/Å³: the slope is 1 ± {TOLERANCE}"
    return Finding(NAMES[kind], "error", what, places, rule, mend)


def _convert(cause: str | None) -> str:
    return f"{cause}: {CONVERT}" if cause else CHECK_EVERYTHING


def _times(slope: Slope) -> str:
    return f"{slope.value:.4g} ± {slope.std:.1g} times"


def _place(concerned: Sequence[Labelled]) -> str:
    return f"{len(concerned)} structures from {concerned[0].place} on"


def _places(names: Iterable[str], sample: Sequence[Labelled]) -> tuple[str, ...]:
    return tuple(f"'{name}': {_place([s for s in sample if s.config_type == name])}" for name in names)
