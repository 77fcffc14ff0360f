"""What a run did, in tables."""

from collections.abc import Sequence

import numpy as np

from adiabat.learning.estimate import CostEstimate
from adiabat.learning.foreseen import Foreseen
from adiabat.learning.learn import Generation
from adiabat.learning.ledger import Entry
from adiabat.learning.progress import Progress
from adiabat.results import Table
from adiabat.runs import duration

SHOWN = 50
"""Failures and rejections."""


def generation_table(generations: Sequence[Generation]) -> Table:
    """The generations, one by one."""
    return Table(
        name="generations",
        title="Generations",
        columns=(
            "generation",
            "labels",
            "unsure frames (%)",
            "broken off",
            "new labels",
            "error on them (eV/Å)",
            "error bars they had (eV/Å)",
            "error left out (eV/Å)",
        ),
        rows=tuple(
            (
                number,
                one.labels,
                100 * one.fraction_flagged,
                one.broken_off,
                one.new_labels,
                one.new_force_rmse_ev_per_angstrom,
                one.new_force_std_ev_per_angstrom,
                one.left_out_force_rmse_ev_per_angstrom,
            )
            for number, one in enumerate(generations)
        ),
    )


def foreseen_table(foreseen: Sequence[Foreseen]) -> Table:
    """Error bars against errors, on labels that the potential had not seen."""
    return Table(
        name="foreseen",
        title="Validation on labels before they were seen",
        columns=(
            "generation",
            "structures",
            "force error (eV/Å)",
            "said (eV/Å)",
            "within one (%)",
            "within two (%)",
            "energy error (meV/atom)",
            "said (meV/atom)",
        ),
        rows=tuple(_foreseen_row(number, one) for number, one in enumerate(foreseen) if one.structures),
    )


def _foreseen_row(number: int, one: Foreseen) -> tuple[int | float | None, ...]:
    errors = np.abs(np.concatenate([np.ravel(each.force_errors) for each in one.structures]))
    stds = np.concatenate([np.ravel(each.force_stds) for each in one.structures])
    energies = np.array([each.energy_error_ev_per_atom for each in one.structures])
    said = np.array([each.energy_std_ev_per_atom for each in one.structures])
    return (
        number,
        len(one.structures),
        one.force_rmse_ev_per_angstrom,
        one.force_std_ev_per_angstrom,
        100 * float((errors <= stds).mean()),
        100 * float((errors <= 2 * stds).mean()),
        1000 * float(np.sqrt(np.square(energies).mean())),
        1000 * float(np.sqrt(np.square(said).mean())),
    )


def kind_table(entries: Sequence[Entry]) -> Table:
    """On which kinds of structure requests were spent."""
    rows = []
    for kind in dict.fromkeys(entry.config_type for entry in entries):
        own = [entry for entry in entries if entry.config_type == kind]
        count = [sum(entry.state == state for entry in own) for state in ("done", "failed", "rejected")]
        rows.append((kind, len(own), *count, sum(entry.seconds or 0.0 for entry in own)))
    return Table(
        name="kinds",
        title="Where the labels were spent",
        columns=("kind", "requests", "labels", "failed", "held back", "oracle (s)"),
        rows=tuple(rows),
    )


def reason_table(entries: Sequence[Entry]) -> Table:
    """What has no label, and why."""
    without = [entry for entry in entries if entry.state in {"failed", "rejected"}]
    words = {"failed": "failed", "rejected": "held back"}
    more = f", the first {SHOWN} of {len(without)}" if len(without) > SHOWN else ""
    return Table(
        name="reasons",
        title=f"Failed and held back{more}",
        columns=("request", "kind", "what", "reason"),
        rows=tuple((str(one.number), one.config_type, words[one.state], one.reason or "") for one in without[:SHOWN]),
    )


def cost_table(progress: Progress, estimate: CostEstimate | None) -> Table:
    """What it cost, beside what it was going to cost."""

    def row(name: str, spent: float, expected: float | None) -> tuple[str, str, str]:
        return name, duration(spent), "" if expected is None else duration(expected)

    e, p = estimate, progress
    return Table(
        name="cost",
        title="Cost",
        columns=("what", "spent", "estimated, for the whole budget"),
        rows=(
            ("requests of the oracle", f"{p.requests:,}", "" if e is None else f"{e.requests:,}"),
            row("oracle, all processes together", p.oracle_seconds, None if e is None else e.oracle_seconds),
            row("labelling, by the clock", p.labelling_seconds, None),
            row(
                "training, and validation in the end",
                p.training_seconds + p.validating_seconds,
                None if e is None else e.generations * e.seconds_per_training + e.seconds_at_end,
            ),
            row("exploring", p.exploring_seconds, None if e is None else e.generations * e.seconds_per_exploration),
            row("all, by the clock", p.seconds, None if e is None else e.seconds),
            *(() if e is None else (("as many steps by the oracle alone", "", duration(e.seconds_without_learning)),)),
        ),
    )
