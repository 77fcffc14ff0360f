"""The pictures of docs/properties: silicon, by a potential that knows how sure it is.

python benchmarks/property_pictures.py POTENTIAL --docs docs
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk

import adiabat
from adiabat.properties import RelaxationSettings, elasticity, equation_of_state, from_rest, measured, relax
from adiabat.properties.defects import interstitials, vacancies
from adiabat.properties.defects.interstitials import interstitial_figures
from adiabat.properties.defects.vacancies import vacancy_figures
from adiabat.properties.elasticity import young_figure
from adiabat.properties.equation_of_state import equation_of_state_figures
from adiabat.properties.paths import minimum_energy_path, path_ends
from adiabat.properties.paths.views import path_figures
from adiabat.properties.phonons import PhononSetup, phonons
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
    options = parser.parse_args()
    torch.set_num_threads(1)
    potential = adiabat.load(options.potential)
    folder = options.docs / "images" / "properties"
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures(potential).items():
        write_image(figure, folder / f"{name}.png")


def pictures(potential: adiabat.Potential) -> dict[str, Figure]:
    """By the name of the page."""
    crystal = bulk("Si")
    rattled = [bulk("Si", cubic=True, a=5.6) for _ in range(8)]
    for seed, atoms in enumerate(rattled):
        atoms.rattle(0.15, seed=seed)
    relaxations = Relaxations.of(relax(rattled, potential, RelaxationSettings(cell="free")))
    rest, elastic = from_rest(elasticity, crystal, potential)
    _, state = from_rest(equation_of_state, crystal, potential)
    setup = PhononSetup.of(rest, potential)
    own = phonons(rest, potential, setup=setup)
    _, vibrations = from_rest(
        lambda start, member: phonons(start, member, setup=setup, dos_frequencies_thz=own.dos_frequencies_thz),
        crystal,
        potential,
    )
    energies = bars(state, potential)
    return {
        "relaxation": relaxation_figures(relaxations)[0],
        "elasticity": young_figure(elastic(potential)),
        "equation_of_state": equation_of_state_figures(
            energies.result, np.asarray(energies.std("energies_ev_per_atom"))
        )[0],
        "phonons": phonon_figures(bars(vibrations, potential))[0],
        "polymorphs": polymorph_figures(of_silicon(potential))[0],
        "vacancies": vacancy_figures(
            measured(from_rest(vacancies, crystal, potential)[1], potential, error_bars=False)
        )[0],
        "interstitials": interstitial_figures(from_rest(interstitials, crystal, potential)[1](potential))[0],
        "surfaces": surface_figures(from_rest(surfaces, crystal, potential)[1](potential))[0],
        "paths": path_figures(hop(potential))[0],
    }


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


if __name__ == "__main__":
    main()
