"""Training: from labelled structures to a potential."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import save

from adiabat.basis.specification import BasisSpecification
from adiabat.data import KNOWN_FINDINGS, Finding, check, fingerprint, require_sound
from adiabat.errors import AdiabatError, ConfigurationError
from adiabat.potential import Potential
from adiabat.runs import allowed_threads, one_thread_each, provenance
from adiabat.system import Labelled
from adiabat.training.checkpoint import TrainingCheckpoint
from adiabat.training.coherence import COHERENCE_FINDINGS, check_coherence
from adiabat.training.config import BY_GRADIENTS, Model, TrainConfig
from adiabat.training.config_type_noise import require_several_config_types
from adiabat.training.fitting import Problem, Way
from adiabat.training.gradient.processes import ALONE, Processes
from adiabat.training.levels import by_level
from adiabat.training.linear import fit_linear
from adiabat.training.messages import fit_messages
from adiabat.training.network import fit_network
from adiabat.training.prepare import Preparation, prepare

WAYS: dict[Model, Way] = {"ace": fit_linear, "network": fit_network, "messages": fit_messages}
"""How each model is fitted."""
CANARIES = 3


@one_thread_each()
def train(
    structures: Sequence[Labelled],
    config: TrainConfig | None = None,
    *,
    basis: BasisSpecification | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    log: Path | None = None,
    events: Path | None = None,
    quiet: bool = False,
    processes: Processes = ALONE,
) -> Potential:
    """Fit a potential: isolated atoms and repulsion, and on them what is learned.

    That is a linear atomic cluster expansion, by Bayesian linear regression, or a network, by gradients.

    Args:
        structures: Labelled structures, as `adiabat.read` gives them.
        config: Model, basis, repulsion and how they are fitted; the defaults need no tuning.
        basis: A stored basis to use instead of a preset.
        checkpoint: A folder to save progress in.
        resume: Go on from that folder.
        log: A CSV file with a row for each epoch of a training by gradients.
        events: A folder for an event file of one, which TensorBoard reads.
        quiet: Show no progress.
        processes: That train by gradients together (see `launched_processes`), each with the same data and settings.

    Returns:
        The potential; a linear one with its posterior and the statistics of its training features attached.

    Raises:
        DataError: The data have errors that are not accepted, or nothing to fit.
        ConfigurationError: What is configured does not go with the data, or has no effect.
        CheckpointError: The checkpoint is of another run, damaged, missing or in the way.
        OutputError: The checkpoint or the log cannot be written.
        TrainingError: A training by gradients diverged, ran out of memory, or was stopped.
    """
    config = config or TrainConfig()
    every = list(structures)
    structures, others = by_level(every, config)
    _require_work_for(processes, config)
    if checkpoint is None:
        _require_sound(structures, others, config, quiet=quiet)
        prepared = _prepared(structures, config, basis, quiet=quiet)
        problem = Problem(prepared, config, log=log, events=events, quiet=quiet, processes=processes, others=others)
        return _fitted(every, problem)
    saved = TrainingCheckpoint(checkpoint, _identity(every, config, basis))
    before = saved.start(resume=resume)
    try:
        _require_sound(structures, others, config, quiet=quiet)
        prepared = _prepared(structures, config, basis, quiet=quiet)
    except AdiabatError:
        saved.withdraw()
        raise
    return _fitted(every, Problem(prepared, config, before, saved, log, events, quiet, processes, others))


@one_thread_each()
def fit(
    structures: Sequence[Labelled],
    config: TrainConfig,
    *,
    basis: BasisSpecification | None = None,
    log: Path | None = None,
    quiet: bool = False,
) -> Potential:
    """What `train` does once the data are found sound, for data that were: findings are neither looked for nor accepted.

    Args:
        structures: As `train` takes them.
        config: As `train` takes it.
        basis: A stored basis to use instead of a preset.
        log: As `train` takes it.
        quiet: Show no progress.

    Raises:
        DataError: There is nothing to fit.
        ConfigurationError: What is configured does not go with the data.
    """
    structures = list(structures)
    prepared = _prepared(structures, config, basis, quiet=quiet)
    return _fitted(structures, Problem(prepared, config, log=log, quiet=quiet))


def _require_work_for(processes: Processes, config: TrainConfig) -> None:
    if processes.count > 1 and config.model not in BY_GRADIENTS:
        raise ConfigurationError(
            f"{processes.count} processes with model={config.model}",
            place="training",
            rule=f"several processes train {' and '.join(BY_GRADIENTS)}; a linear fit is one process with several threads",
            mend="start one process, with --threads",
        )


def _require_sound(
    structures: list[Labelled], others: Mapping[str, list[Labelled]], config: TrainConfig, *, quiet: bool
) -> None:
    """Level by level: energies of several levels are far from each other."""
    found: list[Finding] = []
    for of_level in (structures, *others.values()):
        given = config.data.isolated_atoms_ev if of_level is structures else {}
        found += check(of_level, isolated_atoms_ev=given, quiet=quiet).findings
        found += check_coherence(of_level, quiet=quiet)
    require_sound(found, config.accept, known=(*KNOWN_FINDINGS, *COHERENCE_FINDINGS))


def _prepared(
    structures: list[Labelled], config: TrainConfig, basis: BasisSpecification | None, *, quiet: bool
) -> Preparation:
    """What is going to be fitted."""
    prepared = prepare(structures, config, basis=basis, quiet=quiet)
    if config.search.noise_per_config_type:
        require_several_config_types(prepared.fitted)
    return prepared


def _fitted(structures: list[Labelled], problem: Problem) -> Potential:
    prepared, config = problem.prepared, problem.config
    found = WAYS[config.model](problem)
    metadata = {
        "provenance": provenance(),
        "configuration": config.model_dump(mode="json"),
        "data": {"fingerprint": fingerprint(structures), "structures": len(structures), **_levels(problem)},
        "training": {**found.summary, "notes": [*prepared.notes, *found.notes]},
    }
    canaries = tuple(s.atoms for s in _spread(prepared.fitted, CANARIES))
    parts = [*prepared.baseline.parts, *found.parts]
    return Potential(parts, attachments=found.attachments, metadata=metadata, canaries=canaries)


def _levels(problem: Problem) -> dict[str, Any]:
    """Which level of theory the potential is of, and what else was learned from; nothing where there is one level."""
    if not problem.others:
        return {}
    others = {level: len(of_level) for level, of_level in problem.others.items()}
    return {"level": problem.config.data.level, "structures_of_other_levels": others}


def _spread(structures: Sequence[Labelled], count: int) -> list[Labelled]:
    """A few small structures: the smallest of each of the first kinds."""
    smallest: dict[str, Labelled] = {}
    for structure in structures:
        present = smallest.get(structure.config_type)
        if present is None or len(structure.atoms) < len(present.atoms):
            smallest[structure.config_type] = structure
    return [smallest[kind] for kind in sorted(smallest)[:count]]


def _identity(structures: list[Labelled], config: TrainConfig, basis: BasisSpecification | None) -> dict[str, Any]:
    return {
        "data": fingerprint(structures),
        "configuration": config.model_dump(mode="json"),
        "basis": None if basis is None else _basis_fingerprint(basis),
        "adiabat": version("adiabat"),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "threads": allowed_threads(),
    }


def _basis_fingerprint(basis: BasisSpecification) -> str:
    """SHA-256 of all that the basis is."""
    values, tensors = basis.to_state()
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode() + save(contiguous)).hexdigest()
