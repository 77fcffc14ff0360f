"""Colours on pictures."""

import numpy as np


def near(image: np.ndarray, colour: str, *, tolerance: float = 0.12) -> np.ndarray:
    """(height, width) which pixels of an image (height, width, 3; 0 to 1) have nearly this colour (#RRGGBB)."""
    wanted = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return np.abs(image - wanted).max(axis=-1) < tolerance
