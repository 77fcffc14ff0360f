"""Every command and example on the pages of properties runs."""

import re
from pathlib import Path

import pytest
from analytic_models import PairModel
from ase import Atoms
from ase.build import bulk
from ase.io import write

from adiabat.cli.app import EXIT_FINE, run
from adiabat.potential import Committee, Potential
from adiabat.potential.file import save_potential
from adiabat.properties.boundaries import Bicrystal

PAGES = sorted((Path(__file__).parents[1] / "docs" / "properties").glob("*.md"))
COMMANDS = [line.strip() for page in PAGES for line in page.read_text().splitlines() if line.startswith("    adiabat ")]
STIFF_ARGON = PairModel(epsilon_ev={18: 0.5, 36: 0.55}, sigma={18: 3.40, 36: 3.45}, cutoff=5.2)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the pages take as given."""
    monkeypatch.chdir(tmp_path)
    crystal = bulk("Ar", a=5.35)
    save_potential(Potential([STIFF_ARGON]), tmp_path / "potential.adiabat", canaries=[crystal])
    structures = [bulk("Ar", cubic=True, a=5.4) for _ in range(3)]
    for seed, atoms in enumerate(structures):
        atoms.rattle(0.1, seed=seed)
    full = bulk("Ar", cubic=True, a=5.35).repeat(2)
    first, last = full[1:], full[1:]
    last.positions[0] = full.positions[0]
    alloy = bulk("Ar", cubic=True, a=5.37).repeat(2)
    alloy.numbers[::2] = 36
    write("crystal.xyz", crystal)
    write("alloy.xyz", alloy)
    write("bicrystal.xyz", Bicrystal.of(crystal, (1, 1, 1), thickness_angstrom=9.0).atoms.repeat((2, 2, 1)))
    write("structures.xyz", structures)
    write("crystals.xyz", [crystal, bulk("Ar", "hcp", a=3.78, c=6.2)])
    write("first.xyz", first)
    write("last.xyz", last)
    write("ends.xyz", [first, last])
    write("cluster.xyz", Atoms("Ar3", positions=[[0, 0, 0], [3.8, 0, 0], [1.9, 3.3, 0]]))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[1])
def test_the_command_of_a_page_runs_and_writes_what_it_names(place: Path, command: str) -> None:
    words = command.split()[1:]
    assert run(words) == EXIT_FINE

    for option in ("--json", "--report", "--out"):
        if option in words:
            assert (place / words[words.index(option) + 1]).stat().st_size > 100


def test_each_command_has_a_page_a_formula_a_picture_and_a_reference() -> None:
    for page in PAGES:
        if page.name != "README.md":
            text = page.read_text()
            assert len(re.findall(r"^    adiabat ", text, flags=re.MULTILINE)) == 1, page.name
            assert re.search(r"^    .*=.*", text, flags=re.MULTILINE), page.name
            [picture] = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
            assert (page.parent / picture).exists(), picture
            assert re.search(r"\(\d{4}\)", text), page.name


def test_the_python_example_runs(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PAGES[0].parent / "README.md").read_text()
    [example] = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    members = [PairModel(epsilon_ev={18: 0.5 * factor}, sigma={18: 3.40}, cutoff=5.2) for factor in (0.9, 1.0, 1.1)]
    monkeypatch.setattr("adiabat.load", lambda file: Committee([Potential([model]) for model in members]))
    exec(example.replace('bulk("Si")', 'bulk("Ar", a=5.35)').replace("members=4, ", ""), {})

    stiffness, bar = (float(word) for word in capsys.readouterr().out.split())
    assert stiffness > 0
    assert bar > 0


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
