"""Our own presets, by the command that users type and the engine that they run."""

import subprocess
import sys
from pathlib import Path

import torch
from ase import Atoms
from serving import TIMESTEP_FS, Advance, AseSubject, Order, serve

import adiabat
from adiabat.potential import Potential, load_potential
from adiabat.simulate import Follower, Streams, VelocityVerlet
from adiabat.system import Batch

FILE = "si.adiabat"


class Preset(AseSubject):
    """Structures by the ASE calculator; dynamics by the engine behind `adiabat md`."""

    def __init__(self, potential: Potential) -> None:
        super().__init__(potential.calculator())
        self.potential = potential

    def dynamics(self, atoms: Atoms) -> Advance:
        batch = Batch.from_atoms(atoms)
        follower, integrator = Follower(self.potential), VelocityVerlet(TIMESTEP_FS)
        state = integrator.init(
            batch,
            follower,
            velocities=torch.zeros_like(batch.positions),
            masses=torch.from_numpy(atoms.get_masses()),
            streams=Streams.of(batch, 0),
        )

        def advance(steps: int) -> None:
            nonlocal state
            for _ in range(steps):
                state = integrator.step(state, follower)

        return advance


def load(model: str, precision: str, folder: Path) -> Preset:
    del model
    return Preset(load_potential(folder / FILE).to(dtype=getattr(torch, precision)))


def train(order: Order) -> str:
    command = [Path(sys.executable).parent / "adiabat", "train", order.data, "--out", order.folder / FILE]
    subprocess.run([*command, "--set", f"basis.size={order.model}", "--threads", "1"], check=True)
    said = adiabat.load(order.folder / FILE).metadata["training"]
    return f"`adiabat train`, defaults; {said['functions']} functions"


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(load, train, ["adiabat", "torch"])
