"""Where the reference data for tests lie: read in place, never part of the repository."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def reference_data(name: str) -> Path:
    """The path of a reference file, for use within a pytest test.

    The folder is the environment variable ``ADIABAT_DATA``, else ``../shared/data`` from the repository's root.
    Where the file is missing the test is skipped; under ``CI=true`` it fails.

    Args:
        name: Path below the folder, such as ``mlearn/Si_train.xyz``.
    """
    import pytest

    folder = Path(os.environ.get("ADIABAT_DATA") or REPOSITORY.parent / "shared" / "data")
    file = folder / name
    if not file.exists():
        reason = f"reference data are missing: {file} (set ADIABAT_DATA to the folder that holds {name})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return file
