"""Thermal expansion, bulk modulus and heat capacity, from fluctuations at constant pressure."""

from dataclasses import dataclass

from adiabat.errors import PropertyUnavailable
from adiabat.properties.observables.fluctuations import covariance, scaled
from adiabat.properties.observables.observable import Observable, with_error
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import Figure
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM


@dataclass(frozen=True)
class ThermalExpansion(Observable):
    """At constant pressure.

    Attributes:
        temperature_k: Of the thermostat.
        pressure_gpa: Of the barostat.
        volume_expansion_per_k: (1/V) ∂V/∂T.
        volume_expansion_per_k_std: Its standard error; None where the run is too short to tell.
        linear_expansion_per_k: A third of it, the mean over directions.
        linear_expansion_per_k_std: Its standard error.
        bulk_modulus_gpa: Isothermal: k_B T ⟨V⟩ / ⟨δV²⟩.
        bulk_modulus_gpa_std: Its standard error.
        heat_capacity_kb_per_atom: At constant pressure, of classical nuclei.
        heat_capacity_kb_per_atom_std: Its standard error.
    """

    temperature_k: float
    pressure_gpa: float
    volume_expansion_per_k: float
    volume_expansion_per_k_std: float | None
    linear_expansion_per_k: float
    linear_expansion_per_k_std: float | None
    bulk_modulus_gpa: float
    bulk_modulus_gpa_std: float | None
    heat_capacity_kb_per_atom: float
    heat_capacity_kb_per_atom_std: float | None

    def figures(self) -> tuple[Figure, ...]:
        """None: they are single numbers."""
        return ()

    def sentences(self) -> tuple[str, ...]:
        """Each number with its standard error."""
        linear = with_error(1e6 * self.linear_expansion_per_k, scaled(self.linear_expansion_per_k_std, 1e6), "10⁻⁶/K")
        modulus = with_error(self.bulk_modulus_gpa, self.bulk_modulus_gpa_std, "GPa")
        heat = with_error(self.heat_capacity_kb_per_atom, self.heat_capacity_kb_per_atom_std, "k_B/atom")
        return (
            f"Linear thermal expansion: {linear}.",
            f"Isothermal bulk modulus: {modulus}; heat capacity at constant pressure (classical nuclei): {heat}.",
        )


def thermal_expansion(trajectory: Trajectory) -> ThermalExpansion:
    """α = ⟨δV δ(U + PV)⟩ / (k_B T² ⟨V⟩), and with it what else volume and enthalpy say by their fluctuations.

    (M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, 2nd ed., section 2.5; the kinetic energy is independent of
    the volume, and left out where it only adds noise.)

    Args:
        trajectory: Of an npt run at one temperature and pressure.

    Raises:
        PropertyUnavailable: Another ensemble, or energies were not kept.
    """
    what = "thermal expansion"
    temperature_k = trajectory.ensemble.require_canonical(what, ("npt",))
    pressure_gpa, energies, volumes = trajectory.ensemble.pressure_gpa, trajectory.energies_ev, trajectory.volumes
    if pressure_gpa is None or energies is None:
        raise PropertyUnavailable(
            f"{what}: the pressure was not constant, or frames have no energies",
            place=trajectory.place,
            rule="fluctuations are those of one pressure, of volume and energy",
            mend="run npt at one pressure",
        )
    enthalpies = energies + pressure_gpa / GPA_PER_EV_PER_CUBIC_ANGSTROM * volumes
    thermal, mean = BOLTZMANN_EV_PER_K * temperature_k, float(volumes.mean())
    mixed, mixed_std = covariance(volumes, enthalpies)
    spread, spread_std = covariance(volumes, volumes)
    heat, heat_std = covariance(enthalpies, enthalpies)
    per_kelvin = 1 / (thermal * temperature_k * mean)
    alpha, alpha_std = per_kelvin * mixed, scaled(mixed_std, per_kelvin)
    modulus = thermal * mean / spread * GPA_PER_EV_PER_CUBIC_ANGSTROM
    per_atom = 1 / (thermal**2 * trajectory.n_atoms)
    kinetic = 1.5 - (0.0 if trajectory.ensemble.thermostat == "langevin" else 1.5 / trajectory.n_atoms)
    return ThermalExpansion(
        temperature_k=temperature_k,
        pressure_gpa=pressure_gpa,
        volume_expansion_per_k=alpha,
        volume_expansion_per_k_std=alpha_std,
        linear_expansion_per_k=alpha / 3,
        linear_expansion_per_k_std=scaled(alpha_std, 1 / 3),
        bulk_modulus_gpa=modulus,
        bulk_modulus_gpa_std=scaled(spread_std, modulus / spread),
        heat_capacity_kb_per_atom=kinetic + per_atom * heat,
        heat_capacity_kb_per_atom_std=scaled(heat_std, per_atom),
    )
