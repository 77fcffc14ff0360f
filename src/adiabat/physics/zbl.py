"""ZBL: the screened repulsion of two nuclei, switched off exactly as LAMMPS's ``pair_style zbl`` does.

With Z the atomic numbers, e²/(4πε₀) the Coulomb constant, and a screening length a:

    E(r) = e²/(4πε₀) Z_i Z_j / r · φ(r/a),   a = 0.46850 Å / (Z_i^0.23 + Z_j^0.23)
    φ(x) = 0.18175 e^(-3.19980 x) + 0.50986 e^(-0.94229 x) + 0.28022 e^(-0.40290 x) + 0.02817 e^(-0.20162 x)
    V(r) = E(r) + C                                          for r <= inner
    V(r) = E(r) + A/3 (r - inner)³ + B/4 (r - inner)⁴ + C    for inner < r < outer
    V(r) = 0                                                 for r >= outer

A, B and C take V, V' and V'' to zero at the outer radius:
A = (-3 E' + w E'')/w², B = (2 E' - w E'')/w³, C = -E + w E'/2 - w² E''/12, all at it, with w = outer - inner.

Where light or large atoms touch, these nuclei hold little apart (two hydrogen atoms at 1.1 Å: 0.6 eV). A pair can have
charges that are larger than its atomic numbers by one factor, as ``pair_coeff`` takes them too.

Sources: J. F. Ziegler, J. P. Biersack, U. Littmark, The Stopping and Range of Ions in Matter, volume 1 (Pergamon, 1985);
the switch: the documentation of LAMMPS, ``pair_style zbl`` and ``pair_style lj/gromacs``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations_with_replacement
from math import exp, inf, isfinite
from typing import Any, ClassVar, NamedTuple, Self

import torch
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.system import Graph, PartState, register
from adiabat.units import COULOMB_EV_ANGSTROM

SCREENING = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))
"""Coefficients and exponents of φ."""

SCREENING_LENGTH = 0.46850
"""Å."""

SCREENING_POWER = 0.23


class PairConstants(NamedTuple):
    """What V(r) of one pair of species needs, see the module; its fields are also the columns of a table."""

    inner: float
    outer: float
    charge: float
    inverse_length: float
    A: float
    B: float
    C: float


@register
@dataclass(frozen=True)
class ZBL:
    """Half of V(r) to either atom of each pair; see the module for V.

    Attributes:
        radii: Å: (inner, outer) by pair of atomic numbers, the lower one first; every pair of the species is there.
        charge_factors: What the atomic numbers of a pair are multiplied by; 1 for pairs that are not there.

    Raises:
        ConfigurationError: A pair is absent or doubled, its radii are not 0 < inner < outer, or a factor is not positive or
            of no pair with radii.
    """

    radii: Mapping[tuple[int, int], tuple[float, float]]
    charge_factors: Mapping[tuple[int, int], float] = field(default_factory=dict)
    kind: ClassVar[str] = "zbl"
    exact: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.radii:
            raise ConfigurationError(
                "a ZBL repulsion without a pair of species", rule="it has one pair or more", mend="give it radii"
            )
        for pair, (inner, outer) in self.radii.items():
            _require_sensible(pair, inner, outer)
        for pair, factor in self.charge_factors.items():
            _require_sensible_charge(pair, factor, self.radii)
        for pair in combinations_with_replacement(self.species, 2):
            if pair not in self.radii:
                raise ConfigurationError(
                    f"no radii for {_name(pair)}",
                    place="ZBL",
                    rule="every pair of the species has its radii",
                    mend="give the pair radii",
                )

    @property
    def cutoff(self) -> float:
        """Å: the largest outer radius."""
        return max(outer for _, outer in self.radii.values())

    @property
    def interaction_range(self) -> float:
        """Å: as the cutoff."""
        return self.cutoff

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers, ascending."""
        return tuple(sorted({number for pair in self.radii for number in pair}))

    @cached_property
    def pairs(self) -> dict[tuple[int, int], PairConstants]:
        """The constants of each pair of species, the lower one first."""
        return {
            pair: pair_constants(pair, radii, self.charge_factors.get(pair, 1.0)) for pair, radii in self.radii.items()
        }

    def pair_energy(self, distances: Tensor, first: int, second: int) -> Tensor:
        """V in eV of two atoms at `distances` (Å), by their atomic numbers; differentiable."""
        columns = distances.new_tensor(self.pairs[min(first, second), max(first, second)])
        return torch.where(distances < columns[1], energy_below_outer(distances, *columns), torch.zeros_like(distances))

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV."""
        graph = graph.within(self.cutoff)
        distances = graph.vectors().square().sum(-1).sqrt()
        columns = self._columns(graph)
        near = (distances.detach() < columns[:, 1]).nonzero().squeeze(-1)
        pair = energy_below_outer(distances[near], *columns[near].unbind(-1))
        return distances.new_zeros(graph.batch.n_atoms).index_add(0, graph.center[near], 0.5 * pair)

    def to(self, **kwargs: Any) -> Self:
        """The same: the constants take the type and device of the positions."""
        return self

    def to_state(self) -> PartState:
        """As JSON values."""
        rows = [[*pair, *self.radii[pair]] for pair in sorted(self.radii)]
        factors = [[*pair, self.charge_factors[pair]] for pair in sorted(self.charge_factors)]
        return PartState(self.kind, {"pairs_and_radii": rows, "pairs_and_charge_factors": factors}, {})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        rows, factors = state.values["pairs_and_radii"], state.values.get("pairs_and_charge_factors", [])
        return cls(
            {(int(low), int(high)): (float(inner), float(outer)) for low, high, inner, outer in rows},
            {(int(low), int(high)): float(factor) for low, high, factor in factors},
        )

    @cached_property
    def _table(self) -> Tensor:
        """(Z, Z, 7) by both atomic numbers."""
        table = torch.zeros(self.species[-1] + 1, self.species[-1] + 1, len(PairConstants._fields), dtype=torch.float64)
        for (low, high), columns in self.pairs.items():
            table[low, high] = table[high, low] = torch.tensor(columns, dtype=torch.float64)
        return table

    def _columns(self, graph: Graph) -> Tensor:
        """(E, 7): the pair of each edge."""
        numbers = graph.batch.numbers
        return self._table.to(graph.batch.positions)[numbers[graph.center], numbers[graph.neighbor]]


def energy_below_outer(
    r: Tensor, inner: Tensor, outer: Tensor, charge: Tensor, inverse_length: Tensor, *switch: Tensor
) -> Tensor:
    """V(r) in eV below the outer radius."""
    A, B, C = switch
    x = r * inverse_length
    screening = torch.stack([c * torch.exp(-d * x) for c, d in SCREENING]).sum(0)
    beyond = (r - inner).clamp(min=0)
    return charge * screening / r + beyond**3 * (A / 3 + B / 4 * beyond) + C


def pair_constants(pair: tuple[int, int], radii: tuple[float, float], charge_factor: float = 1.0) -> PairConstants:
    """Of a pair of atomic numbers with radii (inner, outer) in Å; charges are atomic numbers times the factor."""
    (inner, outer), (first, second) = radii, (charge_factor * number for number in pair)
    charge = COULOMB_EV_ANGSTROM * first * second
    inverse_length = (first**SCREENING_POWER + second**SCREENING_POWER) / SCREENING_LENGTH
    terms = [(c * exp(-d * inverse_length * outer), d * inverse_length) for c, d in SCREENING]
    s0, s1, s2 = (sum(term * rate**order for term, rate in terms) for order in range(3))
    e0 = charge * s0 / outer
    e1 = -charge * (s1 / outer + s0 / outer**2)
    e2 = charge * (s2 / outer + 2 * s1 / outer**2 + 2 * s0 / outer**3)
    width = outer - inner
    return PairConstants(
        inner,
        outer,
        charge,
        inverse_length,
        A=(-3 * e1 + width * e2) / width**2,
        B=(2 * e1 - width * e2) / width**3,
        C=-e0 + width * e1 / 2 - width**2 * e2 / 12,
    )


def _require_sensible(pair: tuple[int, int], inner: float, outer: float) -> None:
    low, high = pair
    if not 1 <= low <= high < len(chemical_symbols):
        raise ConfigurationError(
            f"the pair {pair}",
            place="ZBL",
            rule="a pair is two atomic numbers, the lower one first",
            mend="give the radii by such pairs",
        )
    if not (0 < inner < outer and isfinite(outer)):
        raise ConfigurationError(
            f"{_name(pair)} has the inner radius {inner} Å and the outer radius {outer} Å",
            place="ZBL",
            rule="0 < inner < outer",
            mend="give other radii",
        )


def _require_sensible_charge(pair: tuple[int, int], factor: float, radii: Mapping[tuple[int, int], object]) -> None:
    if pair not in radii or not 0 < factor < inf:
        raise ConfigurationError(
            f"the pair {pair} with the charge factor {factor}",
            place="ZBL",
            rule="a charge factor is a positive number, of a pair that has radii",
            mend="give the factor by such a pair, or none",
        )


def _name(pair: tuple[int, int]) -> str:
    return "-".join(chemical_symbols[number] for number in pair)
