"""When a simulation has gone wrong."""

import math
from dataclasses import dataclass

from torch import Tensor

from adiabat.errors import SimulationError
from adiabat.kernels.cells import thicknesses
from adiabat.simulate.follower import GONE_WRONG, name_of_atom
from adiabat.simulate.observe import Observation
from adiabat.simulate.state import State
from adiabat.system import Batch

ENERGY_ERROR_EV_PER_ATOM = 0.1
"""Above what any time step of use does (a few meV/atom), and reached long before a structure has flown apart."""
HOTTEST = 20.0
"""Times the thermostat's temperature; a single atom exceeds it once in 10¹² looks."""
HOTTEST_EXTRA_K = 5000.0
"""What a start far from equilibrium may release on its way to the thermostat's temperature: 0.6 eV/atom."""


@dataclass(frozen=True)
class Watch:
    """The rules that end a run.

    1. No atom moves by more than 0.5 Å in one step (`follower.LARGEST_STEP`).
    2. Energy and forces are finite (`require_finite`).
    3. NVE: the total energy changes from its start by no more than 0.1 eV/atom or half the kinetic energy, whichever is larger.
    4. NVT: the temperature is at most 20 times the thermostat's plus 5000 K.

    5. NPT: a cell keeps its handedness, and stays thicker than twice the skin of the neighbour list.

    Attributes:
        thermostat_k: Of each structure, the thermostat's highest temperature; None in NVE.
    """

    thermostat_k: tuple[float, ...] | None

    def check_energy(self, seen: Observation, *, system: int, start_ev: float, atoms: int) -> None:
        """Rules 3 and 4 for one structure of the batch, of so many atoms; raises SimulationError."""
        if self.thermostat_k is None:
            error = abs(seen.conserved_energy_ev - start_ev) / atoms
            allowed = max(ENERGY_ERROR_EV_PER_ATOM, 0.5 * seen.kinetic_energy_ev / atoms)
            if error > allowed:
                raise SimulationError(
                    f"the total energy has changed by {error:.3g} eV/atom",
                    rule=f"NVE conserves it to {ENERGY_ERROR_EV_PER_ATOM} eV/atom or half the kinetic energy, whichever is larger",
                    mend=GONE_WRONG,
                )
        elif seen.temperature_k > HOTTEST * self.thermostat_k[system] + HOTTEST_EXTRA_K:
            raise SimulationError(
                f"the temperature is {seen.temperature_k:.0f} K, the thermostat's {self.thermostat_k[system]:g} K",
                rule=f"at most {HOTTEST:g} times the thermostat's temperature plus {HOTTEST_EXTRA_K:g} K",
                mend=GONE_WRONG,
            )


def require_cells(before: State, after: State, *, skin: float) -> None:
    """Rule 5, where the cell has changed; raises SimulationError."""
    if after.batch.cell is before.batch.cell:
        return
    thickness = thicknesses(after.batch.cell.numpy(), before.batch.cell.numpy())
    if (thickness >= 2 * skin).all():
        return
    system = int((~(thickness >= 2 * skin)).argmax())
    if thickness[system] < 0:
        what = f"the cell of structure {system} has turned inside out"
    else:
        what = f"the cell of structure {system} is {thickness[system]:.3g} Å thick"
    raise SimulationError(
        what,
        rule=f"a cell stays thicker than {2 * skin:g} Å, twice the skin of the neighbour list",
        mend="see whether the pressure, its sign and the potential are right, or take a larger structure",
    )


def require_finite(state: State) -> None:
    """Rule 2; raises SimulationError."""
    require_finite_values(state.batch, state.energy, state.forces)


def require_finite_values(batch: Batch, energy: Tensor, forces: Tensor) -> None:
    """Rule 2, of energies (S,) and forces (N, 3); raises SimulationError."""
    if math.isfinite(energy.numpy().sum() + forces.numpy().sum()):
        return
    wrong = (~forces.isfinite()).any(-1).nonzero()
    if len(wrong):
        atom = int(wrong[0])
        what = f"{name_of_atom(batch, atom)} has the force {forces[atom].tolist()} eV/Å"
    else:
        what = f"the energy is {energy.tolist()} eV"
    raise SimulationError(what, rule="energy and forces are finite", mend=GONE_WRONG)
