"""ContractViolation: how a contract says what broke it."""


class ContractViolation(AssertionError):
    """Something does not keep its contract.

    Args:
        place: What was checked: the structure, the quantity.
        value: What was found.
        rule: What the contract asks for.
    """

    def __init__(self, place: str, *, value: str, rule: str) -> None:
        self.place, self.value, self.rule = place, value, rule
        super().__init__(f"{place}: {value}\n  rule: {rule}")
