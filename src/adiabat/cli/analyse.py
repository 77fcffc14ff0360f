"""``adiabat analyse``: observables of a trajectory, each with its error bar."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from adiabat.cli.app import EXIT_MISTAKE, Debug, Threads, app
from adiabat.cli.files import require_outputs
from adiabat.data.frames import iterate_frames
from adiabat.errors import ConfigurationError
from adiabat.potential import load_potential
from adiabat.properties.observables import (
    ANALYSES,
    AnalyseConfig,
    Ensemble,
    FramesConfig,
    Trajectory,
    analyse,
    pooled,
    require_known,
)
from adiabat.runs import provenance
from adiabat.simulate.folder import RunFolder


@app.command("analyse")
def analyse_command(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="The folder of a run, or a file of frames that ASE reads.", show_default=False
        ),
    ],
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAMES", help="What is asked for: " + ", ".join(ANALYSES) + ".", show_default=False),
    ],
    *,
    potential: Annotated[
        Path | None,
        typer.Option(
            "--potential",
            help="That the run was made with: for viscosity and thermal-conductivity, and for the potential's error of an rdf (nvt).",
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the numbers as JSON.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write them as a page with plots (HTML).")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="skip_ps=5, rdf.cutoff_angstrom=8, and the like.")
    ] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Observables of a trajectory, each with its error bar: structure, diffusion, spectra, thermodynamics, transport.

    A run that was cut short is read up to the cut. What a thermostat has destroyed is refused: diffusion and spectra are read
    off nve. Frames of a file need their spacing in time (--set interval_fs=2) and, for what depends on it, how they were made
    (--set ensemble.kind=nve). Replicas of a run are pooled: means over them. What is refused is said, and the rest is given; the exit
    status is then 2.

    Example: adiabat analyse run rdf msd --set skip_ps=1 --json results.json --report report.html
    """
    config = AnalyseConfig.load(None, settings or ())
    require_known(names)
    require_outputs({"--json": json, "--report": report}, inputs=_inputs(run) | {"--potential": potential})
    loaded = None if potential is None else load_potential(potential)
    parts = _replicas(run)
    each = {
        part.name: analyse(read_trajectory(part, config), names, config, potential=loaded) for part in parts or [run]
    }
    analysis = pooled(each) if parts else each[run.name]
    for sentence in analysis.sentences():
        Console().print(Text(sentence))
    if json is not None:
        analysis.save(json)
    if report is not None:
        from adiabat.report import write_html

        details = {"trajectory": str(run), "written": str(provenance()["created"])}
        write_html(analysis.page(title=f"{', '.join(names)} of {run.name}", details=details), report)
    for refusal in analysis.refused.values():
        print(f"error: {refusal}", file=sys.stderr)
    if analysis.refused:
        raise typer.Exit(EXIT_MISTAKE)


def _replicas(run: Path) -> list[Path]:
    """The folders of the replicas of a run; none where it has one trajectory."""
    if not run.is_dir() or RunFolder(run).trajectory.exists():
        return []
    return sorted(part for part in run.glob("replica-*") if RunFolder(part).trajectory.exists())


def read_trajectory(run: Path, config: FramesConfig) -> Trajectory:
    """Of a run's folder, or of a file of frames.

    Raises:
        ConfigurationError: A setting that has no effect on a run.
        DataError: There is no trajectory.
    """
    if run.is_dir():
        given = [name for name in ("interval_fs", "wrapped", "ensemble") if name in config.model_fields_set]
        if given:
            raise ConfigurationError(
                f"{', '.join(given)} would have no effect",
                place="--set",
                rule="the folder of a run says how it was made",
                mend="leave it out",
            )
        return Trajectory.read(run).since(config.skip_ps)
    frames = (atoms for _, atoms in iterate_frames(run, ":"))
    ensemble = Ensemble(**{name: value for name, value in config.ensemble.model_dump().items() if value is not None})
    trajectory = Trajectory.from_atoms(
        frames, place=str(run), interval_fs=config.interval_fs, ensemble=ensemble, wrapped=config.wrapped
    )
    return trajectory.since(config.skip_ps)


def _inputs(run: Path) -> dict[str, Path | None]:
    files = RunFolder(run).files if run.is_dir() else (run,)
    return {f"RUN ({file.name})": file for file in files}
