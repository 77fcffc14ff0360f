"""The contract of an energy model."""

import json
from collections.abc import Collection

import torch

from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.scales import energy_scales
from adiabat.system import Batch, EnergyModel, PartState, restore
from adiabat.testing.comparison import require_close
from adiabat.testing.potential import ROUNDING, check_potential
from adiabat.testing.structures import Case, contract_cases, default_length
from adiabat.testing.violation import ContractViolation


def check_energy_model(
    model: EnergyModel, *, length: float | None = None, radii: Collection[float] = (), stored: bool = True
) -> None:
    """Everything that potentials and files rely on, in float64; then the contract of the potential that it alone makes.

    Args:
        model: What is checked.
        length: Å, a distance between neighbours that it can evaluate; by default from covalent radii.
        radii: Å, further radii at which a term begins or ends.
        stored: Whether it can be stored.

    Raises:
        ContractViolation: With the structure, the value and the rule.
    """
    check_declarations(model)
    model = model.to(dtype=torch.float64)
    length = length or default_length(model.species)
    cases = contract_cases(model.species, length=length)
    check_atomic_energies(model, cases)
    if stored:
        check_state(model, cases)
    check_potential(Potential([model]), length=length, radii=radii, stored=stored)


def check_declarations(model: EnergyModel) -> None:
    """What a model says of itself makes sense."""
    if not isinstance(model, EnergyModel):
        raise ContractViolation(
            type(model).__name__, value="lacks some", rule="a model has the methods and properties of EnergyModel"
        )
    species = list(model.species)
    rules = {
        "a kind is a short name": isinstance(model.kind, str) and model.kind != "",
        "a cutoff is a positive length": 0 < model.cutoff < float("inf"),
        "an interaction range is not negative": model.interaction_range >= 0,
        "species are one or more, ascending": len(species) > 0 and species == sorted(set(species)),
    }
    for rule, kept in rules.items():
        if not kept:
            raise ContractViolation(type(model).__name__, value="declares otherwise", rule=rule)


def check_atomic_energies(model: EnergyModel, cases: list[Case]) -> None:
    """One energy per atom, in its order, and none that changes with the atoms of another structure."""
    batch = Batch.from_atoms([case.atoms for case in cases])
    positions = batch.positions.clone().requires_grad_()
    energies = model.atomic_energies(neighbor_graph(batch, model.cutoff).on(batch.replace(positions=positions)))
    if energies.shape != (batch.n_atoms,) or energies.dtype != positions.dtype:
        found = f"shape {tuple(energies.shape)} of {energies.dtype}"
        raise ContractViolation("atomic energies", value=found, rule="one energy per atom, of the positions' type")
    if not bool(torch.isfinite(energies).all()):
        raise ContractViolation("atomic energies", value=str(energies), rule="energies are finite")
    if not energies.requires_grad:
        return
    for index, case in enumerate(cases):
        mine = batch.system == index
        (slope,) = torch.autograd.grad(energies[mine].sum(), positions, retain_graph=True)
        if bool((slope[~mine] != 0).any()):
            raise ContractViolation(
                f"{case.name}, in a batch",
                value="its energy has a derivative with the positions of another structure",
                rule="structures in a batch do not feel each other",
            )


def check_state(model: EnergyModel, cases: list[Case]) -> None:
    """The state holds JSON values and tensors, and the model that it describes has the same energies."""
    state = model.to_state()
    values = json.loads(json.dumps(state.values, allow_nan=False))
    restored = restore(PartState(state.kind, values, state.tensors))
    graph = neighbor_graph(Batch.from_atoms([case.atoms for case in cases]), model.cutoff)
    for index, scale in enumerate(energy_scales([model], graph).tolist()):
        mine = graph.batch.system == index
        require_close(
            restored.atomic_energies(graph)[mine],
            model.atomic_energies(graph)[mine],
            scale=scale,
            tolerance=ROUNDING,
            place=f"{cases[index].name}: atomic energies of the restored model",
            rule="what is stored is restored",
        )
