"""Energies known from physics: repulsion between nuclei."""

from adiabat.physics.zbl import ZBL

__all__ = ["ZBL"]
