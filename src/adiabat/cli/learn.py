"""``adiabat learn``: a potential from a structure and an oracle."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.cli.options import grouped
from adiabat.cli.oracle_options import OracleOptions
from adiabat.data import read

if TYPE_CHECKING:
    from adiabat.learning import LearnSummary, Observer

REPORT = "report.html"


@dataclass(frozen=True)
class LiveOptions:
    """How it is looked on."""

    serve: Annotated[bool, typer.Option("--serve", help="Show how it goes on a page in a browser on this machine.")] = (
        False
    )
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the page; 0 for a free one.")] = 8765


@dataclass(frozen=True)
class LearnOptions:
    """What is learned, and for how much."""

    temperature_k: Annotated[
        str | None, typer.Option("--temperature-k", help="Of the explorers: 300:1500 (the default), or one for all.")
    ] = None
    pressure_gpa: Annotated[
        str | None,
        typer.Option("--pressure-gpa", help="Of the explorers: 0:10; left out, they are at constant volumes."),
    ] = None
    budget: Annotated[int | None, typer.Option("--budget", help="Labels, at the most (200).")] = None
    config_file: Annotated[Path | None, typer.Option("--config", help="A configuration (YAML).")] = None
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="explore.steps=5000, acquisition=force_std, train.basis.size=medium ..."),
    ] = None

    @property
    def assignments(self) -> list[str]:
        """As `--set` has them; those come last, and win."""
        given = {"temperature_k": _range(self.temperature_k), "pressure_gpa": _range(self.pressure_gpa)}
        found = [f"{name}={value}" for name, value in given.items() if value is not None]
        found += [] if self.budget is None else [f"budget={self.budget}"]
        return [*found, *(self.settings or ())]


def _range(said: str | None) -> str | None:
    """[from, to], of from:to or of one for all."""
    if said is None:
        return None
    start, _, end = said.partition(":")
    return f"[{start}, {end or start}]"


@app.command("learn")
@grouped(oracle=OracleOptions, what=LearnOptions, live=LiveOptions)
def learn_command(
    start_file: Annotated[
        Path,
        typer.Argument(
            metavar="START", help="A structure or several, in any format that ASE reads.", show_default=False
        ),
    ],
    *,
    oracle: OracleOptions,
    what: LearnOptions,
    live: LiveOptions,
    out: Annotated[Path, typer.Option("--out", help="The folder of the run.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Learn a potential from a structure: explore until unsure, ask the oracle, train, and go on.

    Structures around the start are labelled first. Then each generation simulates by the potential so far, at several
    temperatures and volumes or pressures, and asks for labels of frames that the potential is unsure of, chosen so that they say most. It
    ends when the potential is sure of what it meets (exit status 0) or the budget is spent (exit status 1). Stopped or killed,
    it goes on with --resume, and no label is asked for twice. What it will cost is said before it begins; report.html in the
    run's folder is written anew after each generation, and --serve shows a page that follows the run.

    Example: adiabat learn start.xyz --oracle tblite --out run --budget 60 --temperature-k 300:1000
    """
    from adiabat.learning import LearnConfig, learn

    require_outputs({}, inputs={"START": start_file, "--config": what.config_file})
    config = LearnConfig.load(what.config_file, what.assignments)
    starts = [one.atoms for one in read(start_file, labels_required=False)]
    console = Console()
    with _followed(out, live, console) as observer:
        summary = learn(
            starts,
            oracle.chosen,
            config,
            folder=out,
            workers=oracle.how,
            resume=resume,
            observer=observer,
            quiet=True,
        )
    _print_summary(console, summary, out)
    if summary.why != "sure":
        raise typer.Exit(EXIT_FOUND)


def _print_summary(console: Console, summary: "LearnSummary", folder: Path) -> None:
    from adiabat.learning import ENDS, read_verdicts

    for number, one in enumerate(summary.generations):
        seen = ""
        if one.new_force_rmse_ev_per_angstrom is not None:
            seen = (
                f"; on {one.new_labels} new labels errors of {one.new_force_rmse_ev_per_angstrom:.3f} eV/Å, "
                f"said to be {one.new_force_std_ev_per_angstrom:.3f}"
            )
        console.print(
            f"generation {number}: {one.labels} labels, forces left out {one.left_out_force_rmse_ev_per_angstrom:.3f} eV/Å, "
            f"{one.fraction_flagged:.0%} of the frames unsure, {one.broken_off} simulations broken off{seen}",
            soft_wrap=True,
        )
    console.print(
        f"{ENDS[summary.why]}: {summary.labels} labels of {summary.requests} requests, {summary.oracle_seconds:.0f} s of "
        f"the oracle; {folder / 'potential.adiabat'}, {folder / REPORT}",
        soft_wrap=True,
    )
    verdicts = read_verdicts(folder / "validation.json")
    made = [one for one in verdicts if one.passed is not None]
    if made:
        console.print(
            f"validation: {sum(one.passed is True for one in made)} of {len(made)} checks passed", soft_wrap=True
        )
    for one in made:
        if not one.passed:
            console.print(Text(f"failed: {one.name}: {one.reason}"), soft_wrap=True)


@contextmanager
def _followed(folder: Path, live: LiveOptions, console: Console) -> Iterator["Observer"]:
    """What is shown while a run goes on, and its reports."""
    from adiabat.learning import CostEstimate, LiveProgress, Observer, learning_page, live_page
    from adiabat.report import PageServer, write_html

    class Reporter(Observer):
        def estimated(self, estimate: CostEstimate) -> None:
            for sentence in estimate.sentences():
                shown.say(sentence)

        def turned(self, folder: Path) -> None:
            write_html(learning_page(folder), folder / REPORT)

    with ExitStack() as stack:
        if live.serve:
            server = stack.enter_context(
                PageServer(lambda: live_page(folder), port=live.port, files={REPORT: folder / REPORT})
            )
            console.print(f"how it goes: {server.url}", soft_wrap=True)
        shown = stack.enter_context(LiveProgress(folder))
        yield Reporter()
