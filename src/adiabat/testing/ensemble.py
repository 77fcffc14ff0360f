"""Whether an integrator samples its ensemble: averages and variances of a crystal in closed form."""

from math import sqrt

import torch
from torch import Tensor

from adiabat.simulate import Integrator, State, Streams, maxwell_boltzmann
from adiabat.testing.breathing import VOLUME_PER_ATOM, BreathingCrystals
from adiabat.testing.violation import ContractViolation
from adiabat.units import BOLTZMANN_EV_PER_K

MASS = 12.0
STANDARD_ERRORS = 4.0
"""What a mean may be off by; seeds are fixed, so a sound integrator never fails by chance after it has passed once."""
SYSTEMS, ATOMS = 60, 8
SETTLING, SAMPLES = 50, 150
SHORT_PHASE = 0.2
"""ω times the time step, up to which an estimate of the kinetic energy that is the mean of two instants is distributed as one."""


def conserves_momentum(integrator: Integrator) -> bool:
    """Whether the motion of the centre of mass is none of its thermal degrees of freedom."""
    crystals = BreathingCrystals(free=True)
    state = thermal_state(integrator, crystals, (2,), temperature_k=300.0)
    return int(integrator.degrees_of_freedom(state)) == 3


def check_ensemble(
    integrator: Integrator,
    temperature_k: float,
    *,
    pressure_gpa: float | None = None,
    flexible: bool = False,
    settling: int = SETTLING,
    samples: int = SAMPLES,
    systems: int = SYSTEMS,
) -> None:
    """Of crystals of 8 atoms, which start as the ensemble has them: means and variances over the steps that follow.

    Displacements and kinetic energies: means and squares. At constant pressure, volumes likewise; with a flexible cell shapes, too.

    Args:
        integrator: With short time constants, so that it has its way within `settling` steps.
        temperature_k: The temperature that it keeps.
        pressure_gpa: The pressure; None at constant volume.
        flexible: Whether shapes change.
        settling: Steps before the first sample.
        samples: Steps with a sample each.
        systems: How many crystals.

    Raises:
        ContractViolation: With the mean, its standard error and what it should be.
    """
    crystals = BreathingCrystals(free=conserves_momentum(integrator))
    state = thermal_state(
        integrator,
        crystals,
        (ATOMS,) * systems,
        temperature_k=temperature_k,
        pressure_gpa=pressure_gpa,
        flexible=flexible,
    )
    for _ in range(settling):
        state = integrator.step(state, crystals)
    seen = []
    for _ in range(samples):
        state = integrator.step(state, crystals)
        seen.append(_measured(integrator, state, crystals, temperature_k, pressure_gpa))
    expected = _expected(integrator, state, crystals, temperature_k, pressure_gpa)
    if integrator.timestep_fs * crystals.frequency(MASS) > SHORT_PHASE:
        expected.pop("variance of the kinetic energy")
    if not flexible:
        expected.pop("<tr (dev H)²>", None)
    for name, value in expected.items():
        require_mean(torch.stack([one[name] for one in seen]).mean(0), value, what=name)


def thermal_state(
    integrator: Integrator,
    crystals: BreathingCrystals,
    counts: tuple[int, ...],
    *,
    temperature_k: float,
    pressure_gpa: float | None = None,
    flexible: bool = False,
    seed: int = 7,
) -> State:
    """Crystals as they are at a temperature and, where one is given, at a pressure; flexible ones not in shape."""
    batch, thermal = crystals.batch(counts), BOLTZMANN_EV_PER_K * temperature_k
    streams = Streams.of(batch, seed)
    if pressure_gpa is not None:
        normal = torch.from_numpy(streams.normal_per_system(1, "barostat", step=10**6)[:, 0])
        volumes = torch.tensor([crystals.volume_mean(count, pressure_gpa) for count in counts])
        widths = torch.tensor([crystals.volume_variance(count, temperature_k) for count in counts]).sqrt()
        stretch = ((volumes + widths * normal) / batch.volume) ** (1 / 3)
        matrices = stretch[:, None, None] * torch.eye(3, dtype=torch.float64)
        if flexible:
            matrices = matrices @ torch.linalg.matrix_exp(_drawn_shapes(crystals, streams, counts, thermal))
        positions = torch.einsum("na,nab->nb", batch.positions, matrices[batch.system])
        batch = batch.replace(positions=positions, cell=batch.cell @ matrices)
    drawn = sqrt(thermal / crystals.spring) * torch.from_numpy(streams.normal(batch.start, "velocities", step=10**6))
    if crystals.free:
        drawn = drawn - (batch.sum_over_atoms(drawn) / batch.counts[:, None])[batch.system]
    batch = batch.replace(positions=batch.positions + drawn)
    masses = torch.full_like(batch.positions[:, 0], MASS)
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=temperature_k, at_rest=crystals.free)
    return integrator.init(batch, crystals, velocities=velocities, masses=masses, streams=streams)


