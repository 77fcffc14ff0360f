"""What the build says where something is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_a_machine_without_a_compiler_is_told_what_to_install(tmp_path: Path) -> None:
    beside_python = Path(sys.executable).parent
    cmake = shutil.which("cmake", path=f"{beside_python}{os.pathsep}{os.environ['PATH']}")
    if cmake is None:
        pytest.skip("there is no cmake on this machine; a build brings its own")
    environment = {name: value for name, value in os.environ.items() if name not in ("CC", "CXX")}

    run = subprocess.run(
        [cmake, "-S", str(ROOT), "-B", str(tmp_path), "-DCMAKE_MAKE_PROGRAM=none"],
        env=environment | {"PATH": str(tmp_path / "nothing")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode != 0
    assert "there is no C++ compiler here" in " ".join(run.stderr.split())
    assert "apt install g++" in " ".join(run.stderr.split())
