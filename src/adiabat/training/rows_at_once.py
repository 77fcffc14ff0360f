"""How many rows of the design matrix wait to be summed together."""

import numpy as np

BYTES_AT_ONCE, ROWS_AT_ONCE = 6e7, (1000, 8000)
"""Of rows of the design matrix that wait to be summed; from, to."""


def rows_at_once(columns: int) -> int:
    """How many rows are summed at once: so many that fetching the sums costs little beside the products."""
    return int(np.clip(BYTES_AT_ONCE / (8 * columns), *ROWS_AT_ONCE))
