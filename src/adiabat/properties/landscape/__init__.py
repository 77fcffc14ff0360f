"""The topology of a learned surface: its minima, spurious ones among them, and its holes."""

from adiabat.properties.landscape.compare import Compared, compared_with
from adiabat.properties.landscape.starts import random_starts
from adiabat.properties.landscape.survey import Landscape, landscape

__all__ = ["Compared", "Landscape", "compared_with", "landscape", "random_starts"]
