"""Training: from labelled structures to a potential."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import save

from adiabat.basis.specification import BasisSpecification
from adiabat.data import KNOWN_FINDINGS, check, fingerprint, require_sound
from adiabat.errors import AdiabatError
from adiabat.potential import Potential
from adiabat.runs import allowed_threads, one_thread_each, provenance
from adiabat.system import Labelled
from adiabat.training.accumulate import accumulate
from adiabat.training.attachments import what_is_known
from adiabat.training.checkpoint import TrainingCheckpoint
from adiabat.training.coherence import COHERENCE_FINDINGS, check_coherence
from adiabat.training.config import TrainConfig
from adiabat.training.config_type_noise import (
    levels_by_config_type,
    require_several_config_types,
    search_by_config_type,
)
from adiabat.training.hyperparameters import Candidate, Hyperparameters, search
from adiabat.training.mending import without_holes
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation, prepare
from adiabat.training.prior import packing_prior

CANARIES = 3


@one_thread_each()
def train(
    structures: Sequence[Labelled],
    config: TrainConfig | None = None,
    *,
    basis: BasisSpecification | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    quiet: bool = False,
) -> Potential:
    """Fit a potential: a linear atomic cluster expansion on isolated atoms and repulsion, by Bayesian linear regression.

    Args:
        structures: Labelled structures, as `adiabat.read` gives them.
        config: Basis, repulsion, search; the defaults need no tuning.
        basis: A stored basis to use instead of a preset.
        checkpoint: A folder to save progress in.
        resume: Go on from that folder.
        quiet: Show no progress.

    Returns:
        The potential, with its posterior and the statistics of its training features attached.

    Raises:
        DataError: The data have errors that are not accepted, or nothing to fit.
        ConfigurationError: What is configured does not go with the data, or has no effect.
        CheckpointError: The checkpoint is of another run, damaged, missing or in the way.
        OutputError: The checkpoint cannot be written.
    """
    config = config or TrainConfig()
    structures = list(structures)
    if checkpoint is None:
        _require_sound(structures, config, quiet=quiet)
        return fit(structures, config, basis=basis, quiet=quiet)
    saved = TrainingCheckpoint(checkpoint, _identity(structures, config, basis))
    before = saved.start(resume=resume)
    try:
        _require_sound(structures, config, quiet=quiet)
        prepared = _prepared(structures, config, basis, quiet=quiet)
    except AdiabatError:
        saved.withdraw()
        raise
    return _fitted(structures, config, prepared, before, saved, quiet=quiet)


@one_thread_each()
def fit(
    structures: Sequence[Labelled], config: TrainConfig, *, basis: BasisSpecification | None = None, quiet: bool = False
) -> Potential:
    """What `train` does once the data are found sound, for data that were: findings are neither looked for nor accepted.

    Args:
        structures: As `train` takes them.
        config: As `train` takes it.
        basis: A stored basis to use instead of a preset.
        quiet: Show no progress.

    Raises:
        DataError: There is nothing to fit.
        ConfigurationError: What is configured does not go with the data.
    """
    structures = list(structures)
    prepared = _prepared(structures, config, basis, quiet=quiet)
    return _fitted(structures, config, prepared, None, None, quiet=quiet)


def _require_sound(structures: list[Labelled], config: TrainConfig, *, quiet: bool) -> None:
    findings = check(structures, isolated_atoms_ev=config.data.isolated_atoms_ev, quiet=quiet).findings
    findings = (*findings, *check_coherence(structures, quiet=quiet))
    require_sound(findings, config.accept, known=(*KNOWN_FINDINGS, *COHERENCE_FINDINGS))


def _prepared(
    structures: list[Labelled], config: TrainConfig, basis: BasisSpecification | None, *, quiet: bool
) -> Preparation:
    """What is going to be fitted."""
    prepared = prepare(structures, config, basis=basis, quiet=quiet)
    if config.search.noise_per_config_type:
        require_several_config_types(prepared.fitted)
    return prepared


def _fitted(
    structures: list[Labelled],
    config: TrainConfig,
    prepared: Preparation,
    before: NormalEquations | None,
    saved: TrainingCheckpoint | None,
    *,
    quiet: bool,
) -> Potential:
    equations, examples = accumulate(prepared, config.search, before=before, saved=saved, quiet=quiet)
    prior = packing_prior(prepared.model, prepared.packings, quiet=quiet)
    if config.search.noise_per_config_type:
        best, note = search_by_config_type(equations, examples, prior, quiet=quiet)
        prepared = replace(prepared, notes=(*prepared.notes, note))
    else:
        best = search(equations, examples, prior, quiet=quiet)
    if config.repulsion.enabled:
        best, said = without_holes(prepared, equations, examples, prior, best, quiet=quiet)
        prepared = replace(prepared, notes=(*prepared.notes, *said))
    attachments, said = what_is_known(prepared, equations, best, config.calibration, quiet=quiet)
    prepared = replace(prepared, notes=(*prepared.notes, *said))
    metadata = {
        "provenance": provenance(),
        "configuration": config.model_dump(mode="json"),
        "data": {"fingerprint": fingerprint(structures), "structures": len(structures)},
        "training": _summary(prepared, equations, best),
    }
    parts = [*prepared.baseline.parts, prepared.fitted_model(best.solution.mean)]
    canaries = tuple(s.atoms for s in _spread(prepared.fitted, CANARIES))
    return Potential(parts, attachments=attachments, metadata=metadata, canaries=canaries)


def _summary(prepared: Preparation, equations: NormalEquations, best: Candidate) -> dict[str, Any]:
    """What `adiabat info` says of the training."""
    kinds = list(best.left_out.residuals)
    return {
        "functions": prepared.model.basis.n_functions,
        "coefficients": equations.columns,
        "rows": {kind: equations.kinds[kind].count for kind in equations.present},
        **_levels(best.parameters),
        "prior_strength": best.parameters.strength,
        "left_out_mae": {kind: best.left_out.mean_absolute(kind) for kind in kinds},
        "left_out_rmse": {kind: best.left_out.root_mean_square(kind) for kind in kinds},
        "units": {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"},
        "notes": list(prepared.notes),
    }


def _levels(parameters: Hyperparameters) -> dict[str, Any]:
    """Noise by kind of label, and by config_type where the fit was made with that."""
    levels: dict[str, Any] = {"noise": {kind: float(value) for kind, value in parameters.noise.items()}}
    if parameters.factors:
        levels["noise_by_config_type"] = levels_by_config_type(parameters)
    return levels


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
