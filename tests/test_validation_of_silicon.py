"""Potentials of silicon that are bad on purpose fail, each for its own reason."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from adiabat.data import read
from adiabat.potential import Potential
from adiabat.system import Labelled
from adiabat.testing.data import reference_data
from adiabat.training import TrainConfig, train
from adiabat.validation import validate
from adiabat.validation.checks.dimers import DimerCheck
from adiabat.validation.checks.labelled_data import LabelledDataCheck
from adiabat.validation.checks.stress import StressCheck


@pytest.fixture(scope="module")
def trained_on_ten() -> Potential:
    structures = [one for one in read(reference_data("mlearn/Si_train.xyz")) if len(one.atoms) > 1]
    chosen = sorted(np.random.default_rng(0).choice(len(structures), 10, replace=False).tolist())
    config = TrainConfig.parse({"basis": {"size": "small"}})
    return train([structures[index] for index in chosen], config, quiet=True)


def crystal() -> Atoms:
    return bulk("Si", "diamond", a=5.46, cubic=True) * (2, 2, 2)


def labelled() -> list[Labelled]:
    return read(reference_data("mlearn/Si_test.xyz"))


@pytest.mark.slow
def test_ten_structures_are_too_few(trained_on_ten: Potential) -> None:
    found = validate(trained_on_ten, crystal(), data=labelled(), checks=[LabelledDataCheck()], quiet=True)
    assert "test set: energy" in {one.name for one in found.failed}


@pytest.mark.slow
def test_without_its_repulsion_atoms_fall_into_one_another(trained_on_ten: Potential) -> None:
    bare = Potential([part for part in trained_on_ten.parts if part.kind != "zbl"])
    whole, without = (
        validate(one, crystal(), data=labelled(), checks=[DimerCheck(), StressCheck()], quiet=True)
        for one in (trained_on_ten, bare)
    )
    assert whole.passed
    assert {one.name for one in without.failed} == {"dimer Si-Si is repulsive"}
