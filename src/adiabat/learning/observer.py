"""Observer: who is told how a run goes on."""

from pathlib import Path

from adiabat.learning.estimate import CostEstimate


class Observer:
    """Does nothing; derive from it what does something."""

    def estimated(self, estimate: CostEstimate) -> None:
        """Before the first label is asked for, and again where a run goes on.

        Args:
            estimate: What the run costs.
        """

    def turned(self, folder: Path) -> None:
        """After each generation, and at the end.

        Args:
            folder: Of the run.
        """
