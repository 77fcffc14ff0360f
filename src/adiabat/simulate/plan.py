"""Plan: what was asked for, with what had to be found out first."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Self

from adiabat.errors import ConfigurationError
from adiabat.evaluation.distance import extrapolation_of
from adiabat.potential import Potential
from adiabat.potential.file import fingerprint
from adiabat.runs import provenance
from adiabat.simulate.awareness import MEV_PER_EV, Awareness, Estimates, Grades, Measure
from adiabat.simulate.compressibility import compressibility_per_gpa
from adiabat.simulate.config import DEFAULT_FRICTION_PER_FS, DEFAULT_UNCERTAIN_EVERY, SimulationConfig
from adiabat.simulate.ensembles import make_integrator
from adiabat.simulate.folder import RunFolder
from adiabat.simulate.follower import Follower
from adiabat.simulate.integrator import Evaluator, Integrator
from adiabat.simulate.pressure import require_volume
from adiabat.simulate.stability import analyse_stability
from adiabat.simulate.start import Start, velocity_source
from adiabat.simulate.state import State
from adiabat.simulate.watch import Watch


@dataclass(frozen=True)
class Plan:
    """What was asked for.

    Attributes:
        start: The structures.
        potential: What moves them.
        config: How.
        notes: What was found out, in words.
        oracle: What corrects the potential; None where nobody does.

    Raises:
        ConfigurationError: An oracle that nobody asks, or none where one is asked.
    """

    start: Start
    potential: Potential
    config: SimulationConfig
    notes: tuple[str, ...] = field(default=())
    oracle: Evaluator | None = None

    def __post_init__(self) -> None:
        if (self.config.on_uncertain == "correct") != (self.oracle is not None):
            raise ConfigurationError(
                "no oracle was given" if self.oracle is None else "an oracle was given that nobody would ask",
                place="on_uncertain",
                rule="on_uncertain=correct goes with an oracle, and an oracle with that",
                mend="give both (--on-uncertain correct --oracle better.adiabat), or neither",
            )

    def completed(self, *, resumed: bool = False) -> Self:
        """With what the configuration leaves to be found out by the start structure, and a time step that was looked at.

        Args:
            resumed: Only what is not known; the step was looked at when the run began.

        Raises:
            ConfigurationError: It cannot be found out, or the time step is not sound.
            StructureError: A barostat for a structure without a volume.
        """
        if self.config.ensemble == "npt":
            for atoms, place in zip(self.start.structures, self.start.places, strict=True):
                require_volume(atoms.pbc.tolist(), atoms.get_volume() if atoms.cell.rank == 3 else 0.0, place=place)
        plan = self if resumed and self.config.timestep_fs != "auto" else self._with_timestep()
        config = plan.config
        if config.ensemble != "npt" or config.thermostat_kind == "nhc" or config.compressibility_per_gpa is not None:
            return plan
        found = compressibility_per_gpa(plan.start.structures[0], plan.potential)
        note = f"compressibility of the start structure: {found:.3g} per GPa"
        return replace(plan, config=config.completed(compressibility_per_gpa=found), notes=(*plan.notes, note))

    def _with_timestep(self) -> Self:
        asked = None if isinstance(self.config.timestep_fs, str) else self.config.timestep_fs
        try:
            frequency = self.start.stiffest_frequency(self.potential)
        except ConfigurationError:
            if asked is None:
                raise
            return self  # atoms that nothing holds allow any step
        friction = (
            (self.config.friction_per_fs or DEFAULT_FRICTION_PER_FS)
            if self.config.thermostat_kind == "langevin"
            else 0.0
        )
        found = analyse_stability(frequency, timestep_fs=asked, friction_per_fs=friction)
        found.require_sound()
        if asked is not None:
            return self if found.warning is None else replace(self, notes=(*self.notes, found.warning))
        note = f"time step: {found.timestep_fs:g} fs, the period of the stiffest vibration is {found.period_fs:.3g} fs"
        return replace(self, config=self.config.completed(timestep_fs=found.timestep_fs), notes=(*self.notes, note))

    @property
    def velocities(self) -> str:
        """Where they come from, in words; raises ConfigurationError where there are none."""
        return velocity_source(self.start.structures[0], self.config)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes this run this run."""
        whose = {
            "potential": fingerprint(self.potential),
            "precision": str(self.potential.dtype).removeprefix("torch."),
            "start structure": self.start.fingerprint,
        }
        if self.oracle is not None:
            named = fingerprint(self.oracle) if isinstance(self.oracle, Potential) else type(self.oracle).__qualname__
            whose["oracle"] = named
        return whose | self.config.identity()

    @property
    def integrator(self) -> Integrator:
        """What samples the ensemble."""
        return make_integrator(self.config)

    @property
    def watch(self) -> Watch:
        """What ends the run."""
        if self.config.ensemble == "nve":
            return Watch(None)
        hottest = [max(course.start, course.end) for course in self.config.temperatures]
        return Watch(tuple(hottest * (len(self.start.structures) // len(hottest))))

    @property
    def awareness(self) -> Awareness | None:
        """What looks where the run is, and how sure; None where nobody is asked to; raises PropertyUnavailable."""
        config, measures = self.config, list[Measure]()
        if config.on_uncertain is not None and (config.error_above_mev is None or extrapolation_of(self.potential)):
            every = config.uncertain_every or DEFAULT_UNCERTAIN_EVERY
            measures.append(Grades.of(self.potential, every=every, above=config.uncertain_above or 1.0))
        if config.error_every is not None:
            above_ev = None if config.error_above_mev is None else config.error_above_mev / MEV_PER_EV
            measures.append(Estimates.of(self.potential, every=config.error_every, above_ev=above_ev))
        return Awareness(tuple(measures), config.on_uncertain) if measures else None

    def first_state(self) -> tuple[State, Follower]:
        """The state before the first step, and what evaluates it."""
        follower = Follower(self.potential)
        return self.start.state(follower, self.integrator, self.config), follower

    def parts(self, files: RunFolder) -> list[RunFolder]:
        """A folder for each structure: the run's own where there is one."""
        count = len(self.start.structures)
        if count == 1:
            return [files]
        kind = "replica" if self.config.n_replicas > 1 else "structure"
        return [files.part(f"{kind}-{system:0{len(str(count - 1))}d}") for system in range(count)]

    def describe(self) -> str:
        """For run.json."""
        values = {
            "configuration": self.config.model_dump(),
            "start": self.start.places[0] if len(set(self.start.places)) == 1 else list(self.start.places),
            "velocities": self.velocities,
            "found": list(self.notes),
            "identity": self.identity,
            "provenance": provenance(),
        }
        return json.dumps(values, indent=1) + "\n"
