"""Exploration: courses, a bias towards what is not known, what is chosen of what was met, and labels that are added."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms, units
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from narrowing import present

from adiabat.data import measure_distances
from adiabat.errors import PropertyUnavailable, StructureError
from adiabat.learning import LearnConfig
from adiabat.learning.acquisition import DRIFT_FS, choose, energy_drift_ev
from adiabat.learning.bands import IMAGES, alike, band_images
from adiabat.learning.biased import BiasedPotential
from adiabat.learning.config import Acquisition, BiasConfig
from adiabat.learning.course import FRAMES, Course
from adiabat.learning.cut_out import SEAM_ANGSTROM, cut_out
from adiabat.learning.explore import explore
from adiabat.learning.first_structures import around, isolated_atoms
from adiabat.learning.judge import Frame, judge
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled, Labels
from adiabat.training import TrainConfig
from adiabat.training.train import fit
from adiabat.training.update import structures_of_last_training, update
from adiabat.uncertainty import LinearPosterior, Part

COPPER = bulk("Cu", cubic=True)


def labelled(structures: Sequence[Labelled]) -> list[Labelled]:
    """By ASE's EMT, with some noise: labels that the basis fits exactly leave nothing but rounding to compare."""
    found, rng = [], np.random.default_rng(0)
    for one in structures:
        atoms = one.atoms.copy()
        atoms.calc = EMT()
        stress = None if one.is_isolated_atom else atoms.get_stress(voigt=False)
        noise = 0.02 * rng.normal(size=atoms.positions.shape)
        labels = Labels(float(atoms.get_potential_energy()), atoms.get_forces() + noise - noise.mean(0), stress)
        found.append(Labelled(one.atoms, labels, one.config_type, one.group, one.place))
    return found


@pytest.fixture(scope="module")
def data() -> list[Labelled]:
    return labelled([*isolated_atoms([COPPER]), *around(COPPER, 19, volumes=(0.9, 1.1), seed=0)])


@pytest.fixture(scope="module")
def potential(data: list[Labelled]) -> Potential:
    config = TrainConfig.parse({"basis": {"size": "small", "cutoff_angstrom": 4.0}, "repulsion": {"enabled": False}})
    return fit(data[:14], config, quiet=True)


# --- labels that are added


def test_labels_that_are_added_give_the_least_squares_of_both(potential: Potential, data: list[Labelled]) -> None:
    """Against a dense least-squares solution with the rows of the prior's square root above those of the labels."""
    known = present(potential.linear_deviations)
    model, posterior = known.model, known.uncertainty.posterior
    half = (posterior.covariance.factor.T / posterior.covariance.scale).numpy()
    rows, targets = [half], [half @ posterior.mean.numpy()]
    for one in data[14:]:
        batch = Batch.from_atoms(one.atoms)
        found, n = model.design_rows(neighbor_graph(batch, model.cutoff)), len(one.atoms)
        shift = n * float(potential.parts[0].atomic_energies(neighbor_graph(batch, model.cutoff))[0])
        rows += [found.energy.numpy()[None] / n / posterior.noise["energy"]]
        targets += [np.array([present(one.labels.energy) - shift]) / n / posterior.noise["energy"]]
        rows += [found.forces.numpy() / posterior.noise["forces"]]
        targets += [present(one.labels.forces).ravel() / posterior.noise["forces"]]
        voigt = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))
        rows += [found.virial.numpy()[voigt] / one.atoms.get_volume() / posterior.noise["stress"]]
        targets += [present(one.labels.stress)[voigt] / posterior.noise["stress"]]
    together = np.vstack(rows)
    expected = np.linalg.lstsq(together, np.concatenate(targets), rcond=None)[0]
    after = update(potential, data[:14], data[14:], quiet=True)
    updated = after.attachments["posterior"]
    assert isinstance(updated, LinearPosterior)
    off, moved = ((together[len(half) :] @ (expected - mean.numpy())) for mean in (updated.mean, posterior.mean))
    assert np.abs(off).max() < 1e-3  # of the noise
    assert np.abs(moved).max() > 1


