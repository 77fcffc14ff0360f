"""``adiabat neb``: the path between two minima, its barrier and rate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from ase.io import write

from adiabat.cli.app import EXIT_FOUND, Debug, Threads, app
from adiabat.cli.measuring import NoRelax, Output, PotentialName, Shown, read_potential, read_structure, write_out
from adiabat.cli.options import grouped
from adiabat.properties.paths import BandSettings, MemberPaths, measured_path, minimum_energy_path, path_ends
from adiabat.properties.paths.neb import TEMPERATURES_K
from adiabat.properties.paths.views import path_figures, path_sentences, path_tables
from adiabat.results import StructureView
from adiabat.runs import atomic_path

PRINTED = (
    "barrier_ev",
    "reverse_barrier_ev",
    "reaction_energy_ev",
    "unstable_frequency_thz",
    "log10_prefactor_per_s",
    "log10_rate_per_s",
)


@dataclass(frozen=True)
class Banding:
    """How the band is relaxed, and what is taken of its saddle."""

    images: Annotated[int, typer.Option(help="Between the ends.")] = 7
    force_tolerance: Annotated[float, typer.Option(help="eV/Å, on each atom of each image.")] = 0.02
    steps: Annotated[int, typer.Option(help="At most.")] = 1000
    vibrations: Annotated[
        bool,
        typer.Option("--vibrations/--no-vibrations", help="Verify the saddle and take rates: 6 N evaluations, twice."),
    ] = True
    temperature_k: Annotated[
        list[float] | None, typer.Option(help="Of the rates (default: 300, 500, 700, 1000); several times.")
    ] = None

    @property
    def settings(self) -> BandSettings:
        """As the library takes them."""
        return BandSettings(tolerance=self.force_tolerance, steps=self.steps)

    @property
    def temperatures(self) -> np.ndarray:
        """(T,) K."""
        return np.array(self.temperature_k) if self.temperature_k else TEMPERATURES_K


@app.command("neb")
@grouped(banding=Banding, output=Output)
def neb_command(
    potential: PotentialName,
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="Where the path begins.", show_default=False)],
    last: Annotated[
        Path,
        typer.Argument(
            metavar="LAST", help="Where it ends: the same atoms in the same order and cell.", show_default=False
        ),
    ],
    *,
    banding: Banding,
    no_relax: NoRelax = False,
    out: Annotated[Path | None, typer.Option(help="Write the images as they end (.xyz).")] = None,
    output: Output,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """A nudged elastic band with climbing image between two minima: barrier, saddle, and rates with asymmetric intervals.

    Both ends are relaxed first, their cell fixed. The saddle is verified: one unstable mode, and sides that lead to the ends; where this
    fails, or the band does not come to rest, the exit status is 1.

    Example: adiabat neb si.adiabat first.xyz last.xyz --json neb.json --report neb.html
    """
    output.require(potential, {"FIRST": first, "LAST": last}, **{"--out": out})
    used = read_potential(potential)
    ends = path_ends(read_structure(first), read_structure(last), used, relax_first=not no_relax)
    asked = {"images": banding.images, "vibrations": banding.vibrations, "temperatures_k": banding.temperatures}
    own = minimum_energy_path(ends, used, how=banding.settings, **asked)
    paths = MemberPaths(ends, used, own, banding.settings)
    found = measured_path(paths, members=output.members, error_bars=output.error_bars)
    if out is not None:
        with atomic_path(out) as temporary:
            write(temporary, list(own.images), format="extxyz")
    shown = Shown(
        title=f"Path from {first.name} to {last.name} by {Path(potential).name}",
        sentences=path_sentences(found.result),
        tables=path_tables(found),
        figures=path_figures(found),
        structures=[StructureView("saddle", "The highest image", own.images[int(own.energies_ev.argmax())])],
        printed=PRINTED,
    )
    write_out(found, shown, output, potential=used, name=potential)
    if not own.converged or own.negative_modes not in (None, 1) or own.leads_to_ends is False:
        raise typer.Exit(EXIT_FOUND)
