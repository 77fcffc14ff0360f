"""Left or right: which of its mirror images is a molecule of CHFClBr? Invariants cannot tell, pseudoscalars can.

python examples/chirality.py
"""

from collections.abc import Callable

import ase
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from adiabat.basis.features import AtomFeatures
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Graph

FEATURES = AtomFeatures(species=(1, 6, 9, 17, 35), cutoff_angstrom=4.0, radial=1, l_max=2)
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5
BONDS_ANGSTROM = np.array([1.09, 1.36, 1.77, 1.94])
"""From carbon to hydrogen, fluorine, chlorine, bromine."""


def molecule(hand: int, rng: np.random.Generator) -> ase.Atoms:
    """A hot molecule of one hand (1 or -1), turned at random."""
    positions = np.vstack([np.zeros(3), TETRAHEDRON * BONDS_ANGSTROM[:, None]]) + rng.normal(0, 0.1, (5, 3))
    positions[:, 0] *= hand
    return ase.Atoms("CHFClBr", positions=positions @ Rotation.from_quat(rng.normal(size=4)).as_matrix())


def mirrored(atoms: ase.Atoms) -> ase.Atoms:
    """The mirror image."""
    image = atoms.copy()
    image.positions[:, 2] *= -1
    return image


def accuracy(features: Callable[[Graph], torch.Tensor], seed: int = 0) -> float:
    """Of a linear classifier of features of the carbon atom, on molecules and their mirror images that it has not seen."""
    rng = np.random.default_rng(seed)
    hands = rng.choice([-1, 1], 200)
    known = [molecule(hand, rng) for hand in hands]
    unseen = [molecule(1, rng) for _ in range(100)]
    tested, truth = [*unseen, *map(mirrored, unseen)], np.repeat([1, -1], 100)

    def of_carbon(structures: list[ase.Atoms]) -> np.ndarray:
        batch = Batch.from_atoms(structures)
        return features(neighbor_graph(batch, FEATURES.cutoff_angstrom))[batch.numbers == 6].numpy()

    inputs = of_carbon(known)
    scale = inputs.std(0) + 1e-12
    weights = np.linalg.lstsq(inputs / scale, hands, rcond=1e-6)[0]
    return float((np.sign(of_carbon(tested) / scale @ weights) == truth).mean())


if __name__ == "__main__":
    print(f"invariants:    {accuracy(FEATURES.invariants):.0%} right")
    print(f"pseudoscalars: {accuracy(FEATURES.pseudoscalars):.0%} right")
