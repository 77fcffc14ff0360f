"""What README and docs show runs, and what they name is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adiabat.data import demonstration_set

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def python_blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the example of the README has run, with the potential that it trained; and what it printed."""
    folder = tmp_path_factory.mktemp("documentation")
    for name in ("train.xyz", "test.xyz", "frames.xyz"):
        shutil.copy(demonstration_set(), folder / name)
    [example] = python_blocks(README)

    # The smallest basis: the example is the same, and takes seconds.
    small = example.replace("adiabat.train(structures)", "adiabat.train(structures, SMALL)")
    setting = 'import adiabat\nSMALL = adiabat.TrainConfig.parse({"basis": {"size": "small"}})\n'
    assert small != example
    return folder, printed_by(setting + small, folder)


def printed_by(program: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_example_of_the_readme_runs(worked: tuple[Path, str]) -> None:
    energy, by_ase = worked[1].split()[-2:]
    assert float(energy) == pytest.approx(float(by_ase), abs=1e-8)


def test_the_python_examples_on_uncertainty_run(worked: tuple[Path, str]) -> None:
    blocks = python_blocks((ROOT / "docs" / "uncertainty.md").read_text())
    assert blocks
    printed = printed_by("\n".join(blocks), worked[0])
    assert "68 % intervals hold" in printed
    assert "A structure is trusted where" in printed


def test_the_python_examples_on_observables_and_validation_run(worked: tuple[Path, str]) -> None:
    """The run that the first one reads is made as the README makes one."""
    [observables] = python_blocks((ROOT / "docs" / "observables.md").read_text())
    [validation] = python_blocks((ROOT / "docs" / "validation.md").read_text())
    crystal = "from ase.build import bulk\nstart = bulk('Si', cubic=True)\n"
    config = "SimulationConfig(ensemble='nve', timestep_fs=2.0, steps=40, temperature_k=300.0)"
    run = f"import adiabat\nfrom adiabat.simulate import SimulationConfig, simulate\n{crystal}"
    run += f"simulate(start, adiabat.load('si.adiabat'), {config}, folder='run', quiet=True)\n"
    assert 2.0 < float(printed_by(run + observables, worked[0])) < 3.0
    assert "checks passed" in printed_by(validation, worked[0])


@pytest.mark.parametrize(
    "command",
    ["check", "train", "evaluate", "info", "md", "validate", "analyse", "relax", "elastic", "label", "learn", "doctor"],
)
def test_each_command_of_the_readme_explains_itself_with_an_example(command: str) -> None:
    assert f"adiabat {command} " in README
    done = subprocess.run(
        [Path(sys.executable).parent / "adiabat", command, "--help"], capture_output=True, text=True, check=True
    )
    assert f"Example: adiabat {command}" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "page", ["README.md", "ARCHITECTURE.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]
)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text()):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target.partition("#")[0]).exists(), target


def test_the_map_names_every_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    folders = [p.name for p in (ROOT / "src" / "adiabat").iterdir() if p.is_dir() and not p.name.startswith("_")]

    assert not [name for name in folders if f"`{name}/`" not in text]