def test_labels_may_be_added_one_by_one(potential: Potential, data: list[Labelled]) -> None:
    at_once = update(potential, data[:14], data[14:], quiet=True)
    step = update(potential, data[:14], data[14:16], quiet=True)
    step = update(step, data[:16], data[16:], quiet=True)
    probe = data[3].atoms
    one, other = (p(probe, want=("energy", "forces", "forces_std")) for p in (at_once, step))
    std = present(one.forces_std)
    assert ((present(one.forces) - present(other.forces)).abs() < 0.01 * std).all()
    assert torch.allclose(std, present(other.forces_std), rtol=1e-2)
    assert structures_of_last_training(step) == 14
    assert step.metadata["data"] == at_once.metadata["data"]


def test_an_updated_potential_is_stored_and_surer_of_what_it_has_seen(
    potential: Potential, data: list[Labelled], tmp_path: Path
) -> None:
    after = update(potential, data[:14], data[14:], quiet=True)
    after.save(tmp_path / "after.adiabat")
    for one in data[14:]:
        before, now = (present(p(one.atoms, want=("forces_std_misfit",)).forces_std_misfit) for p in (potential, after))
        assert (now < before).all()


# --- courses


def test_what_is_left_of_a_course_goes_on_with_its_ramp() -> None:
    config = LearnConfig.parse({"explore": {"ramp": True, "steps": 1000}, "temperature_k": [100, 1100]})
    course = Course.drawn([COPPER], config, generation=0, number=3)
    assert course.temperature_k == (100, 1100)
    left = course.left_after(400, COPPER)
    assert left is not None
    assert left.temperature_k == (500, 1100)
    assert (left.steps, left.every, left.is_whole) == (600, course.every, False)
    assert Course.from_json(left.to_json()).simulation(1.0) == left.simulation(1.0)
    assert course.left_after(990, COPPER) is None


def test_pressures_are_for_crystals_and_volumes_for_the_rest() -> None:
    config = LearnConfig.parse({"pressure_gpa": [1, 2]})
    crystal, lone = (
        Course.drawn([one], config, generation=0, number=0) for one in (COPPER, Atoms("Cu2", [[0, 0, 0], [2.5, 0, 0]]))
    )
    assert crystal.simulation(1.0).ensemble == "npt"
    assert crystal.pressure_gpa is not None
    assert 1 <= crystal.pressure_gpa <= 2
    assert lone.simulation(1.0).ensemble == "nvt"


def test_every_second_explorer_lacks_an_atom() -> None:
    config = LearnConfig.parse({"explore": {"vacancies": True}})
    sizes = [len(Course.drawn([COPPER], config, generation=0, number=number).atoms) for number in range(4)]
    assert sizes == [4, 3, 4, 3]


def test_a_course_goes_on_from_the_last_sure_frame(potential: Potential, tmp_path: Path) -> None:
    """The limit is set so that some frame in the middle is the first unsure one."""
    config = LearnConfig.parse({"explore": {"steps": 100, "explorers": 1}, "temperature_k": [600, 600]})
    course = Course.drawn([COPPER], config, generation=0, number=0)
    free = explore(
        [course], potential, config.model_copy(update={"force_std_ev_per_angstrom": 1e3}), tmp_path / "a", generation=0
    )
    stds = [frame.force_std_ev_per_angstrom for frame in free.frames]
    if not all(frame.sure for frame in free.frames):
        pytest.fail("the run left the training")
    first = next(place for place in range(1, FRAMES) if stds[place] > max(stds[:place]))
    limit = 0.5 * (stds[first] + max(stds[:first]))
    found = explore(
        [course],
        potential,
        config.model_copy(update={"force_std_ev_per_angstrom": limit}),
        tmp_path / "b",
        generation=0,
    )
    (left,) = found.left
    assert left is not None
    assert left.steps == 100 - first * course.every
    assert np.allclose(left.atoms.positions, free.frames[first - 1].atoms.positions)
    assert left.atoms.get_velocities().any()
    assert len(found.frames) == first + 2


# --- the bias


@pytest.fixture(scope="module")
def biased(potential: Potential, data: list[Labelled]) -> BiasedPotential:
    return BiasedPotential(potential, BiasConfig(), [one.atoms for one in data[1:6]])


def hot() -> Atoms:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.15, seed=5)
    return atoms


