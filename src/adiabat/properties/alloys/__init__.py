"""Alloys: cells whose elements stand at random or as Monte Carlo orders them, and what stands next to what."""

from adiabat.properties.alloys.composition import composition_of, counts_of, shuffled
from adiabat.properties.alloys.order import AlloyOrder, alloy_order
from adiabat.properties.alloys.quasirandom import QuasirandomCell, quasirandom_cell
from adiabat.properties.alloys.shells import Shells, short_range_order

__all__ = [
    "AlloyOrder",
    "QuasirandomCell",
    "Shells",
    "alloy_order",
    "composition_of",
    "counts_of",
    "quasirandom_cell",
    "short_range_order",
    "shuffled",
]
