"""When a simulation has gone wrong."""

import math
from dataclasses import dataclass

from ase.data import chemical_symbols

from adiabat.errors import SimulationError
from adiabat.simulate.follower import GONE_WRONG
from adiabat.simulate.observe import Observation
from adiabat.simulate.state import State

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

    Attributes:
        start_ev: Conserved energy at step 0.
        thermostat_k: The thermostat's temperature; None in NVE.
    """

    start_ev: float
    thermostat_k: float | None

    def check_energy(self, seen: Observation, *, atoms: int) -> None:
        """Rules 3 and 4; raises SimulationError."""
        if self.thermostat_k is None:
            error = abs(seen.conserved_energy_ev - self.start_ev) / atoms
            allowed = max(ENERGY_ERROR_EV_PER_ATOM, 0.5 * seen.kinetic_energy_ev / atoms)
            if error > allowed:
                raise SimulationError(
                    f"the total energy has changed by {error:.3g} eV/atom",
                    rule=f"NVE conserves it to {ENERGY_ERROR_EV_PER_ATOM} eV/atom or half the kinetic energy, whichever is larger",
                    mend=GONE_WRONG,
                )
        elif seen.temperature_k > HOTTEST * self.thermostat_k + HOTTEST_EXTRA_K:
            raise SimulationError(
                f"the temperature is {seen.temperature_k:.0f} K, the thermostat's {self.thermostat_k:g} K",
                rule=f"at most {HOTTEST:g} times the thermostat's temperature plus {HOTTEST_EXTRA_K:g} K",
                mend=GONE_WRONG,
            )


def require_finite(state: State) -> None:
    """Rule 2; raises SimulationError."""
    if math.isfinite(float(state.energy.sum() + state.forces.sum())):
        return
    wrong = (~state.forces.isfinite()).any(-1).nonzero()
    if len(wrong):
        atom = int(wrong[0])
        symbol = chemical_symbols[int(state.batch.numbers[atom])]
        what = f"atom {atom} ({symbol}) has the force {state.forces[atom].tolist()} eV/Å"
    else:
        what = f"the energy is {state.energy.tolist()} eV"
    raise SimulationError(what, rule="energy and forces are finite", mend=GONE_WRONG)
