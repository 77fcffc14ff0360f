"""What keeps a rival from being measured; the table names it."""

import re


class Failed(Exception):
    """A rival did not come through a stage.

    Args:
        stage: Of what.
        reason: In its own words.
    """

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(f"{stage} failed: {reason}")


def last_words(text: str) -> str:
    """The line that tells most of what a program printed: the last error, or the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\bERROR\b|\w*Error\b", line)]
    return (errors or lines or ["it said nothing"])[-1][:300]
