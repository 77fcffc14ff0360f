"""The heat capacity, from fluctuations of the energy in a canonical ensemble."""

from dataclasses import dataclass

from adiabat.errors import PropertyUnavailable
from adiabat.properties.observables.fluctuations import covariance, scaled
from adiabat.properties.observables.observable import Observable, with_error
from adiabat.properties.observables.thermodynamics import degrees_of_freedom
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import Figure
from adiabat.units import BOLTZMANN_EV_PER_K

J_PER_MOL_K_PER_BOLTZMANN = 8.31446261815324


@dataclass(frozen=True)
class HeatCapacity(Observable):
    """At constant volume, of classical nuclei.

    Attributes:
        temperature_k: Of the thermostat.
        heat_capacity_kb_per_atom: In Boltzmann constants.
        heat_capacity_kb_per_atom_std: Its standard error; None where the run is too short to tell.
        heat_capacity_j_per_mol_k: Per mole of atoms.
        heat_capacity_j_per_mol_k_std: Its standard error.
        kinetic_kb_per_atom: The share of the kinetic energy, which is known: half a Boltzmann constant for each degree of freedom.
    """

    temperature_k: float
    heat_capacity_kb_per_atom: float
    heat_capacity_kb_per_atom_std: float | None
    heat_capacity_j_per_mol_k: float
    heat_capacity_j_per_mol_k_std: float | None
    kinetic_kb_per_atom: float

    def figures(self) -> tuple[Figure, ...]:
        """None: it is one number."""
        return ()

    def sentences(self) -> tuple[str, ...]:
        """The number in both units."""
        atomic = with_error(self.heat_capacity_kb_per_atom, self.heat_capacity_kb_per_atom_std, "k_B/atom")
        molar = with_error(self.heat_capacity_j_per_mol_k, self.heat_capacity_j_per_mol_k_std, "J/(mol K)")
        return (f"Heat capacity at constant volume (classical nuclei): {atomic}, {molar}.",)


def heat_capacity(trajectory: Trajectory) -> HeatCapacity:
    """C_V = f k_B / 2 + ⟨δU²⟩ / (k_B T²).

    In the canonical ensemble velocities know nothing of positions: the kinetic share is known, and only the fluctuations of the
    potential energy are measured (M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, 2nd ed., section 2.5).

    Args:
        trajectory: Of an nvt run at one temperature.

    Raises:
        PropertyUnavailable: Another ensemble, in which these fluctuations mean something else, or no log.
    """
    what = "the heat capacity"
    temperature_k = trajectory.ensemble.require_canonical(what)
    energies = trajectory.logged("potential_energy_ev", what)
    freedom = degrees_of_freedom(trajectory, what)
    if freedom is None:
        raise PropertyUnavailable(
            f"{what}: the structure drifts as a whole",
            place=trajectory.place,
            rule="its degrees of freedom are counted from the log",
            mend="start from velocities without net momentum",
        )
    value, error = covariance(energies, energies)
    scale = 1 / ((BOLTZMANN_EV_PER_K * temperature_k) ** 2 * trajectory.n_atoms)
    kinetic = 0.5 * freedom / trajectory.n_atoms
    found, found_std = kinetic + scale * value, scaled(error, scale)
    molar = J_PER_MOL_K_PER_BOLTZMANN
    return HeatCapacity(temperature_k, found, found_std, molar * found, scaled(found_std, molar), kinetic)
