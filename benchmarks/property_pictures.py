"""The pictures of docs/properties: silicon, by a potential that knows how sure it is.

python benchmarks/property_pictures.py POTENTIAL --docs docs
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk

import adiabat
from adiabat.properties import (
    RelaxationSettings,
    elasticity,
    equation_of_state,
    from_rest,
    measured,
    relax,
    relaxed_crystal,
)
from adiabat.properties.defects import interstitials, vacancies
from adiabat.properties.defects.interstitials import interstitial_figures
from adiabat.properties.defects.vacancies import vacancy_figures
from adiabat.properties.elasticity import young_figure
from adiabat.properties.equation_of_state import equation_of_state_figures
from adiabat.properties.paths import minimum_energy_path, path_ends
from adiabat.properties.paths.views import path_figures
from adiabat.properties.phonons import (
    ConductivitySetup,
    PhononSetup,
    conductivity,
    gruneisen,
    phonons,
    quasi_harmonic,
)
from adiabat.properties.phonons.thermal_views import conductivity_figures, gruneisen_figures, quasi_harmonic_figures
from adiabat.properties.phonons.views import phonon_figures
from adiabat.properties.polymorphs import polymorph_figures, polymorphs
from adiabat.properties.relaxation import Relaxations
from adiabat.properties.relaxation.several import relaxation_figures
from adiabat.properties.surfaces import surfaces
from adiabat.properties.surfaces.energies import surface_figures
from adiabat.report import write_image
from adiabat.results import Figure

MEMBERS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--only", nargs="*", choices=sorted(PICTURES), help="pages (default: all)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    potential = adiabat.load(options.potential)
    folder = options.docs / "images" / "properties"
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.only or PICTURES:
        write_image(PICTURES[name](potential), folder / f"{name}.png")


def relaxation(potential: adiabat.Potential) -> Figure:
    rattled = [bulk("Si", cubic=True, a=5.6) for _ in range(8)]
    for seed, atoms in enumerate(rattled):
        atoms.rattle(0.15, seed=seed)
    return relaxation_figures(Relaxations.of(relax(rattled, potential, RelaxationSettings(cell="free"))))[0]


def state(potential: adiabat.Potential) -> Figure:
    found = bars(at_rest(equation_of_state, potential), potential)
    return equation_of_state_figures(found.result, np.asarray(found.std("energies_ev_per_atom")))[0]


def dispersion(potential: adiabat.Potential) -> Figure:
    rest = relaxed_crystal(bulk("Si"), potential)
    setup = PhononSetup.of(rest, potential)
    grid = phonons(rest, potential, setup=setup).dos_frequencies_thz
    return phonon_figures(bars(at_rest(partial(phonons, setup=setup, dos_frequencies_thz=grid), potential), potential))[
        0
    ]


def softening(potential: adiabat.Potential) -> Figure:
    setup = PhononSetup.of(relaxed_crystal(bulk("Si"), potential), potential)
    return gruneisen_figures(bars(at_rest(partial(gruneisen, setup=setup), potential), potential))[0]


def expansion(potential: adiabat.Potential) -> Figure:
    setup = PhononSetup.of(relaxed_crystal(bulk("Si"), potential), potential)
    asked = partial(quasi_harmonic, setup=setup, relative_volumes=np.linspace(0.97, 1.05, 9))
    return quasi_harmonic_figures(bars(at_rest(asked, potential), potential))[0]


def heat(potential: adiabat.Potential) -> Figure:
    rest = relaxed_crystal(bulk("Si"), potential)
    setup = ConductivitySetup.of(PhononSetup.of(rest, potential), mesh=(9, 9, 9))
    return conductivity_figures(
        measured(at_rest(partial(conductivity, setup=setup), potential), potential, error_bars=False)
    )[0]


def at_rest(property: Any, potential: adiabat.Potential) -> Any:
    """A property of silicon's primitive cell, that each member takes at its own rest."""
    return from_rest(property, bulk("Si"), potential)[1]


def bars(property: Any, potential: adiabat.Potential) -> Any:
    return measured(property, potential, members=MEMBERS)


def of_silicon(potential: adiabat.Potential) -> Any:
    """Diamond and β-tin."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0, 0.5, 0.25], [0.5, 0, 0.75]]
    tin = Atoms("Si4", scaled_positions=places, cell=[4.8, 4.8, 2.65], pbc=True)
    return polymorphs([bulk("Si"), tin], potential, names=["diamond", "β-tin"], members=MEMBERS)


def hop(potential: adiabat.Potential) -> Any:
    """A vacancy's hop to a neighbouring site."""
    full = relax([bulk("Si", cubic=True)], potential, RelaxationSettings(cell="free"))[0].atoms.repeat(2)
    first, last = full[1:], full[1:]
    near = int(np.argmin([full.get_distance(0, place, mic=True) for place in range(1, len(full))]))
    last.positions[near] = full.positions[0]
    ends = path_ends(first, last, potential)
    return measured(lambda member: minimum_energy_path(ends, member, vibrations=False), potential, error_bars=False)


PICTURES = {
    "relaxation": relaxation,
    "elasticity": lambda potential: young_figure(at_rest(elasticity, potential)(potential)),
    "equation_of_state": state,
    "phonons": dispersion,
    "gruneisen": softening,
    "quasi_harmonic": expansion,
    "conductivity": heat,
    "polymorphs": lambda potential: polymorph_figures(of_silicon(potential))[0],
    "vacancies": lambda potential: vacancy_figures(
        measured(at_rest(vacancies, potential), potential, error_bars=False)
    )[0],
    "interstitials": lambda potential: interstitial_figures(at_rest(interstitials, potential)(potential))[0],
    "surfaces": lambda potential: surface_figures(at_rest(surfaces, potential)(potential))[0],
    "paths": lambda potential: path_figures(hop(potential))[0],
}
"""By the name of the page."""


if __name__ == "__main__":
    main()
