"""How contracts compare."""

from torch import Tensor

from adiabat.testing.violation import ContractViolation


def require_close(found: Tensor, expected: Tensor, *, scale: float, tolerance: float, place: str, rule: str) -> None:
    """Refuse a difference above `tolerance` times `scale`; a NaN is one.

    Raises:
        ContractViolation: With the difference.
    """
    if found.shape != expected.shape:
        raise ContractViolation(
            place, value=f"shape {tuple(found.shape)} instead of {tuple(expected.shape)}", rule=rule
        )
    difference = float((found - expected).detach().abs().max()) if found.numel() else 0.0
    if not difference <= tolerance * scale:
        raise ContractViolation(
            place, value=f"a difference of {difference:.2e}, allowed are {tolerance * scale:.2e}", rule=rule
        )