def test_forces_and_stress_of_a_biased_potential_are_slopes_of_its_energy(biased: BiasedPotential) -> None:
    atoms, step = hot(), 1e-4
    found = biased(atoms, want=("energy", "forces", "stress"))
    for moved in (0, 2):
        for axis in range(3):
            ends = []
            for sign in (1, -1):
                other = atoms.copy()
                other.positions[moved, axis] += sign * step
                ends.append(float(present(biased(other, want=("energy",)).energy)))
            assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(
                float(present(found.forces)[moved, axis]), abs=1e-6
            )
    ends = []
    for sign in (1, -1):
        other = atoms.copy()
        other.set_cell(atoms.cell.array @ np.diag([1 + sign * step, 1, 1]), scale_atoms=True)
        ends.append(float(present(biased(other, want=("energy",)).energy)))
    slope = (ends[0] - ends[1]) / (2 * step) / atoms.get_volume()
    assert slope == pytest.approx(float(present(found.stress)[0, 0, 0]), abs=1e-6)


def test_a_bias_lowers_what_is_not_known_and_never_by_more_than_its_bound(
    potential: Potential, biased: BiasedPotential
) -> None:
    lowered = []
    for amplitude in (0.0, 0.1, 0.3):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(amplitude, seed=1)
        before, after = (present(p(atoms, want=("energy",)).energy) for p in (potential, biased))
        lowered.append(float(before - after))
    assert 0 <= lowered[0] < lowered[1] <= lowered[2] <= 4 * BiasConfig().most_ev_per_atom + 1e-6


def test_a_bias_has_the_strength_that_was_asked_for(potential: Potential, data: list[Labelled]) -> None:
    """With a bound far away: a quarter of the forces, root mean square over the structures that it was measured on."""
    typical = [one.atoms for one in data[1:6]]
    free = BiasedPotential(potential, BiasConfig(strength=0.25, most_ev_per_atom=1e3), typical)
    own, driven = (present(p(typical, want=("forces",)).forces) for p in (potential, free))
    ratio = float((driven - own).square().mean().sqrt() / own.square().mean().sqrt())
    assert ratio == pytest.approx(0.25, rel=1e-3)


def test_a_biased_potential_gives_no_error_bars(biased: BiasedPotential) -> None:
    with pytest.raises(PropertyUnavailable, match="ask the potential itself"):
        biased(hot(), want=("energy_std",))


# --- what is chosen


def frames(sure: Sequence[bool]) -> list[Frame]:
    found = []
    for seed, each in enumerate(sure):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.05 + 0.01 * seed, seed=seed)
        bare = atoms.copy()
        atoms.set_velocities(np.random.default_rng(seed).normal(scale=0.01, size=(4, 3)))
        found.append(Frame(Labelled(bare, place=str(seed)), atoms, 0.1 * seed, 0, float(seed), each))
    return found


@pytest.mark.parametrize("by", ["information", "force_std", "energy_drift", "grade"])
def test_only_frames_that_it_is_unsure_of_are_chosen(potential: Potential, by: Acquisition) -> None:
    few = choose(frames([True] * 6 + [False] * 2), potential, 3, by=by)
    assert {one.structure.place for one in few} == {"6", "7"}
    assert choose(frames([True] * 5), potential, 10, by=by) == []
    assert len({one.structure.place for one in choose(frames([False] * 8), potential, 3, by=by)}) == 3


@pytest.mark.parametrize("by", ["force_std", "grade"])
def test_the_least_worthy_frames_are_not_chosen(potential: Potential, by: Acquisition) -> None:
    chosen = choose(frames([False] * 12), potential, 2, by=by)
    assert min(int(one.structure.place) for one in chosen) >= 6  # of the six worthiest those that differ most


def test_a_lot_is_drawn_of_all_frames(potential: Potential) -> None:
    chosen = [
        [one.structure.place for one in choose(frames([True] * 12), potential, 4, by="random", seed=seed)]
        for seed in (0, 0, 1)
    ]
    assert chosen[0] == chosen[1] != chosen[2]


def test_the_drift_of_the_energy_is_that_of_the_work_of_members_about_their_mean(potential: Potential) -> None:
    """A committee drawn from what is not known scatters in Σ v·F t as the covariance says; of 400 members to 15 %."""
    (frame,) = frames([False])
    velocities = torch.from_numpy(frame.atoms.get_velocities())
    scale = present(potential.linear_deviations).uncertainty.spread.calibration.scale["forces"]
    variance = 0.0
    factors: dict[Part, float] = {"parametric": 1.0, "misfit": scale}
    for part, factor in factors.items():
        members = potential.committee(part, size=400, seed=3)
        each = members.each(frame.structure.atoms, want=("forces",))
        work = [float((present(one.forces) * velocities).sum()) for one in each]
        variance += (factor * float(np.std(work)) * DRIFT_FS * units.fs) ** 2
    assert energy_drift_ev(potential, frame) == pytest.approx(variance**0.5, rel=0.15)


