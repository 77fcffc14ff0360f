"""Random structures to begin from: the atoms of a structure thrown anew into its cell.

C. J. Pickard and R. J. Needs, J. Phys.: Condens. Matter 23, 053201 (2011).
"""

import numpy as np
from ase import Atoms

from adiabat.errors import ConfigurationError
from adiabat.properties.paths.ends import nearest_images
from adiabat.typing import FloatArray

DENSITY = (0.75, 1.25)
"""Of crystals, times that of the structure; any factor between is as likely as another."""

SHEAR = 0.2
"""Standard deviation of the strains that cells get, at their volume."""

CLOSEST = 0.75
"""Of the shortest distance in the structure: no two atoms are thrown nearer, as long as there is room."""

ATTEMPTS, LESS = 200, 0.97
"""To place an atom; then all may stand nearer, by this factor."""


def shortest_distance(atoms: Atoms) -> float:
    """Å between two atoms, or an atom and its own image."""
    if atoms.pbc.any():
        atoms = atoms.repeat([2 if periodic else 1 for periodic in atoms.pbc])
    distances = atoms.get_all_distances(mic=bool(atoms.pbc.any()))
    return float(distances[np.triu_indices(len(atoms), 1)].min()) if len(atoms) > 1 else np.inf


def random_starts(like: Atoms, count: int, *, seed: int = 0) -> list[Atoms]:
    """Structures of the same atoms at random: crystals in cells of other shapes and densities, molecules in a sphere of their own size.

    Args:
        like: Whose atoms and density; periodic in three directions, or in none.
        count: How many.
        seed: Each is drawn by (seed, its number).

    Raises:
        ConfigurationError: None are asked for, the structure has one atom, or is periodic in one or two directions.
    """
    if count < 1 or len(like) < 2 or like.pbc.any() != like.pbc.all():
        raise ConfigurationError(
            f"{count} starts like {like.get_chemical_formula()}, periodic along {like.pbc.tolist()}",
            place="random starts",
            rule="one or more, of two atoms or more, in a crystal or a molecule",
            mend="give a cell with several atoms",
        )
    closest = CLOSEST * shortest_distance(like)
    return [_thrown(like, closest, np.random.default_rng([seed, number])) for number in range(count)]


def _thrown(like: Atoms, closest: float, random: np.random.Generator) -> Atoms:
    start = like.copy()
    start.set_constraint()
    if like.pbc.all():
        strain = SHEAR * random.standard_normal((3, 3))
        cell = like.cell.array @ (np.eye(3) + 0.5 * (strain + strain.T))
        wanted = like.get_volume() * random.uniform(*DENSITY)
        start.set_cell(cell * (wanted / abs(float(np.linalg.det(cell)))) ** (1 / 3))
    start.set_positions(_places(start, closest, random))
    return start


def _places(start: Atoms, closest: float, random: np.random.Generator) -> FloatArray:
    placed: list[FloatArray] = []
    middle = start.positions.mean(0)
    radius = max(float(np.linalg.norm(start.positions - middle, axis=1).max()), closest)
    while len(placed) < len(start):
        for _ in range(ATTEMPTS):
            place = _place(start, middle, radius, random)
            away = nearest_images(place - np.array(placed), start) if placed else np.full((1, 3), np.inf)
            if np.linalg.norm(away, axis=1).min() >= closest:
                placed.append(place)
                break
        else:
            closest *= LESS
    return np.array(placed)


def _place(start: Atoms, middle: FloatArray, radius: float, random: np.random.Generator) -> FloatArray:
    if start.pbc.all():
        return random.random(3) @ start.cell.array
    direction = random.standard_normal(3)
    return middle + radius * random.random() ** (1 / 3) * direction / np.linalg.norm(direction)
