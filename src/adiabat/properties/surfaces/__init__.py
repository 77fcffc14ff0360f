"""Surfaces of crystals: all slabs up to a Miller index, their energies, and the shape that they make."""

from adiabat.properties.surfaces.energies import Surfaces, surfaces
from adiabat.properties.surfaces.slabs import distinct_planes, slabs_of
from adiabat.properties.surfaces.wulff import Wulff, wulff

__all__ = ["Surfaces", "Wulff", "distinct_planes", "slabs_of", "surfaces", "wulff"]
