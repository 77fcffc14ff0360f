"""The silicon data that the package ships; README.md beside it says where they are from."""

from pathlib import Path


def demonstration_set() -> Path:
    """The file (extended XYZ): PBE labels of small silicon structures."""
    return Path(__file__).with_name("silicon.xyz")
