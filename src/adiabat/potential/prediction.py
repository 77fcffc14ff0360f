"""Prediction: what a potential says of a batch."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    """A field that was not asked for is None.

    Each of energy, energies, forces and stress has three standard deviations of its own shape and unit: by what other data of
    the same sorts would change (``_std_parametric``), by what no coefficients remove, which depends on the environment
    (``_std_misfit``), and both together, the error that a prediction is expected to have (``_std``). Of the last, for energy and
    energies, there is an estimate that costs a simulation little (``_std_estimate``).

    Attributes:
        energy: (S,) eV.
        energies: (N,) eV per atom.
        forces: (N, 3) eV/Å.
        stress: (S, 3, 3) eV/Å³, positive under tension.
        atomic_virials: (N, 3, 3) eV: W_i = Σ_j r_ij ⊗ ∂E_j/∂r_ji with r_ij = r_j - r_i, the one with which Σ W_i·v_i is the
            heat flux of the potential energy (Z. Fan et al., Phys. Rev. B 92, 094301 (2015), equation 27). It is not
            symmetric; its sum over a periodic structure is -V σ.
    """

    energy: Tensor | None = None
    energy_std: Tensor | None = None
    energy_std_parametric: Tensor | None = None
    energy_std_misfit: Tensor | None = None
    energy_std_estimate: Tensor | None = None
    energies: Tensor | None = None
    energies_std: Tensor | None = None
    energies_std_parametric: Tensor | None = None
    energies_std_misfit: Tensor | None = None
    energies_std_estimate: Tensor | None = None
    forces: Tensor | None = None
    forces_std: Tensor | None = None
    forces_std_parametric: Tensor | None = None
    forces_std_misfit: Tensor | None = None
    stress: Tensor | None = None
    stress_std: Tensor | None = None
    stress_std_parametric: Tensor | None = None
    stress_std_misfit: Tensor | None = None
    atomic_virials: Tensor | None = None

    @classmethod
    def of(cls, **found: Tensor | None) -> Self:
        """What was found; the rest was not asked for.

        As the constructor, which sets all nineteen fields one by one, in a fraction of its time: once in each step of a simulation.
        """
        made = object.__new__(cls)
        made.__dict__.update(found)
        return made

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same prediction in another floating-point type or on another device."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return type(self)(
            **{name: None if value is None else value.to(dtype=dtype, device=device) for name, value in values}
        )
