"""Equivariant message passing: spherical tensors with parity, products of them on the atoms, few layers."""

from adiabat.models.messages.config import MessagesConfig
from adiabat.models.messages.model import MessagePassing

__all__ = ["MessagePassing", "MessagesConfig"]
