"""The report of a run: what it learned, where labels were spent, what failed, what it cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ase import Atoms

from adiabat.learning.config import LearnConfig
from adiabat.learning.descriptor_map import map_structures
from adiabat.learning.estimate import CostEstimate
from adiabat.learning.figures import errors_foreseen, learning_curve, unsure_frames, where_labels_went
from adiabat.learning.foreseen import Foreseen
from adiabat.learning.learn import FORESEEN, LearnFolder, Why
from adiabat.learning.ledger import Entry, read_ledger
from adiabat.learning.progress import Progress, read_json, read_progress
from adiabat.learning.store import LabelStore
from adiabat.learning.tables import cost_table, foreseen_table, generation_table, kind_table, reason_table
from adiabat.learning.validated import read_verdicts
from adiabat.potential import Potential, load_potential
from adiabat.results import Figure, Page, StructureView, Table
from adiabat.simulate import read_trajectory
from adiabat.system import Labelled

T = TypeVar("T")
MOST_EXPLORED, MOST_TRAJECTORIES = 400, 40
"""Frames of simulations on the map, and simulations that they are of, spread over all."""
MOST_VIEWED, MOST_FAILED = 10, 3
"""Structures to look at: the least foreseen ones, and some without a label."""
ENDS: dict[Why, str] = {
    "sure": "the potential is sure of what its simulations meet",
    "budget": "the budget is spent",
    "nothing new": "there was nothing new to ask for",
}


def learning_page(folder: Path) -> Page:
    """The report of the run in a folder, ended or under way.

    Args:
        folder: Of the run; no other process writes there.
    """
    files = LearnFolder(folder)
    progress, entries = read_progress(folder), read_ledger(files.store)
    estimate = CostEstimate.load(files.estimate) if files.estimate.exists() else None
    config = LearnConfig.restore(read_json(files.identity)["configuration"])
    store = LabelStore(files.store)
    labelled, foreseen = store.labelled(), foreseen_of(files, progress)
    return Page(
        title=f"Learning {folder.name}",
        summary=_sentences(progress, estimate),
        tables=(*_tables(progress, entries, foreseen, estimate), *_checks(files)),
        figures=(
            *run_figures(progress, config),
            *_map(files, progress, labelled),
            *([errors_foreseen(foreseen)] if any(one.structures for one in foreseen) else []),
        ),
        structures=_views(labelled, foreseen, entries),
        details=_details(files, store, config),
    )


def run_figures(progress: Progress, config: LearnConfig) -> tuple[Figure, ...]:
    """How it learns; nothing before the first generation is done."""
    if not progress.generations:
        return ()
    return learning_curve(progress.generations), unsure_frames(progress.generations, flagged=config.flagged)


def foreseen_of(files: LearnFolder, progress: Progress) -> list[Foreseen]:
    """Of each generation that is done."""
    return [Foreseen.load(files.generation(number) / FORESEEN) for number in range(len(progress.generations))]


def _sentences(progress: Progress, estimate: CostEstimate | None) -> tuple[str, ...]:
    how = f"Ended: {ENDS[progress.why]}." if progress.why is not None else "Under way."
    asked = f"{progress.labels} labels of {progress.requests} requests; {progress.failed} failed, {progress.rejected} were held back."
    found = [how, asked]
    judged = [one for one in progress.generations if one.new_force_rmse_ev_per_angstrom is not None]
    if judged:
        last = judged[-1]
        found.append(
            f"On the last {last.new_labels} new labels, before it had seen them, force components were wrong by "
            f"{last.new_force_rmse_ev_per_angstrom:.3g} eV/Å (root mean square); it had said {last.new_force_std_ev_per_angstrom:.3g}."
        )
    if estimate is not None and progress.generations:
        found.append(_saved(progress, estimate))
    return tuple(found)


def _saved(progress: Progress, estimate: CostEstimate) -> str:
    explored = estimate.steps * len(progress.generations) / estimate.generations
    alone = explored * estimate.trial_seconds / estimate.workers
    return (
        f"It explored about {explored:,.0f} steps in {progress.seconds:,.0f} s; by the oracle alone they would have taken "
        f"{alone:,.0f} s, {alone / progress.seconds:.2g} times as long."
    )


def _tables(
    progress: Progress, entries: Sequence[Entry], foreseen: Sequence[Foreseen], estimate: CostEstimate | None
) -> tuple[Table, ...]:
    found = [generation_table(progress.generations), foreseen_table(foreseen), kind_table(entries)]
    found += [reason_table(entries), cost_table(progress, estimate)]
    return tuple(table for table in found if table.rows)


def _checks(files: LearnFolder) -> tuple[Table, ...]:
    """Of the validation, where there was one."""
    words = {True: "passed", False: "FAILED", None: "not made"}
    rows = tuple((one.name, words[one.passed], one.reason) for one in read_verdicts(files.validation))
    return (Table("checks", "Validation of the last potential", ("check", "verdict", "reason"), rows),) if rows else ()


def _map(files: LearnFolder, progress: Progress, labelled: Sequence[Labelled]) -> tuple[Figure, ...]:
    potential = _latest(files, progress)
    shown = [one for one in labelled if not one.is_isolated_atom]
    if potential is None:
        return ()
    found = map_structures([one.atoms for one in shown], _explored(files), potential)
    if found is None:
        return ()
    return (where_labels_went(found, [one.config_type for one in shown], [one.place for one in shown]),)


def _latest(files: LearnFolder, progress: Progress) -> Potential | None:
    generations = (
        files.generation(number) / "potential.adiabat" for number in range(len(progress.generations), -1, -1)
    )
    there = [file for file in (files.potential, *generations) if file.exists()]
    return load_potential(there[0]) if there else None


def _explored(files: LearnFolder) -> list[Atoms]:
    trajectories = _spread(sorted(files.path.glob("generation_*/**/trajectory.h5")), MOST_TRAJECTORIES)
    frames = _spread([frame for file in trajectories for frame in read_trajectory(file)], MOST_EXPLORED)
    return [Atoms(one.numbers, positions=one.positions, cell=one.cell, pbc=one.pbc) for one in frames]


def _spread(all_of_them: Sequence[T], most: int) -> list[T]:
    """Some, spread over all."""
    kept = np.unique(np.linspace(0, len(all_of_them) - 1, min(len(all_of_them), most)).round().astype(int))
    return [all_of_them[index] for index in kept]


def _views(
    labelled: Sequence[Labelled], foreseen: Sequence[Foreseen], entries: Sequence[Entry]
) -> tuple[StructureView, ...]:
    atoms = {one.place: one.atoms for one in labelled}
    all_of_them = [one for each in foreseen for one in each.structures]
    worst = sorted(all_of_them, key=lambda one: -one.errors_of_atoms.max())[:MOST_VIEWED]
    views = [
        StructureView(
            name=f"foreseen-{rank}",
            title=f"{one.place}: force wrong by {one.errors_of_atoms.max():.3g} eV/Å",
            atoms=atoms[one.place],
            values=one.errors_of_atoms,
            value_label="force error, before it was seen (eV/Å)",
        )
        for rank, one in enumerate(worst)
    ]
    without = [entry for entry in entries if entry.state in {"failed", "rejected"}][:MOST_FAILED]
    views += [
        StructureView(f"without-{one.number}", f"request {one.number}, no label: {one.reason}", one.atoms)
        for one in without
    ]
    return tuple(views) or tuple(StructureView("first", one.place, one.atoms) for one in labelled[:1])


def _details(files: LearnFolder, store: LabelStore, config: LearnConfig) -> dict[str, str]:
    code = store.code
    run: dict[str, Any] = read_json(files.identity)
    changed = config.model_dump(mode="json", exclude_defaults=True)
    return {
        "oracle": run["oracle"]["name"],
        "code": "" if code is None else f"{code.code} {code.version}",
        "settings of the code": "" if code is None else _listed(code.settings),
        "settings of the run": _listed(changed) or "the defaults",
        "folder": str(files.path),
    }


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