def test_atoms_at_rest_have_no_drift(potential: Potential) -> None:
    (frame,) = frames([False])
    frame.atoms.set_velocities(np.zeros((4, 3)))
    with pytest.raises(PropertyUnavailable, match="at rest"):
        energy_drift_ev(potential, frame)


def test_far_frames_are_not_sure_however_small_their_error_bars(potential: Potential) -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.set_cell(0.8 * atoms.cell.array, scale_atoms=True)
    near, far = judge(potential, [(Labelled(one), one) for one in (bulk("Cu", cubic=True), atoms)], force_std_limit=1e3)
    assert near.sure
    assert not far.sure
    assert far.grade > 1


# --- paths


def test_images_of_a_band_lie_between_its_ends(potential: Potential) -> None:
    """An atom next to a vacancy, which changes place with it."""
    whole = bulk("Cu", cubic=True).repeat(2)
    first = whole[1:]
    last = first.copy()
    nearest = int(whole.get_distances(0, range(1, 32), mic=True).argmin())
    last.positions[nearest] = whole.positions[0]
    images = band_images([first, COPPER, first, last], potential)
    assert len(images) == IMAGES
    vectors = last.positions[nearest] - first.positions[nearest]
    hop = vectors - whole.cell.cartesian_positions(np.round(whole.cell.scaled_positions(vectors[None])))[0]
    along = [float((one.positions[nearest] - first.positions[nearest]) @ hop / (hop @ hop)) for one in images]
    assert all(0 < earlier < later < 1 for earlier, later in pairwise(along))


def test_only_what_a_path_can_lead_between_is_alike() -> None:
    moved = COPPER.copy()
    moved.positions[1] += 0.3
    wider = COPPER.copy()
    wider.set_cell(1.1 * COPPER.cell.array)
    assert alike(COPPER, moved)
    assert not alike(COPPER, wider)
    assert not alike(COPPER, bulk("Ag", cubic=True))


# --- cut-outs


def test_the_surroundings_of_an_atom_are_cut_out_as_they_are(potential: Potential) -> None:
    atoms = bulk("Cu", cubic=True).repeat(5)
    atoms.rattle(0.1, seed=3)
    part = cut_out(atoms, 17, most_atoms=108, potential=potential)
    assert 80 <= len(part) <= 108
    assert part.pbc.all()
    around_it = [one.get_distances(k, range(len(one)), mic=True) for one, k in ((atoms, 17), (part, 0))]
    near = [np.sort(distances[distances < part.cell.array[0, 0] / 2 - SEAM_ANGSTROM]) for distances in around_it]
    assert len(near[0]) > 12
    assert near[0] == pytest.approx(near[1][: len(near[0])], abs=1e-9)
    assert measure_distances([Labelled(part)], quiet=True).least()[0] > 1.8


def test_molecules_are_cut_out_whole(potential: Potential) -> None:
    """Water in a box, one molecule across its edge."""
    places = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3) * 3.1
    water = Atoms()
    for place in places:
        one = molecule("H2O")
        one.positions += place
        water += one
    water.set_cell([12.4] * 3)
    water.pbc = True
    water.wrap()
    part = cut_out(water, 0, most_atoms=40, potential=potential)
    assert part.get_chemical_formula() == "H26O13"
    assert not part.pbc.any()
    distances = part.get_all_distances()
    hydrogens = (distances[part.numbers == 8] < 1.1).sum(1) - 1
    assert (hydrogens == 2).all()
    assert np.allclose(part.positions[0], 0)


@pytest.mark.parametrize(
    ("atoms", "most"),
    [(bulk("Cu", cubic=True).repeat(4), 8), (molecule("C6H6"), 6), (bulk("Cu").repeat((1, 1, 40)), 30)],
)
def test_surroundings_that_do_not_fit_are_refused(potential: Potential, atoms: Atoms, most: int) -> None:
    with pytest.raises(StructureError, match="fit into a structure"):
        cut_out(atoms, 0, most_atoms=most, potential=potential)


def test_what_is_small_enough_is_not_cut(potential: Potential) -> None:
    assert cut_out(COPPER, 0, most_atoms=4, potential=potential) is COPPER
