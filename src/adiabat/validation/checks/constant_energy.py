"""Constant energy: no drift, and an error that falls with the square of the time step."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms

from adiabat.results import Figure, Line
from adiabat.simulate import VelocityVerlet
from adiabat.simulate.drift import slope
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.dynamics import Motion, langevin, steps_of, timestep_fs
from adiabat.validation.levels import critical

ORDER_FS = 200.0
"""How long trajectories of two time steps are compared: they have hardly parted by then."""
LEAST_ORDER, LARGEST_ORDER = math.log2(3.6), math.log2(4.4)
"""Of a symplectic integrator it is 2; steps of use are long enough for the next order to show."""
ENLARGEMENT = 1e3


class ConstantEnergyCheck:
    """NVE by velocity Verlet, from a state of equilibrium."""

    name: ClassVar[str] = "constant energy"

    def evaluations(self, case: Case) -> int:
        """The way to equilibrium, the long run and the two short ones."""
        long = steps_of(case.config.settle_ps, case) + steps_of(case.config.nve_ps, case)
        return long + 3 * _short_steps(case)

    def run(self, case: Case) -> Sequence[CheckResult]:
        """The order in the time step, then the drift."""
        settling = Motion.begun(
            case, langevin(case, case.temperature_k), replicas=1, temperature_k=2 * case.temperature_k, seed=1
        )
        settling.advance(steps_of(case.config.settle_ps, case))
        start = _at_rest(settling.structures()[0])
        return [_order(case, start), _drift(case, start)]


def _order(case: Case, start: Atoms) -> CheckResult:
    step_fs, steps = timestep_fs(case), _short_steps(case)
    whole = _errors(case, start, step_fs, steps, every=1)
    half = _errors(case, start, step_fs / 2, 2 * steps, every=2)
    ratio = float(np.sqrt((whole**2).mean() / (half**2).mean()))
    order = math.log2(ratio)
    times = np.linspace(step_fs, steps * step_fs, steps)
    scale = ENLARGEMENT / len(start)
    figure = Figure(
        name="validate-order",
        title="Energy error of two time steps",
        x_label="time (fs)",
        y_label="energy error (meV/atom)",
        marks=(
            Line(times, scale * whole, f"{step_fs:g} fs"),
            Line(times, 4 * scale * half, f"{step_fs / 2:g} fs, four times its error", dashed=True),
        ),
    )
    passed = LEAST_ORDER <= order <= LARGEST_ORDER
    reason = (
        f"the energy error falls by {ratio:.3g} when the step of {step_fs:g} fs is halved, as h to the {order:.3g}; "
        f"{2**LEAST_ORDER:.1f} to {2**LARGEST_ORDER:.1f} is right."
    )
    if not passed:
        reason += " Forces are not the gradient of the energy, something jumps, or the step is far too long."
    return CheckResult("nve: order of the energy error", passed, order, 2.0, "", reason, (figure,))


def _drift(case: Case, start: Atoms) -> CheckResult:
    step_fs, steps = timestep_fs(case), steps_of(case.config.nve_ps, case)
    errors = ENLARGEMENT / len(start) * _errors(case, start, step_fs, steps, every=1)
    times_ps = np.linspace(step_fs, steps * step_fs, steps) / 1000
    found = slope(times_ps, errors)
    limit = case.config.limits.drift_mev_per_atom_per_ps
    name, unit = "nve: drift of the energy", "meV/atom/ps"
    value, error = found or (0.0, None)
    if error is None:
        why = "not made: too short for an error bar; ask for a longer nve_ps"
        return CheckResult(name, None, None, limit, unit, why)
    chance = critical(case) * error
    figure = Figure(
        name="validate-nve",
        title="Energy in nve",
        x_label="time (ps)",
        y_label="energy error (meV/atom)",
        marks=(Line(times_ps, errors, f"{step_fs:g} fs"),),
    )
    reason = (
        f"{value:.2g} ± {error:.1g} {unit} over {times_ps[-1]:.3g} ps; it may be {limit:g}, and by chance {chance:.1g} more: "
        f"{limit + 2 * chance:.2g} would be seen."
    )
    return CheckResult(name, abs(value) <= limit + chance, abs(value), limit, unit, reason, (figure,))


def _short_steps(case: Case) -> int:
    return max(20, round(ORDER_FS / timestep_fs(case)))


def _errors(case: Case, start: Atoms, step_fs: float, steps: int, *, every: int) -> FloatArray:
    """eV: what the energy has changed by after each so many steps."""
    motion = Motion.from_atoms(case, VelocityVerlet(step_fs), [start])
    first = float(motion.integrator.conserved_energy_ev(motion.state)[0])
    states = motion.every(every, steps // every)
    return np.array([float(motion.integrator.conserved_energy_ev(state)[0]) - first for state in states])


def _at_rest(atoms: Atoms) -> Atoms:
    """Without the motion of the whole."""
    momentum = atoms.get_momenta().sum(axis=0)
    atoms.set_velocities(atoms.get_velocities() - momentum / atoms.get_masses().sum())
    return atoms
