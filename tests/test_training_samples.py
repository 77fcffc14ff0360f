"""A few structures stand for a data set."""

from collections import Counter

from ase import Atoms

from adiabat.system import Labelled
from adiabat.training.coherence.samples import few_species, spread_sample


def structures(config_type: str, count: int, size: int, symbol: str = "Si") -> list[Labelled]:
    return [
        Labelled(Atoms(symbol * size), config_type=config_type, place=f"{config_type} {index}")
        for index in range(count)
    ]


def types(sample: list[Labelled]) -> Counter[str]:
    return Counter(structure.config_type for structure in sample)


def test_each_config_type_has_the_same_share() -> None:
    data = [*structures("many", 500, 10), *structures("large", 50, 90)]
    assert types(spread_sample(data, most_atoms=2000, per_structure=10)) == {"many": 50, "large": 10}


def test_what_a_config_type_does_not_need_goes_to_the_others() -> None:
    data = [*structures("rare", 2, 10), *structures("many", 500, 10), *structures("more", 500, 10)]
    assert types(spread_sample(data, most_atoms=840, per_structure=10)) == {"rare": 2, "many": 20, "more": 20}


def test_a_config_type_beyond_its_share_has_one_structure() -> None:
    data = [*structures("huge", 3, 1000), *structures("many", 500, 10)]
    assert types(spread_sample(data, most_atoms=400, per_structure=10))["huge"] == 1


def test_a_sample_is_spread_over_the_file_in_its_order() -> None:
    data = structures("trajectory", 101, 10)
    sample = spread_sample(data, most_atoms=100, per_structure=10)
    assert [structure.place for structure in sample] == [f"trajectory {index}" for index in (0, 25, 50, 75, 100)]


def test_small_data_are_taken_whole() -> None:
    data = [*structures("a", 3, 10), *structures("b", 5, 10)]
    assert spread_sample(data, most_atoms=10_000, per_structure=10) == data
    assert spread_sample([], most_atoms=10_000, per_structure=10) == []


def test_few_species_keep_as_many_structures_as_they_can() -> None:
    silicon, carbide = structures("Si", 9, 4), structures("SiC", 5, 4, "SiC")
    salt, gold = structures("NaCl", 8, 4, "NaCl"), structures("Au", 3, 4, "Au")
    data = [*gold, *salt, *silicon, *carbide]

    assert few_species(data, 5) == data
    assert few_species(data, 4) == [*salt, *silicon, *carbide]
    assert few_species(data, 2) == [*silicon, *carbide]
    assert few_species(salt, 1) == []
