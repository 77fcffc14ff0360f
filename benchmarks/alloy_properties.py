"""Alloys, boundaries and saddles: numbers and pictures of docs/properties, one after the other or by name.

    adiabat train shared/data/snap/NbMoTaW_train.xyz.gz --out hea.adiabat
    python benchmarks/alloy_properties.py hea.adiabat silicon.adiabat --docs docs --members 4 [--composition NbMoTaW] [--only segregation]

The first potential knows Nb, Mo, Ta and W, the second silicon (of mlearn's data, as benchmarks/silicon_properties.py trains it).
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ase import Atoms
from ase.build import bulk

import adiabat
from adiabat.properties import from_rest, measured, relaxed_crystal
from adiabat.properties.alloys import alloy_order, composition_of, quasirandom_cell
from adiabat.properties.alloys.views import order_figure
from adiabat.properties.boundaries import grain_boundary, segregation
from adiabat.properties.boundaries.energy import boundary_figures, boundary_of_member
from adiabat.properties.boundaries.segregation import segregation_figures
from adiabat.properties.defects import alloy_vacancies, antisites, migrations
from adiabat.properties.defects.alloy_vacancies import alloy_vacancy_figures, of_member
from adiabat.properties.defects.antisites import antisite_figures
from adiabat.properties.defects.migrations import migration_figures, migrations_of_member
from adiabat.properties.faults import stacking_faults
from adiabat.properties.faults.line import fault_figures
from adiabat.properties.landscape import landscape
from adiabat.properties.landscape.survey import landscape_figures
from adiabat.properties.measured import Measured
from adiabat.properties.paths.screening import screened, screening_figures
from adiabat.properties.saddles import saddles, saddles_of_member
from adiabat.properties.saddles.search import saddle_figures
from adiabat.report import write_image
from adiabat.results import Figure
from adiabat.sampling import ExchangeSettings

ALLOY_LATTICE_ANGSTROM, TUNGSTEN_LATTICE_ANGSTROM = 3.24, 3.17


@dataclass(frozen=True)
class Subject:
    """What is measured, and with how many members."""

    alloy: adiabat.Potential
    silicon: adiabat.Potential
    members: int
    composition: str
    seed: int = 0

    def bars(self, property: Callable[[adiabat.Potential], Any], potential: adiabat.Potential) -> Measured[Any]:
        return measured(property, potential, members=self.members or None, error_bars=self.members > 0)

    @property
    def tungsten(self) -> Atoms:
        return relaxed_crystal(bulk("W", a=TUNGSTEN_LATTICE_ANGSTROM), self.alloy)

    def cell(self, repeats: int) -> Atoms:
        crystal = bulk("W", cubic=True, a=ALLOY_LATTICE_ANGSTROM)
        return quasirandom_cell(crystal, composition_of(self.composition), repeats=(repeats,) * 3, seed=self.seed).cell


def quasirandom_alloys(_: Subject) -> tuple[Any, Figure]:
    crystal = bulk("W", cubic=True, a=ALLOY_LATTICE_ANGSTROM)
    found = quasirandom_cell(crystal, composition_of("NbMoTaW"), repeats=(4, 4, 4))
    return found, order_figure(found)


def alloy_order_at_1000_k(subject: Subject) -> tuple[Any, Figure]:
    settings = ExchangeSettings(1000.0, sweeps=30, equilibration_sweeps=20, vibrations_per_sweep=3)
    found = alloy_order(
        subject.cell(3),
        subject.alloy,
        settings,
        chains=4,
        members=subject.members or None,
        error_bars=subject.members > 0,
    )
    return found, order_figure(found.result)


def vacancies_over_100_sites(subject: Subject) -> tuple[Any, Figure]:
    own = alloy_vacancies([subject.cell(4)], subject.alloy, sites=100)
    found = subject.bars(lambda member: own if member is subject.alloy else of_member(own, member), subject.alloy)
    return found, alloy_vacancy_figures(found)[0 if not subject.members else 1]


def boundary(subject: Subject, plane: tuple[int, int, int]) -> tuple[Any, Figure]:
    rest = subject.tungsten
    own = grain_boundary(rest, subject.alloy, plane, thickness_angstrom=10.0)
    found = subject.bars(
        lambda member: own if member is subject.alloy else boundary_of_member(own, rest, member), subject.alloy
    )
    return found, boundary_figures(own)[0]


def tantalum_at_a_boundary(subject: Subject) -> tuple[Any, Figure]:
    lowest = grain_boundary(
        subject.tungsten, subject.alloy, (2, 1, 0), thickness_angstrom=10.0, relaxed_shifts=3
    ).lowest
    settings = ExchangeSettings(1500.0, sweeps=40, equilibration_sweeps=30, vibrations_per_sweep=5)
    found = segregation(
        lowest.repeat((2, 1, 1)),
        subject.alloy,
        "Ta",
        settings,
        share=0.1,
        chains=4,
        members=subject.members or None,
        error_bars=subject.members > 0,
    )
    return found, segregation_figures(found)[0]


def solutes(subject: Subject) -> tuple[Any, Figure]:
    _, property = from_rest(lambda own, member: antisites(own, member, element="Ta"), subject.tungsten, subject.alloy)
    found = subject.bars(property, subject.alloy)
    return found, antisite_figures(found.result)[0]


def hop(subject: Subject) -> tuple[Any, Figure]:
    rest = subject.tungsten
    own = migrations(rest, subject.alloy)
    found = subject.bars(
        lambda member: own if member is subject.alloy else migrations_of_member(own, rest, member), subject.alloy
    )
    return found, migration_figures(found)[0]


def glide(subject: Subject) -> tuple[Any, Figure]:
    """The side of the line that leads to the stable fault is the lower one at its end."""
    lines = []
    for direction in ((1, 1, -2), (-1, -1, 2)):
        _, property = from_rest(
            lambda own, member, way=direction: stacking_faults(
                own, member, (1, 1, 1), way, length=1 / 6, points=7, cut=1
            ),
            bulk("Si"),
            subject.silicon,
        )
        lines.append((property, property(subject.silicon)))
    property = min(lines, key=lambda line: line[1].end_energy_j_per_m2)[0]
    found = subject.bars(property, subject.silicon)
    return found, fault_figures(found)[0]


def around_a_vacancy(subject: Subject) -> tuple[Any, Figure]:
    full = relaxed_crystal(bulk("Si", cubic=True), subject.silicon).repeat(2)
    near = int(full.get_distances(0, range(1, len(full)), mic=True).argmin())
    own = saddles(full[1:], subject.silicon, searches=8, center=near)
    found = subject.bars(
        lambda member: own if member is subject.silicon else saddles_of_member(own, member), subject.silicon
    )
    return found, saddle_figures(own)[0]


def minima_of_silicon(subject: Subject) -> tuple[Any, Figure]:
    found = landscape(bulk("Si", cubic=True), subject.silicon, starts=40)
    return found, landscape_figures(found)[0]


def hops_in_the_alloy(subject: Subject) -> tuple[Any, Figure]:
    cell = relaxed_crystal(subject.cell(4), subject.alloy)
    pairs = []
    for hopper in cell.get_distances(0, range(len(cell)), mic=True).argsort()[1:9]:
        first, last = cell.copy(), cell.copy()
        last.positions[hopper] = cell.positions[0]
        del first[0]
        del last[0]
        pairs.append((first, last))
    found = screened(
        pairs,
        subject.alloy,
        promising=2,
        least_certain=2,
        members=subject.members or None,
        error_bars=subject.members > 0,
    )
    return found, screening_figures(found.result)[0]


WORK: dict[str, Callable[[Subject], tuple[Any, Figure]]] = {
    "quasirandom_alloys": quasirandom_alloys,
    "alloy_order": alloy_order_at_1000_k,
    "alloy_vacancies": vacancies_over_100_sites,
    "grain_boundaries": lambda subject: boundary(subject, (2, 1, 0)),
    "sigma3": lambda subject: boundary(subject, (1, 1, 2)),
    "segregation": tantalum_at_a_boundary,
    "antisites": solutes,
    "migration": hop,
    "stacking_faults": glide,
    "saddles": around_a_vacancy,
    "landscape": minima_of_silicon,
    "screening": hops_in_the_alloy,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("alloy")
    parser.add_argument("silicon")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--json", type=Path, help="a folder for the numbers")
    parser.add_argument("--members", type=int, default=4, help="0: no error bars")
    parser.add_argument("--composition", default="TaW", help="of the alloy's order, vacancies and hops")
    parser.add_argument("--only", nargs="*", choices=list(WORK), default=list(WORK))
    options = parser.parse_args()
    torch.set_num_threads(1)
    subject = Subject(adiabat.load(options.alloy), adiabat.load(options.silicon), options.members, options.composition)
    folder = options.docs / "images" / "properties"
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        start = time.process_time()
        found, figure = WORK[name](subject)
        write_image(figure, folder / f"{name}.png")
        print(f"## {name}: {time.process_time() - start:.1f} CPU s", flush=True)
        if isinstance(found, Measured):
            print(*found.lines(), sep="\n", flush=True)
        if options.json is not None:
            options.json.mkdir(parents=True, exist_ok=True)
            found.save(options.json / f"{name}.json")


if __name__ == "__main__":
    main()
