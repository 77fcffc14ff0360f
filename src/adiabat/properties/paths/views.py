"""What a path shows."""

import numpy as np

from adiabat.properties.measured import Measured
from adiabat.properties.paths.neb import MinimumEnergyPath
from adiabat.results import Figure, Line, Table


def path_sentences(result: MinimumEnergyPath) -> tuple[str, ...]:
    """What was found of the saddle."""
    said = [f"{len(result.images) - 2} images between the ends, {result.steps} steps"]
    if not result.converged:
        said.append(f"NOT CONVERGED: {result.advice}")
    if result.dips:
        said.append(f"minima between the ends at image {', '.join(map(str, result.dips))}: split the path there")
    if result.negative_modes is not None:
        said.append(
            "the saddle has one unstable mode"
            if result.negative_modes == 1
            else f"NOT A SADDLE of first order: {result.negative_modes} unstable modes"
        )
        said.append(
            "its two sides lead to the two ends"
            if result.leads_to_ends
            else "ITS SIDES DO NOT LEAD TO THE TWO ENDS: it belongs to another path, or there is a minimum between"
        )
    if result.members_without_barrier:
        seen = (
            "1 member sees" if result.members_without_barrier == 1 else f"{result.members_without_barrier} members see"
        )
        said.append(f"{seen} no barrier: counted with what there is to climb, and with the potential's own prefactor")
    return tuple(said)


def path_tables(found: Measured[MinimumEnergyPath]) -> tuple[Table, ...]:
    """Rates by temperature."""
    result = found.result
    if result.rate_per_s is None or result.wigner_factor is None:
        return ()
    low, high = result.rate_low_95_per_s, result.rate_high_95_per_s
    rows = tuple(
        (
            float(temperature),
            f"{result.rate_per_s[place]:.3g}",
            "" if low is None or high is None else f"{low[place]:.2g} to {high[place]:.2g}",
            float(result.wigner_factor[place]),
            None if result.eckart_factor is None else float(result.eckart_factor[place]),
        )
        for place, temperature in enumerate(result.temperatures_k)
    )
    columns = ("temperature (K)", "rate (1/s)", "95 % interval", "tunnelling (Wigner)", "tunnelling (Eckart)")
    return (Table("rates", "Rates by harmonic transition-state theory", columns, rows),)


def path_figures(found: Measured[MinimumEnergyPath]) -> tuple[Figure, ...]:
    """Energy along the path."""
    result, std = found.result, found.std("energies_ev")
    line = Line(result.path_angstrom, result.energies_ev, "images", band=None if std is None else np.asarray(std))
    note = "" if std is None else "The band is one standard deviation wide either way."
    return (
        Figure(
            "path",
            "Energy along the path",
            "length along the path (Å)",
            "energy above the first end (eV)",
            (line,),
            note=note,
        ),
    )
