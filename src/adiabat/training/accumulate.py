"""One pass over the structures: their rows are made, summed and forgotten."""

from collections.abc import Iterator, Sequence
from functools import partial

from adiabat.runs import side_by_side, track
from adiabat.system import Labelled
from adiabat.training.checkpoint import TrainingCheckpoint
from adiabat.training.examples import Example, ExampleMaker, count_rows
from adiabat.training.hyperparameters import SearchConfig
from adiabat.training.judged import judged_structures
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation
from adiabat.training.rows_at_once import rows_at_once


def accumulate(
    prepared: Preparation,
    config: SearchConfig,
    *,
    before: NormalEquations | None = None,
    saved: TrainingCheckpoint | None = None,
    quiet: bool = False,
) -> tuple[NormalEquations, list[Example]]:
    """The sums over all structures, and the rows of those whose left-out errors are going to count.

    Args:
        prepared: What is fitted to what.
        config: Which structures count.
        before: Sums over the first of the structures, to go on from.
        saved: Where to save sums now and then.
        quiet: Show no progress.
    """
    structures, make = prepared.fitted, ExampleMaker(prepared.model, prepared.baseline)
    n_species, n_functions = len(prepared.model.species), prepared.model.basis.n_functions
    equations = before or NormalEquations(n_species, n_functions, per_config_type=config.noise_per_config_type)
    chosen = set(judged_structures([structure.config_type for structure in structures], config))
    done = equations.done
    kept = _made(make, [structures[index] for index in sorted(chosen) if index < done])

    def one_by_one() -> Iterator[None]:
        for part in parts(structures, columns=equations.columns):
            if part.start < done:
                continue
            examples = _made(make, structures[part.start : part.stop])
            equations.add(examples)
            kept.extend(example for index, example in zip(part, examples, strict=True) if index in chosen)
            if saved is not None:
                saved.save_sometimes(equations)
            yield from (None for _ in part)

    for _ in track(one_by_one(), "reading structures into the fit", total=len(structures) - done, quiet=quiet):
        pass
    if saved is not None and done < equations.done:
        saved.save(equations)
    return equations, kept


def parts(structures: Sequence[Labelled], *, columns: int) -> Iterator[range]:
    """Which structures are summed at once: wherever a run was interrupted, the same, and so the same bits."""
    first, rows = 0, 0
    for index, structure in enumerate(structures, start=1):
        rows += count_rows([structure])
        if rows >= rows_at_once(columns) or index == len(structures):
            yield range(first, index)
            first, rows = index, 0


def _made(make: ExampleMaker, structures: Sequence[Labelled]) -> list[Example]:
    return side_by_side([partial(make, structure) for structure in structures])
