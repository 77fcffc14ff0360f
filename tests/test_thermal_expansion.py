"""Grüneisen parameters, the quasi-harmonic approximation and the conductivity, against closed forms and phonopy's own analysis."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from analytic_models import PairModel
from ase import Atoms
from ase.build import bulk
from torch import Tensor

from adiabat.errors import ConfigurationError, DataError, PropertyUnavailable, StructureError
from adiabat.potential import Committee, Potential
from adiabat.properties import from_rest, measured, relaxed_crystal
from adiabat.properties.phonons import (
    ConductivitySetup,
    EffectiveCharges,
    PhononSetup,
    QuasiHarmonic,
    conductivity,
    gruneisen,
    phonons,
    quasi_harmonic,
)
from adiabat.properties.phonons.phonons import set_forces
from adiabat.properties.phonons.thermal import mode_heat_capacities, thermodynamics
from adiabat.properties.phonons.thermal_views import (
    conductivity_figures,
    conductivity_sentences,
    conductivity_tables,
    gruneisen_figures,
    gruneisen_sentences,
    gruneisen_tables,
    quasi_harmonic_figures,
    quasi_harmonic_sentences,
    quasi_harmonic_tables,
)
from adiabat.system import Graph, PartState
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

BOLTZMANN = 8.617333262e-5
STIFF = PairModel(epsilon_ev={18: 0.5}, sigma={18: 3.40}, cutoff=5.2)
POWER, EDGE = 12, 5.3


@dataclass(frozen=True)
class InversePower:
    """V(r) = 1 eV (3.4 Å / r)¹², cut between the first and the second shell of the crystals here: every length scales."""

    kind: ClassVar[str] = "test_inverse_power"
    cutoff: float = 4.6
    interaction_range: float = 4.6
    species: tuple[int, ...] = (18,)

    def atomic_energies(self, graph: Graph) -> Tensor:
        graph = graph.within(self.cutoff)
        pair = (3.4**2 / graph.vectors().square().sum(-1)) ** (POWER // 2)
        return graph.batch.positions.new_zeros(graph.batch.n_atoms).index_add(0, graph.center, 0.5 * pair)

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        raise NotImplementedError


@pytest.fixture(scope="module")
def argon() -> tuple[Atoms, Potential]:
    potential = Potential([STIFF])
    return relaxed_crystal(bulk("Ar", a=5.3), potential), potential


@pytest.fixture(scope="module")
def expanded(argon: tuple[Atoms, Potential]) -> QuasiHarmonic:
    return quasi_harmonic(
        *argon, relative_volumes=np.linspace(0.97, 1.06, 10), temperatures_k=np.arange(0.0, 151.0, 25.0)
    )


def pressure_of_powers() -> float:
    """eV/Å³ of the crystal at `EDGE`: 12 neighbours, (n/3) E/V."""
    volume = EDGE**3 / 4
    energy = 6 * (3.4 * np.sqrt(2) / EDGE) ** POWER
    return POWER / 3 * energy / volume


def test_all_modes_of_an_inverse_power_have_one_gruneisen_parameter() -> None:
    crystal, potential = bulk("Ar", a=EDGE), Potential([InversePower()])
    found = gruneisen(crystal, potential, setup=PhononSetup.of(crystal, potential, repeats=(4, 4, 4)))
    volume, modulus = EDGE**3 / 4, (POWER / 3 + 1) * pressure_of_powers()

    assert found.mode_gruneisen == pytest.approx(POWER / 6 + 1 / 3, rel=2e-3)  # of the second order in the change
    assert found.special_gruneisen == pytest.approx(POWER / 6 + 1 / 3, rel=2e-3)
    assert found.mean_gruneisen == pytest.approx(POWER / 6 + 1 / 3, rel=2e-3)
    assert found.bulk_modulus_gpa == pytest.approx(modulus * GPA_PER_EV_PER_CUBIC_ANGSTROM, rel=1e-3)
    hot = (POWER / 6 + 1 / 3) * 3 * BOLTZMANN / (volume * modulus)
    assert found.thermal_expansion_per_k[-1] == pytest.approx(hot, rel=2e-2)  # kT is not far above all quanta


def test_a_hot_inverse_power_under_pressure_expands_by_its_equation_of_state() -> None:
    """p = (4 E + 3kT γ) / V with E as V⁻⁴ and γ = 7/3, while kT is above all quanta."""
    crystal, potential, gamma = bulk("Ar", a=EDGE), Potential([InversePower()]), 7 / 3
    pressure, temperature = pressure_of_powers(), 1000.0
    found = quasi_harmonic(
        crystal,
        potential,
        setup=PhononSetup.of(crystal, potential, repeats=(4, 4, 4)),
        relative_volumes=np.linspace(0.98, 1.04, 7),
        temperatures_k=np.array([temperature]),
        pressure_gpa=pressure * GPA_PER_EV_PER_CUBIC_ANGSTROM,
    )
    [volume] = found.volume_cubic_angstrom_per_atom
    thermal = 3 * BOLTZMANN * temperature * gamma
    static = pressure * (EDGE**3 / 4) * (volume / (EDGE**3 / 4)) ** -4
    modulus = (5 * static + thermal) / volume

    assert volume > 1.01 * EDGE**3 / 4
    assert (static + thermal) / volume == pytest.approx(pressure, rel=2e-3)
    assert found.bulk_modulus_gpa[0] == pytest.approx(modulus * GPA_PER_EV_PER_CUBIC_ANGSTROM, rel=1e-2)
    assert found.thermal_expansion_per_k[0] == pytest.approx(3 * BOLTZMANN * gamma / (volume * modulus), rel=2e-2)
    assert found.cell_lengths_angstrom[0] == pytest.approx([(4 * volume) ** (1 / 3) / np.sqrt(2)] * 3, rel=1e-5)


@pytest.mark.filterwarnings(
    "ignore:PhonopyQHA is deprecated"
)  # its successor is not in the lowest version that is taken
def test_phonopys_own_analysis_finds_the_same_expansion(
    argon: tuple[Atoms, Potential], expanded: QuasiHarmonic
) -> None:
    from phonopy import PhonopyQHA

    rest, potential = argon
    setup, temperatures = PhononSetup.of(rest, potential), np.arange(0.0, 171.0, 10.0)
    volumes, energies, heats = [], [], []
    for relative in expanded.relative_volumes:
        atoms = rest.copy()
        atoms.set_cell(rest.cell.array * relative ** (1 / 3), scale_atoms=True)
        set_forces(setup, atoms, potential)
        setup.phonopy.run_mesh(60.0)
        setup.phonopy.run_thermal_properties(temperatures=temperatures, exclude_gamma_acoustic=True)
        heats.append(setup.phonopy.thermal_properties)
        volumes.append(atoms.get_volume())
        energies.append(float(potential(atoms, want=("energy",)).energy[0]))  # type: ignore[index]
    theirs = PhonopyQHA(
        volumes=volumes,
        electronic_energies=energies,
        temperatures=temperatures,
        free_energy=np.array([heat.free_energy for heat in heats]).T,
        cv=np.array([heat.heat_capacity for heat in heats]).T,
        entropy=np.array([heat.entropy for heat in heats]).T,
        eos="birch_murnaghan",
    )
    place, ours = 15, 6

    assert expanded.temperatures_k[ours] == temperatures[place] == 150.0
    assert expanded.volume_cubic_angstrom_per_atom[ours] == pytest.approx(theirs.volume_temperature[place], rel=1e-5)
    assert expanded.bulk_modulus_gpa[ours] == pytest.approx(theirs.bulk_modulus_temperature[place], rel=1e-3)
    assert expanded.thermal_expansion_per_k[ours] == pytest.approx(theirs.thermal_expansion[place], rel=1e-2)


def test_the_expansion_is_the_slope_of_the_volume(expanded: QuasiHarmonic) -> None:
    volumes, temperatures = expanded.volume_cubic_angstrom_per_atom, expanded.temperatures_k
    slopes = np.diff(np.log(volumes)) / np.diff(temperatures)
    middles = 0.5 * (expanded.thermal_expansion_per_k[1:] + expanded.thermal_expansion_per_k[:-1])

    assert slopes[2:] == pytest.approx(middles[2:], rel=2e-2)
    assert expanded.thermal_expansion_per_k[0] == 0.0
    assert volumes[0] > expanded.static_volume_cubic_angstrom_per_atom  # the zero point
    assert (np.diff(expanded.bulk_modulus_gpa) < 0).all()
    assert expanded.heat_capacity_kb_per_atom[0] == 0.0
    assert expanded.heat_capacity_kb_per_atom[-1] > 2.0


def test_modes_add_up_to_the_heat_capacity() -> None:
    frequencies, weights, temperatures = (
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([1.0, 3.0]),
        np.array([50.0, 300.0]),
    )
    each = mode_heat_capacities(frequencies, weights, temperatures)

    assert each.sum((1, 2)) == pytest.approx(thermodynamics(frequencies, weights, temperatures).heat_capacity)


def test_the_conductivity_of_a_hot_crystal_falls_with_the_temperature(argon: tuple[Atoms, Potential]) -> None:
    rest, potential = argon
    setup = ConductivitySetup.of(PhononSetup.of(rest, potential), mesh=(5, 5, 5))
    found = conductivity(rest, potential, setup=setup, temperatures_k=np.array([100.0, 600.0, 1200.0]))
    tensor = found.conductivity_w_per_m_k

    natural = conductivity(rest, potential, setup=replace(setup, isotopes=True), temperatures_k=np.array([100.0]))

    assert found.displacements > 50
    assert natural.mean_conductivity_w_per_m_k[0] < found.mean_conductivity_w_per_m_k[0]
    assert "isotopes scatter" in conductivity_sentences(natural)[0]
    assert tensor == pytest.approx(found.mean_conductivity_w_per_m_k[:, None, None] * np.eye(3), abs=1e-6)
    hot = found.mean_conductivity_w_per_m_k[1:] * found.temperatures_k[1:]
    assert hot[1] == pytest.approx(hot[0], rel=1e-2)  # classical: scattering grows as T
    assert found.share_of_shorter_free_paths[0] < 0.05
    assert found.share_of_shorter_free_paths[-1] == pytest.approx(1.0)
    assert (np.diff(found.share_of_shorter_free_paths) >= 0).all()


def test_charges_split_the_optical_branches_by_the_plasma_frequency(tmp_path: Path) -> None:
    """ω_LO² - ω_TO² = e²Z²/(ε₀ ε V μ) in a cubic crystal of two ions."""
    potential = Potential([PairModel(epsilon_ev={18: 0.5, 36: 0.5}, sigma={18: 3.0, 36: 3.0}, cutoff=5.2)])
    rest = relaxed_crystal(bulk("ArKr", "rocksalt", a=6.2), potential)
    charge, dielectric = 1.1, 2.4
    lines = [
        "14.4",
        *(" ".join(str(x) for x in (value * np.eye(3)).ravel()) for value in (dielectric, charge, -charge)),
    ]
    (tmp_path / "BORN").write_text("\n".join(lines) + "\n")
    charges = EffectiveCharges.read(tmp_path / "BORN", rest)
    without = phonons(rest, potential, setup=PhononSetup.of(rest, potential))
    found = phonons(rest, potential, setup=PhononSetup.of(rest, potential, charges=charges))
    first, second = rest.get_masses()
    reduced = first * second / (first + second)
    squared = 4 * np.pi * 14.399645 * charge**2 / (dielectric * rest.get_volume() * reduced)  # eV/Å²/amu
    at_centre = found.special_frequencies_thz[found.special_points.index("Γ")]

    assert found.with_charges
    assert not without.with_charges
    assert at_centre[-1] ** 2 - at_centre[-2] ** 2 == pytest.approx(squared * 15.633302**2, rel=5e-3)
    assert at_centre[-2] == pytest.approx(without.special_frequencies_thz[0][-1], rel=5e-3)
    assert at_centre[:3] == pytest.approx([0] * 3, abs=0.3)


def test_charges_that_are_not_of_the_crystal_are_refused(tmp_path: Path, argon: tuple[Atoms, Potential]) -> None:
    file = tmp_path / "BORN"
    with pytest.raises(DataError, match="cannot be read"):
        EffectiveCharges.read(file, argon[0])
    for text in ("", "14.4\n1 2 3\n", "14.4\n" + " ".join(["1"] * 9) + "\n", "14.4\n" + "x " * 9 + "\n"):
        file.write_text(text)
        with pytest.raises(DataError) as caught:
            EffectiveCharges.read(file, argon[0])
        assert "nine numbers" in str(caught.value)


def test_what_cannot_be_expanded_is_refused(argon: tuple[Atoms, Potential]) -> None:
    rest, potential = argon
    with pytest.raises(ConfigurationError, match="3 volumes"):
        quasi_harmonic(rest, potential, relative_volumes=[0.98, 1.0, 1.02])
    with pytest.raises(StructureError, match="times that at rest at"):
        quasi_harmonic(
            rest, potential, relative_volumes=np.linspace(0.96, 1.01, 6), temperatures_k=np.array([0.0, 200.0])
        )
    with pytest.raises(StructureError, match="imaginary mode"):
        quasi_harmonic(rest, potential, relative_volumes=np.linspace(0.98, 1.6, 8))
    with pytest.raises(ConfigurationError, match=r"by 0\.5 of itself"):
        gruneisen(rest, potential, volume_change=0.5)
    moved = bulk("Ar", cubic=True, a=5.3)
    moved.positions[0] += 0.1
    with pytest.raises(StructureError, match="a force of"):
        gruneisen(moved, potential)
    with pytest.raises(ConfigurationError, match="a mesh of"):
        ConductivitySetup.of(PhononSetup.of(rest, potential), mesh=(0, 1, 1))


def test_without_phono3py_the_extra_is_named(argon: tuple[Atoms, Potential], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "phono3py", None)
    with pytest.raises(PropertyUnavailable, match="not installed") as caught:
        conductivity(*argon)
    assert "adiabat[conductivity]" in str(caught.value)


def test_members_give_error_bars_to_tables_and_plots(argon: tuple[Atoms, Potential]) -> None:
    members = [PairModel(epsilon_ev={18: 0.5 * factor}, sigma={18: 3.40}, cutoff=5.2) for factor in (0.95, 1.05)]
    committee = Committee([Potential([model]) for model in members])
    rest, setup = argon[0], PhononSetup.of(*argon)
    few = np.array([100.0, 300.0])
    scattering = ConductivitySetup.of(setup, mesh=(3, 3, 3))
    softening = partial(gruneisen, setup=setup, temperatures_k=few)
    expansion = partial(quasi_harmonic, setup=setup, temperatures_k=few[:1])
    heat = partial(conductivity, setup=scattering, temperatures_k=few)
    softened = measured(from_rest(softening, rest, committee)[1], committee, quiet=True)
    grown = measured(from_rest(expansion, rest, committee)[1], committee, quiet=True)
    carried = measured(from_rest(heat, rest, committee)[1], committee, quiet=True)

    # All energies by one factor: frequencies by its root, the bulk modulus by it, Grüneisen parameters not at all.
    assert np.max(np.asarray(softened.std("mean_gruneisen"))) < 0.02
    assert grown.std("static_bulk_modulus_gpa") == pytest.approx(0.05 * grown.result.static_bulk_modulus_gpa, rel=1e-2)
    assert (np.asarray(carried.std("mean_conductivity_w_per_m_k")) > 0).all()
    for tables, figures, sentences in (
        (gruneisen_tables(softened), gruneisen_figures(softened), gruneisen_sentences(softened.result)),
        (quasi_harmonic_tables(grown), quasi_harmonic_figures(grown), quasi_harmonic_sentences(grown.result)),
        (conductivity_tables(carried), conductivity_figures(carried), conductivity_sentences(carried.result)),
    ):
        assert "±" in str(tables[-1].rows)
        assert any(getattr(mark, "band", None) is not None for mark in figures[0].marks)
        assert "supercell of 4 x 4 x 4" in sentences[0]
