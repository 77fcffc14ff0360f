"""Stable or not: which crystals of copper lie near its ground state, told by features of their atoms and scikit-learn.

    pip install scikit-learn
    python examples/polymorphs.py

Crystals of five kinds, deformed and shaken, are labelled by EMT: stable means within 50 meV per atom of fcc at rest. A classifier learns it
from one half of them and is asked of the other. (Of a kind that it has never seen it knows little: leave one out and see.)
"""

import ase
import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from adiabat.basis.features import AtomFeatures
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch

FEATURES = AtomFeatures(species=(29,), cutoff_angstrom=5.0, radial=4, l_max=3)
VOLUME_ANGSTROM3 = 11.6
"""Of an atom in fcc copper, by EMT."""
STABLE_EV = 0.05
EACH = 120
KINDS = {
    "fcc": lambda: bulk("Cu", "fcc", a=3.6),
    "hcp": lambda: bulk("Cu", "hcp", a=2.55, c=4.16),
    "bcc": lambda: bulk("Cu", "bcc", a=2.87),
    "double hcp": lambda: ase.Atoms(
        "Cu4",
        scaled_positions=[(0, 0, 0), (1 / 3, 2 / 3, 0.25), (0, 0, 0.5), (2 / 3, 1 / 3, 0.75)],
        cell=[2.55, 2.55, 8.32, 90, 90, 120],
        pbc=True,
    ),
    "simple cubic": lambda: bulk("Cu", "sc", a=2.3),
}


def crystal(kind: str, rng: np.random.Generator) -> ase.Atoms:
    """Of a kind, at about the volume of fcc, deformed and shaken."""
    atoms = KINDS[kind]() * (2, 2, 1)
    size = (VOLUME_ANGSTROM3 * len(atoms) / atoms.get_volume()) ** (1 / 3) * rng.normal(1.0, 0.015)
    deformed = size * atoms.cell.array @ (np.eye(3) + rng.normal(0, 0.015, (3, 3)))
    atoms.set_cell(deformed, scale_atoms=True)
    atoms.positions += rng.normal(0, 0.05, (len(atoms), 3))
    return atoms


def energy(atoms: ase.Atoms) -> float:
    """By EMT, in eV per atom."""
    atoms.calc = EMT()
    return atoms.get_potential_energy() / len(atoms)


def features(structures: list[ase.Atoms]) -> np.ndarray:
    """(structures, 2 K): mean and scatter of the invariants over the atoms of each."""
    batch = Batch.from_atoms(structures)
    each = FEATURES.invariants(neighbor_graph(batch, FEATURES.cutoff_angstrom)).numpy()
    of = batch.system.numpy()
    return np.array([[*each[of == s].mean(0), *each[of == s].std(0)] for s in range(len(structures))])


def accuracies(seed: int = 0) -> dict[str, tuple[float, float]]:
    """By kind, of crystals that were not learned from: the share that is stable, and the share that is told right."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(list(KINDS), EACH)
    structures = [crystal(kind, rng) for kind in kinds]
    lowest = energy(bulk("Cu", "fcc", a=3.59))
    stable = np.array([energy(atoms) - lowest < STABLE_EV for atoms in structures])
    inputs, learned = features(structures), rng.random(len(structures)) < 0.5
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    classifier.fit(inputs[learned], stable[learned])
    right = classifier.predict(inputs) == stable
    new = {kind: (kinds == kind) & ~learned for kind in KINDS} | {"all": ~learned}
    return {kind: (float(stable[of].mean()), float(right[of].mean())) for kind, of in new.items()}


if __name__ == "__main__":
    for kind, (stable, right) in accuracies().items():
        print(f"{kind:>13}: {stable:4.0%} stable, {right:4.0%} told right")