def _drawn_shapes(crystals: BreathingCrystals, streams: Streams, counts: tuple[int, ...], thermal_ev: float) -> Tensor:
    """(S, 3, 3) dev H, five normal numbers each."""
    normal = torch.from_numpy(streams.normal_per_system(9, "rescaling", step=10**6)).reshape(-1, 3, 3)
    symmetric = 0.5 * (normal + normal.transpose(1, 2))
    unit = torch.eye(3, dtype=torch.float64)
    traceless = symmetric - symmetric.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * unit
    widths = torch.tensor([sqrt(thermal_ev / (2 * crystals.shear * VOLUME_PER_ATOM * count)) for count in counts])
    return widths.double()[:, None, None] * traceless


def require_mean(values: Tensor, expected: float, *, what: str) -> None:
    """The mean of independent values, within its standard errors; raises ContractViolation."""
    mean, error = float(values.mean()), float(values.std()) / sqrt(len(values))
    if not abs(mean - expected) <= STANDARD_ERRORS * error:
        raise ContractViolation(
            what,
            value=f"{mean:.6g} ± {error:.1g} instead of {expected:.6g}",
            rule=f"a mean is right to {STANDARD_ERRORS:g} standard errors",
        )


def _measured(
    integrator: Integrator, state: State, crystals: BreathingCrystals, temperature_k: float, pressure_gpa: float | None
) -> dict[str, Tensor]:
    batch, thermal = state.batch, BOLTZMANN_EV_PER_K * temperature_k
    kinetic, degrees = integrator.kinetic_energy_ev(state), float(integrator.degrees_of_freedom(state)[0])
    found = {
        "<u²>": batch.sum_over_atoms(crystals.displacements(batch).square().sum(-1)),
        "kinetic energy": kinetic,
        "variance of the kinetic energy": (kinetic - 0.5 * degrees * thermal).square(),
        "temperature": integrator.measured_temperature_k(state),
    }
    if pressure_gpa is not None:
        away = batch.volume - crystals.volume_mean(ATOMS, pressure_gpa)
        found |= {
            "volume": batch.volume,
            "variance of the volume": away.square(),
            "<tr (dev H)²>": crystals.shapes(batch).square().sum((1, 2)),
        }
    return found


def _expected(
    integrator: Integrator, state: State, crystals: BreathingCrystals, temperature_k: float, pressure_gpa: float | None
) -> dict[str, float]:
    degrees, thermal = float(integrator.degrees_of_freedom(state)[0]), BOLTZMANN_EV_PER_K * temperature_k
    found = {
        "<u²>": degrees * thermal / crystals.spring,
        "kinetic energy": 0.5 * degrees * thermal,
        "variance of the kinetic energy": 0.5 * degrees * thermal**2,
        "temperature": temperature_k,
    }
    if pressure_gpa is not None:
        found |= {
            "volume": crystals.volume_mean(ATOMS, pressure_gpa),
            "variance of the volume": crystals.volume_variance(ATOMS, temperature_k),
            "<tr (dev H)²>": crystals.shape_square(ATOMS, temperature_k),
        }
    return found
