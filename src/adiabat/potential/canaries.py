"""Canaries: structures with their energies, forces and stresses, by which a file shows that it computes what it computed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from ase import Atoms
from ase.data import covalent_radii
from torch import Tensor

from adiabat.errors import PotentialFileError
from adiabat.neighbors import neighbor_graph
from adiabat.potential.deviations import is_estimate
from adiabat.potential.scales import energy_scales, force_scales, stress_scales
from adiabat.system import Batch
from adiabat.typing import Quantity

if TYPE_CHECKING:
    from adiabat.potential.potential import Potential

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
"""By type, on the scales of `potential.scales`."""
DEVIATIONS: tuple[Quantity, ...] = ("energy_std", "energies_std", "energies_std_estimate", "forces_std", "stress_std")
CONSTANT = 1e-6
"""Relative: standard deviations that differ by less are one number."""
DEVIATION_TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-2}
"""By type, relative to the largest. A posterior has stiff and soft directions: other libraries of linear algebra round them by
more than they round energies."""
ESTIMATE_TOLERANCE = 1e-2
"""Relative to the largest: estimates are computed in single precision."""


@dataclass(frozen=True)
class Canary:
    """A structure and what a potential says of it.

    Attributes:
        atoms: The structure.
        energy: (1,) eV.
        forces: (n, 3) eV/Å.
        stress: (1, 3, 3) eV/Å³; None where it is not defined.
        deviations: By name, standard deviations of energy, energies, forces and stress; empty where the potential has none.
    """

    atoms: Atoms
    energy: Tensor
    forces: Tensor
    stress: Tensor | None
    deviations: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, potential: "Potential", atoms: Atoms) -> "Canary":
        """What `potential` says of `atoms`.

        Raises:
            AdiabatError: The potential cannot evaluate the structure.
        """
        want: tuple[Quantity, ...] = ("energy", "forces")
        if atoms.pbc.all():
            want = (*want, "stress")
        known: list[Quantity] = [name for name in DEVIATIONS if name in potential.known_deviations]
        deviations: list[Quantity] = [name for name in known if name != "stress_std" or atoms.pbc.all()]
        want = (*want, *deviations)
        found = potential(atoms, want=want)
        assert found.energy is not None
        assert found.forces is not None
        return cls(atoms, found.energy, found.forces, found.stress, {name: getattr(found, name) for name in deviations})

    @property
    def finite(self) -> bool:
        """Whether every value is a number."""
        values = [self.energy, self.forces, *([] if self.stress is None else [self.stress]), *self.deviations.values()]
        return all(bool(torch.isfinite(value).all()) for value in values)


def default_structures(species: Sequence[int]) -> list[Atoms]:
    """Structures for a potential that came with none: two rattled, strained cells that hold each species."""
    return [_packing(species, stretch, seed) for seed, stretch in enumerate((1.0, 1.15))]


def require_same(potential: "Potential", canary: Canary, *, name: str, place: str) -> None:
    """Refuse a potential (on the processor) that does not compute what the canary says.

    Raises:
        PotentialFileError: Naming the canary, the quantity and the difference.
    """
    batch = Batch.from_atoms(canary.atoms, dtype=potential.dtype)
    found = Canary.of(potential, canary.atoms)
    checks = [
        (
            "energy",
            canary.energy,
            found.energy,
            energy_scales(potential.parts, neighbor_graph(batch, potential.cutoff)),
        ),
        ("forces", canary.forces, found.forces, force_scales(canary.forces, batch)),
    ]
    if canary.stress is not None and found.stress is not None:
        checks.append(("stress", canary.stress, found.stress, stress_scales(canary.stress)))
    for quantity, stored, value, scale in checks:
        difference = float((value.double() - stored).abs().max())
        allowed = TOLERANCE[potential.dtype] * float(scale)
        if not difference <= allowed:
            raise PotentialFileError(
                f"{name} ({canary.atoms.get_chemical_formula()}): the {quantity} differs by {difference:.1e}",
                place=place,
                rule=f"a loaded potential gives what was stored; allowed here is {allowed:.1e}",
                mend="use the adiabat that wrote the file, or report this with both versions",
            )
    _require_same_deviations(canary, found, DEVIATION_TOLERANCE[potential.dtype], name=name, place=place)


def require_telling(canaries: Sequence[Canary], *, place: str) -> None:
    """Refuse standard deviations that are nothing, or the same wherever one looks.

    Raises:
        PotentialFileError: Naming the quantity.
    """
    for name in DEVIATIONS:
        values = [canary.deviations[name].flatten() for canary in canaries if name in canary.deviations]
        if not values:
            continue
        together = torch.cat(values).double()
        if not bool((together > 0).all()):
            raise _mute(
                f"{name} is {float(together.min()):g} somewhere in the canaries",
                "a standard deviation is positive",
                place,
            )
    energies = [c.deviations["energies_std"].double() for c in canaries if "energies_std" in c.deviations]
    if len(energies) > 1:
        together = torch.cat(energies)
        if float(together.max() - together.min()) <= CONSTANT * float(together.max()):
            raise _mute(
                f"the standard deviation of every atom's energy is {float(together[0]):g} eV in {len(energies)} canaries",
                "what is not known depends on the environment",
                place,
            )


def _mute(what: str, rule: str, place: str) -> PotentialFileError:
    return PotentialFileError(what, place=place, rule=rule, mend="train the potential again, or give other canaries")


def _require_same_deviations(stored: Canary, found: Canary, tolerance: float, *, name: str, place: str) -> None:
    if stored.deviations.keys() != found.deviations.keys():
        raise PotentialFileError(
            f"{name} holds {sorted(stored.deviations) or 'no standard deviations'}, the potential gives "
            f"{sorted(found.deviations) or 'none'}",
            place=place,
            rule="a loaded potential knows how sure it is as it was stored",
            mend="use the adiabat that wrote the file",
        )
    for quantity, value in stored.deviations.items():
        difference = float((found.deviations[quantity].double() - value).abs().max())
        allowed = (max(tolerance, ESTIMATE_TOLERANCE) if is_estimate(quantity) else tolerance) * float(value.max())
        if not difference <= allowed:
            raise PotentialFileError(
                f"{name} ({stored.atoms.get_chemical_formula()}): {quantity} differs by {difference:.1e}",
                place=place,
                rule=f"a loaded potential is as sure as when it was stored; allowed here is {allowed:.1e}",
                mend="use the adiabat that wrote the file, or report this with both versions",
            )


def _packing(species: Sequence[int], stretch: float, seed: int) -> Atoms:
    rng = np.random.default_rng(seed)
    side = 2
    while side**3 < len(species):
        side += 1
    numbers = np.resize(species, side**3)
    spacing = stretch * 2 * max(covalent_radii[number] for number in species)
    sites = np.stack(np.meshgrid(*3 * [np.arange(side)], indexing="ij"), -1).reshape(-1, 3)
    positions = spacing * (sites + rng.uniform(-0.08, 0.08, sites.shape))
    strain = np.eye(3) + rng.uniform(-0.05, 0.05, (3, 3))
    return Atoms(numbers, positions=positions @ strain, cell=side * spacing * strain, pbc=True)
