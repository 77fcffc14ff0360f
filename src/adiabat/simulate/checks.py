"""What an integrator's parameters must be."""

import math

from adiabat.errors import ConfigurationError


def require_positive(name: str, value: float) -> None:
    """Refuse a parameter that is not positive and finite."""
    if not (math.isfinite(value) and value > 0):
        raise ConfigurationError(f"is {value}", place=name, rule="positive and finite", mend="give another value")


def require_not_negative(name: str, value: float) -> None:
    """Refuse a parameter that is negative or not finite."""
    if not (math.isfinite(value) and value >= 0):
        raise ConfigurationError(f"is {value}", place=name, rule="zero or more, and finite", mend="give another value")
