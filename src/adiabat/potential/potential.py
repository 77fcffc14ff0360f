"""Potential: what turns structures into energies, forces and stress."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

import numpy as np
import torch
from ase import Atoms
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import ConfigurationError, PropertyUnavailable, StructureError, UnknownSpecies
from adiabat.models import MessagePassing
from adiabat.neighbors import neighbor_graph
from adiabat.potential.deviations import RowDeviations, SpreadDeviations, is_deviation, is_estimate
from adiabat.potential.estimates import EstimatedDeviations
from adiabat.potential.prediction import Prediction
from adiabat.potential.terms import Terms
from adiabat.system import Batch, EnergyModel, Graph, Storable, is_exact
from adiabat.typing import Quantity
from adiabat.uncertainty import Calibration, CommitteeSpread, Part

if TYPE_CHECKING:
    from adiabat.potential.ase import AdiabatCalculator
    from adiabat.potential.committee import Committee

QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
DEVIATIONS = tuple(name for name in QUANTITIES if is_deviation(name))


class Potential:
    """A sum of energy models; it holds no state between calls.

    Attributes:
        parts: What is summed: isolated-atom energies, a learned model, a repulsion ...
        attachments: What belongs to it without adding to the energy: the posterior, statistics of the features.
        metadata: Provenance, training configuration, data fingerprint, summary of the training: JSON values.
        canaries: Structures that it was made for; its file shows by them that it computes what it computed.
        dtype: The floating-point type of its parts, in which structures are evaluated; `to` changes it.
        device: Where its parts are and structures are evaluated, likewise.
    """

    def __init__(
        self,
        parts: Sequence[EnergyModel],
        *,
        attachments: Mapping[str, Storable] | None = None,
        metadata: Mapping[str, Any] | None = None,
        canaries: Sequence[Atoms] = (),
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        if not parts:
            raise ConfigurationError(
                "a potential without parts", rule="a potential is a sum of one part or more", mend="give it a part"
            )
        self.parts = tuple(parts)
        self._terms = Terms(self.parts)
        self.attachments = dict(attachments or {})
        self.metadata = dict(metadata or {})
        self.canaries = tuple(canaries)
        self.dtype = dtype
        self.device = torch.empty(0, device=device).device  # "cuda" becomes "cuda:0", as tensors call it

    @property
    def cutoff(self) -> float:
        """Å, the longest edge that a part needs."""
        return max(part.cutoff for part in self.parts)

    @property
    def interaction_range(self) -> float:
        """Å, how far one atom's displacement can change another's energy."""
        return max(part.interaction_range for part in self.parts)

    @cached_property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers that every part knows, ascending."""
        common = set(self.parts[0].species).intersection(*(part.species for part in self.parts))
        return tuple(sorted(common))

    def __call__(
        self, structures: Batch | Graph | Atoms | Sequence[Atoms], *, want: Collection[Quantity] = ("energy", "forces")
    ) -> Prediction:
        """Evaluate.

        Args:
            structures: Structures; or a batch, or a graph with edges at least as long as `cutoff`, of the potential's
                type and on its device.
            want: Any of "energy", "energies", "forces", "stress", "atomic_virials"; and, of a potential that has them, the
                standard deviations of the first four, as `Prediction` names them. These cost some ten times as much, but for
                "energy_std_estimate" and "energies_std_estimate", which cost a quarter more than forces.

        Raises:
            UnknownSpecies: An element that the potential was not trained for.
            StructureError: Positions that are not finite, atoms that coincide, a cell without volume; a batch of another
                type or on another device.
            PropertyUnavailable: What was asked for does not exist, or not for these structures.
        """
        self._require_available(want)
        graph = self._graph(structures)
        self._require_known(graph.batch)
        plain, estimates, deviations = _by_kind(tuple(want))
        if estimates and self._estimates is not None:
            found = self._estimates(graph, plain, estimates)
        else:
            found = self._terms(graph, plain)
        if not deviations or self._deviations is None:
            return found
        return replace(found, **self._deviations(graph, deviations))

    @property
    def has_uncertainty(self) -> bool:
        """Whether it gives standard deviations."""
        return self._deviations is not None

    @property
    def known_deviations(self) -> tuple[Quantity, ...]:
        """The standard deviations that it gives."""
        exact = () if self._deviations is None else self._deviations.names
        return exact if self._estimates is None else (*exact, *self._estimates.names)

    @property
    def typical_errors(self) -> dict[str, float]:
        """By kind of label, eV per atom, eV/Å, eV/Å³: root mean square errors on structures that it was not fitted to; none known, none."""
        training = self.metadata.get("training", {})
        return dict(training.get("left_out_rmse") or training.get("validation_rmse") or {})

    @property
    def calibration(self) -> tuple[Calibration, dict[str, Any]] | None:
        """Of its standard deviations, and what it was made from and is worth; None where there is none."""
        if self.linear_deviations is not None:
            spread = self.linear_deviations.uncertainty.spread
            return spread.calibration, spread.record
        spreads = [part for part in self.attachments.values() if isinstance(part, CommitteeSpread)]
        return (spreads[0].calibration, spreads[0].record) if len(spreads) == 1 else None

    @cached_property
    def linear_deviations(self) -> RowDeviations | None:
        """From posterior and misfit of all that energies are linear in; None without them."""
        return RowDeviations.of(self.parts, self.attachments)

    @cached_property
    def _deviations(self) -> RowDeviations | SpreadDeviations | None:
        if self.linear_deviations is None and self._terms.members is not None:
            return SpreadDeviations.of(self._terms.members, self.attachments)
        return self.linear_deviations

    @cached_property
    def _estimates(self) -> EstimatedDeviations | None:
        return EstimatedDeviations.of(self._terms, self.linear_deviations, self.attachments)

    @cached_property
    def _known(self) -> np.ndarray:
        """(Z,) bool, by atomic number."""
        known = np.zeros(len(chemical_symbols), dtype=bool)
        known[list(self.species)] = True
        return known

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV: the sum of the parts, differentiable in the graph's positions and cell."""
        return self._terms.atomic_energies(graph)

    def __add__(self, other: "Potential") -> "Potential":
        """The sum of two potentials. It is as sure as the one of them that is not exact; where neither is, it does not know.

        Raises:
            ConfigurationError: They are of different types or on different devices.
        """
        if (self.dtype, self.device) != (other.dtype, other.device):
            raise ConfigurationError(
                f"{_kind(self.dtype, self.device)} and {_kind(other.dtype, other.device)} were to be added",
                place="sum of potentials",
                rule="the parts of a potential are of one type, on one device",
                mend="second = second.to(dtype=first.dtype, device=first.device)",
            )
        parts = self.parts + other.parts
        known = set(Potential(parts).species)
        canaries = [atoms for atoms in self.canaries + other.canaries if known.issuperset(atoms.numbers.tolist())]
        metadata = {"sum_of": [self.metadata, other.metadata]}
        exact = [all(map(is_exact, one.parts)) for one in (self, other)]
        attachments = self.attachments if exact[1] else other.attachments if exact[0] else {}
        return Potential(
            parts, attachments=attachments, metadata=metadata, canaries=canaries, dtype=self.dtype, device=self.device
        )

    def committee(self, part: Part = "all", size: int = 16, seed: int = 0) -> "Committee":
        """Potentials drawn from what is not known: whatever is derived from each of them scatters as its error is expected to.

        Args:
            part: "parametric": as with other data of the same sorts; "misfit": by what no coefficients remove; "all": both.
            size: How many; the relative error of a standard deviation over them is 1/√(2 size).
            seed: Of the draw.

        Raises:
            PropertyUnavailable: The potential does not know how sure it is, or only as a whole.
        """
        from adiabat.potential.committee import drawn_committee

        self._require_uncertainty("a committee")
        return drawn_committee(self, part, size, seed)

    def calculator(self) -> "AdiabatCalculator":
        """An ASE calculator."""
        from adiabat.potential.ase import AdiabatCalculator

        return AdiabatCalculator(self)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same potential in another floating-point type or on another device."""
        parts = [part.to(dtype=dtype, device=device) for part in self.parts]
        return self._with_parts(parts, dtype=dtype, device=device)

    def _with_parts(
        self,
        parts: Sequence[EnergyModel],
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Self:
        return type(self)(
            parts,
            attachments=self.attachments,
            metadata=self.metadata,
            canaries=self.canaries,
            dtype=dtype or self.dtype,
            device=device or self.device,
        )

    def compiled(self) -> Self:
        """The same potential, whose message passing is compiled for this machine at the first call, which takes up to a minute.

        Raises:
            ConfigurationError: None of its parts is there to be compiled: what the kernel of adiabat evaluates is compiled already.
        """
        parts = [part.compiled() if isinstance(part, MessagePassing) else part for part in self.parts]
        if not any(isinstance(part, MessagePassing) for part in parts):
            raise ConfigurationError(
                f"was to be compiled; its parts are {', '.join(part.kind for part in parts)}",
                place="potential",
                rule=f"parts of the kind {MessagePassing.kind} are compiled for a machine",
                mend="use the potential as it is",
            )
        return self._with_parts(parts)

    def save(self, file: Path | str, *, canaries: Sequence[Atoms] | None = None) -> None:
        """Write to one self-contained file, whole or not at all.

        Args:
            file: Its suffix is ``.adiabat`` by custom.
            canaries: Structures by which the file shows that it computes what it computed; by default the potential's
                own, and made ones where it has none.

        Raises:
            PotentialFileError: A part cannot be stored.
            OutputError: The file cannot be written.
        """
        from adiabat.potential.canaries import default_structures
        from adiabat.potential.file import save_potential

        if canaries is None:
            canaries = self.canaries or default_structures(self.species)
        save_potential(self, Path(file), canaries=canaries)

    def _require_available(self, want: Collection[Quantity]) -> None:
        for name in want:
            if name not in QUANTITIES:
                plain = ", ".join(quantity for quantity in QUANTITIES if not is_deviation(quantity))
                raise PropertyUnavailable(
                    f"'{name}' was asked for",
                    rule=f"a potential gives {plain}, and standard deviations of the first four, as `Prediction` names them",
                    mend="ask for these alone",
                )
            if is_deviation(name):
                self._require_deviation(name)
        if "atomic_virials" in want and self.interaction_range > self.cutoff + 1e-9:
            raise PropertyUnavailable(
                f"atomic virials were asked for of a potential that reaches {self.interaction_range:g} Å over edges of "
                f"{self.cutoff:g} Å",
                rule="an atom's virial is a sum over the edges between it and its neighbours",
                mend="use a potential whose atomic energies depend on their neighbours alone",
            )

    def _require_deviation(self, name: Quantity) -> None:
        self._require_uncertainty(f"'{name}'")
        if name not in self.known_deviations:
            raise PropertyUnavailable(
                f"'{name}' was asked for",
                rule=f"this potential knows {', '.join(self.known_deviations)}: a standard deviation is calibrated by labels of its "
                "kind in the training, and the spread of a committee has no parts",
                mend="ask for these alone, or train with such labels",
            )

    def _require_uncertainty(self, what: str) -> None:
        if not self.has_uncertainty:
            raise PropertyUnavailable(
                f"{what} was asked for of a potential that does not know how sure it is",
                rule="error bars come from the posterior and the misfit of a training, or from a committee's spread",
                mend="train it again with this adiabat, or make a Committee of several potentials",
            )

    def _graph(self, structures: Batch | Graph | Atoms | Sequence[Atoms]) -> Graph:
        if isinstance(structures, Graph):
            self._require_same_kind(structures.batch)
            if structures.cutoff < self.cutoff - 1e-9:
                raise StructureError(
                    f"the graph's edges end at {structures.cutoff} Å",
                    rule=f"this potential needs edges up to {self.cutoff} Å",
                    mend="make it with neighbor_graph(batch, potential.cutoff)",
                )
            return structures
        if isinstance(structures, Batch):
            self._require_same_kind(structures)
            return neighbor_graph(structures, self.cutoff)
        return neighbor_graph(Batch.from_atoms(structures, dtype=self.dtype, device=self.device), self.cutoff)

    def _require_same_kind(self, batch: Batch) -> None:
        positions = batch.positions
        if (positions.dtype, positions.device) != (self.dtype, self.device):
            raise StructureError(
                f"the batch is {_kind(positions.dtype, positions.device)}",
                rule=f"this potential evaluates {_kind(self.dtype, self.device)}",
                mend="batch.to(dtype=potential.dtype, device=potential.device)",
            )

    def _require_known(self, batch: Batch) -> None:
        numbers = batch.numbers.cpu().numpy()
        known = self._known[numbers]
        if not known.all():
            atom = int(known.argmin())
            raise UnknownSpecies(
                f"atom {atom} of the batch is {chemical_symbols[numbers[atom]]}",
                rule=f"this potential knows {', '.join(chemical_symbols[n] for n in self.species)}",
                mend="train one with data of this element",
            )


@cache
def _by_kind(want: tuple[Quantity, ...]) -> tuple[tuple[Quantity, ...], ...]:
    """What is no standard deviation, estimates of standard deviations, standard deviations."""
    return (
        tuple(name for name in want if not is_deviation(name)),
        tuple(name for name in want if is_estimate(name)),
        tuple(name for name in want if is_deviation(name) and not is_estimate(name)),
    )


def _kind(dtype: torch.dtype, device: torch.device) -> str:
    return f"{str(dtype).removeprefix('torch.')} on {device}"
