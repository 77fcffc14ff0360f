"""The data that the package ships."""

from narrowing import read_all

from adiabat.data import check, demonstration_set, read
from adiabat.training import check_coherence


def test_the_demonstration_set_is_small_and_sound() -> None:
    structures = read(demonstration_set())

    assert demonstration_set().stat().st_size < 1e6
    assert not check(structures, quiet=True).findings
    assert not check_coherence(structures, quiet=True)
    assert {s.config_type for s in structures} >= {
        "IsolatedAtom",
        "rattled",
        "strained",
        "compressed",
        "vacancy",
        "surface",
        "hot",
    }


def test_every_frame_carries_its_settings() -> None:
    for frame in read_all(demonstration_set()):
        assert frame.info["functional"] == "PBE"
        assert frame.info["cutoff_ev"] >= 350
        assert frame.info["kpoint_spacing_per_angstrom"] <= 0.2
        assert frame.info["code"].startswith("GPAW")
