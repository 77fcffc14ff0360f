"""Published data sets: what is sound gives no false alarm, and what is wrong with some of them is found."""

import pytest

from adiabat.data import Finding, check, read
from adiabat.testing.data import reference_data


def findings(name: str) -> dict[str, Finding]:
    return {f.name: f for f in check(read(reference_data(name), quiet=True), quiet=True).findings}


@pytest.mark.parametrize(
    "name",
    [
        "botnet/acac_train_300K.xyz",
        "botnet/acac_test_MD_300K.xyz",
        "botnet/3BPA_train_300K.xyz",
        "carbon/C_GAP17_sub100.xyz",
        "chalcogenide/PbTe_train.xyz",
        "charges/QM9_100_energy_charges.xyz",
        "charges/SPICE_dipeptide_polar_train.xyz.gz",
        "mlearn/Cu_test.xyz",
        "mlearn/Mo_train.xyz",
        "mlearn/Ni_test.xyz",
        "mlearn/Si_train.xyz",
        "phonon/NaCl_PBE_rd_ph3.xyz",
        "phonon/NaCl_rd_params.xyz",
        "phonon/Si-PBE_ph3.xyz",
        "phonon/Si-rd.xyz",
        "snap/Li3N_train.xyz",
        "snap/Ni-Mo_train.xyz.gz",
        "snap/Ni_train.xyz",
        "water/NXC-W01_dimers_training.xyz",
        "water/water_pbe0ts.xyz.gz",
    ],
)
def test_sound_data_give_no_false_alarm(name: str) -> None:
    assert findings(name) == {}


@pytest.mark.slow
def test_a_large_alloy_data_set_gives_no_false_alarm() -> None:
    assert findings("snap/NbMoTaW_train.xyz.gz") == {}


@pytest.mark.parametrize(("name", "copies"), [("defects/Ta_Linear_JCP2014.xyz", 1), ("snap/Mo_train.xyz", 4)])
def test_copies_in_published_data_are_found(name: str, copies: int) -> None:
    found = findings(name)
    assert set(found) == {"duplicate-structures"}
    assert len(found["duplicate-structures"].places) == copies


def test_one_crystal_of_two_calculations_with_other_settings_is_found() -> None:
    found = findings("phonon/phonopy_examples_vasp.xyz")
    assert set(found) == {"conflicting-duplicates", "duplicate-structures"}
    assert "energy by 1.91 meV/atom" in found["conflicting-duplicates"].places[0]


def test_structures_converted_from_bohr_twice_are_found() -> None:
    found = findings("photochem/CH2NH2+_MRCISD64.xyz")
    assert set(found) == {"distant-forces"}
    assert len(found["distant-forces"].places) == 89


def test_forces_of_a_part_of_a_system_have_a_net_force() -> None:
    structures = read(reference_data("coarse_grained/ala2_cg_5bead.xyz.gz"), index=":100", quiet=True)
    assert {f.name for f in check(structures, quiet=True).findings} == {"net-force"}
