"""Which preset a training takes."""

from adiabat.basis.presets import BasisConfig, Environment
from adiabat.training.prepare import affordable_size

MANY = 10**6
"""Labels."""


def molecules(*species: int) -> Environment:
    return Environment(species, 1.1, {}, molecules=True)


def test_molecules_of_few_elements_take_their_preset() -> None:
    assert affordable_size(BasisConfig(), molecules(1, 8), MANY) == ("molecule", None)


def test_a_preset_that_would_be_very_large_is_only_taken_if_asked_for() -> None:
    size, note = affordable_size(BasisConfig(), molecules(1, 6, 8), MANY)

    assert size == "large"
    assert note is not None
    assert "taken if asked for: 'large' is taken" in note
    assert affordable_size(BasisConfig(size="molecule"), molecules(1, 6, 8), MANY) == ("molecule", None)


def test_too_few_labels_take_a_smaller_preset_and_say_so() -> None:
    assert affordable_size(BasisConfig(), molecules(1, 8), 100) == (
        "small",
        "100 labels are too few for the basis 'molecule': 'small' is taken",
    )
