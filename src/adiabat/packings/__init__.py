"""Atoms that stand anyhow: random packings, how near atoms may come in them, and where a potential takes them."""

from adiabat.packings.contacts import (
    NEAREST,
    Approach,
    Pair,
    contact_distances,
    contact_table,
    nearest_approach,
    pair_name,
)
from adiabat.packings.random_packings import PackingRule, packings_like, random_packing, volume_per_atom
from adiabat.packings.relaxation import Relaxation, relax
from adiabat.packings.relaxed import RelaxedPacking, relaxed_packings, without_constants

__all__ = [
    "NEAREST",
    "Approach",
    "PackingRule",
    "Pair",
    "Relaxation",
    "RelaxedPacking",
    "contact_distances",
    "contact_table",
    "nearest_approach",
    "packings_like",
    "pair_name",
    "random_packing",
    "relax",
    "relaxed_packings",
    "volume_per_atom",
    "without_constants",
]
