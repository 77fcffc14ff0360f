"""``adiabat md``: molecular dynamics."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.files import require_kept
from adiabat.cli.options import grouped
from adiabat.errors import ConfigurationError
from adiabat.potential import load_potential
from adiabat.simulate import SimulationConfig, read_starts, simulate_batch
from adiabat.simulate.folder import RunFolder


@dataclass(frozen=True)
class Dynamics:
    """What is simulated, and how."""

    ensemble: Annotated[str, typer.Option(help="nve, nvt or npt.", show_default=False)]
    timestep_fs: Annotated[
        str, typer.Option(help="Time step, or auto: by the stiffest vibration of START.", show_default=False)
    ]
    steps: Annotated[int, typer.Option(help="In all, those before a --resume included.", show_default=False)]
    temperature_k: Annotated[
        str | None,
        typer.Option(
            help="nvt, npt: of the thermostat; 300:1500 is a ramp over the run, 300,600 one for each replica. "
            "nve: of the first velocities; without it, those of START are used."
        ),
    ] = None
    pressure_gpa: Annotated[str | None, typer.Option(help="npt: of the barostat; ramps and replicas likewise.")] = None
    thermostat: Annotated[
        str | None,
        typer.Option(
            help="langevin (the default in nvt), csvr (velocity rescaling; the default in npt) or nhc (Nosé-Hoover chains). "
            "In npt the barostat goes with it: cell rescaling, with nhc Martyna's, Tobias's and Klein's."
        ),
    ] = None
    friction_per_fs: Annotated[float | None, typer.Option(help="Of langevin (default: 0.01).")] = None
    thermostat_time_fs: Annotated[float | None, typer.Option(help="Of csvr and nhc (default: 100).")] = None
    barostat_time_fs: Annotated[float | None, typer.Option(help="npt (default: 1000).")] = None
    cell: Annotated[str | None, typer.Option(help="npt: isotropic (the default) or flexible.")] = None
    replicas: Annotated[
        int | None, typer.Option(help="How many are simulated at once, each in a folder of its own.")
    ] = None
    on_uncertain: Annotated[
        str | None,
        typer.Option(
            help="Far from the training: warn (and dump the structure), stop, shrink the time step, or correct by --oracle. "
            "Without it nobody looks."
        ),
    ] = None
    error_every: Annotated[
        int | None,
        typer.Option(help="Steps between estimates of the energies' standard deviations, for log and frames."),
    ] = None
    error_above_mev: Annotated[
        float | None, typer.Option(help="That of an atom's energy above which --on-uncertain acts as well.")
    ] = None
    seed: Annotated[int | None, typer.Option(help="Of all random numbers (default: 0).")] = None


@app.command("md")
@grouped(dynamics=Dynamics)
def md_command(
    potential: Annotated[Path, typer.Argument(metavar="POTENTIAL", help="A potential file.", show_default=False)],
    start: Annotated[
        Path,
        typer.Argument(metavar="START", help="The start structure, in any format that ASE reads.", show_default=False),
    ],
    *,
    dynamics: Dynamics,
    out: Annotated[Path, typer.Option(help="The folder of the run; it is made.", show_default=False)],
    oracle: Annotated[
        Path | None,
        typer.Option(help="For --on-uncertain correct: the potential file that is asked where this one is not sure."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
    wall_time_s: Annotated[float | None, typer.Option(help="Stop after so many seconds, with a checkpoint.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="output.trajectory_every=100, and the like.")
    ] = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Molecular dynamics: a trajectory, a log, and checkpoints from which a killed run goes on to the same bits.

    The folder gets trajectory.h5 (H5MD; in Python adiabat.simulate.read_trajectory gives ASE structures), thermo.csv,
    checkpoint.safetensors, last_frame.xyz (with velocities), run.json and summary.json. Several replicas get folders of their own
    in it. Ctrl-C stops after the present step with a checkpoint (exit status 1); a run that goes wrong stops with its last good
    frame saved (2). Of a START with several structures name one: start.xyz@0 is the first, start.xyz@-1 the last; or simulate
    them all at once: start.xyz@: .

    Example: adiabat md si.adiabat start.xyz --ensemble nvt --temperature-k 300 --timestep-fs 1 --steps 2000 --out run
    """
    config = configuration(dynamics, settings or ())
    start_file = start if start.exists() else Path(str(start).rpartition("@")[0])
    written = {f"--out (its {file.name})": file for file in RunFolder(out).files}
    require_kept(written, {"POTENTIAL": potential, "START": start_file, "--oracle": oracle})
    places, structures = zip(*read_starts(start).items(), strict=True)
    summaries = simulate_batch(
        structures,
        load_potential(potential),
        config,
        folder=out,
        places=places,
        resume=resume,
        wall_time_s=wall_time_s,
        oracle=None if oracle is None else load_potential(oracle),
    )
    for number, summary in enumerate(summaries):
        for line in summary.lines():
            print(line if len(summaries) == 1 else f"{number}: {line}")
    if not summaries[0].finished:
        print(f"stopped at step {summaries[0].steps} of {config.steps}; go on with --resume", file=sys.stderr)
        raise typer.Exit(EXIT_FOUND)


def configuration(dynamics: Dynamics, settings: Sequence[str]) -> SimulationConfig:
    """The options and the ``--set key=value`` together.

    Raises:
        ConfigurationError: A value out of its range, an option without effect, or one that is given twice.
    """
    given = {name: value for name, value in asdict(dynamics).items() if value is not None}
    for setting in settings:
        key = setting.partition("=")[0].strip()
        if key in given:
            raise ConfigurationError(
                f"'{key}' is given twice",
                place="--set",
                rule="a value is given once",
                mend=f"give it as {_flag(key)} alone",
            )
    try:
        return SimulationConfig.load(None, [*(f"{name}={value}" for name, value in given.items()), *settings])
    except ConfigurationError as error:
        key = (error.place or "").removeprefix("--set, ")
        if key in asdict(dynamics):
            error.place, error.mend = _flag(key), (error.mend or "").replace(key, _flag(key))
        raise


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"
