"""split: training and test structures, reproducibly."""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from adiabat.config import Config
from adiabat.data.fingerprint import fingerprint
from adiabat.errors import ConfigurationError, DataError
from adiabat.results import Result
from adiabat.system import Labelled


class SplitConfig(Config):
    """How a data set is divided; isolated atoms always stay in the training part.

    Attributes:
        by: "fraction": a fraction of each config_type, drawn at random. "config_type": those in `hold_out`. "group":
            whole groups, drawn at random up to the fraction.
        test_fraction: Of the structures that are no isolated atoms.
        hold_out: The config_types that go to the test part.
        seed: Of the random draw.
    """

    by: Literal["fraction", "config_type", "group"] = "fraction"
    test_fraction: float = Field(default=0.1, gt=0, lt=1)
    hold_out: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _refuse_what_has_no_effect(self) -> Self:
        if self.by == "config_type":
            if not self.hold_out:
                raise ValueError("by=config_type needs hold_out, the config_types of the test part")
            idle = {"test_fraction", "seed"} & self.model_fields_set
        else:
            idle = {"hold_out"} & self.model_fields_set
        if idle:
            raise ValueError(f"{' and '.join(sorted(idle))} has no effect with by={self.by}")
        return self


@dataclass(frozen=True)
class Split(Result):
    """A division of a data set, which can be stored and used again on the same data alone.

    Attributes:
        method: What it was made by.
        fingerprint: Of the data.
        structures: How many the data hold.
        train: Indices, ascending, from 0.
        test: Indices, ascending.
    """

    method: dict[str, Any]
    fingerprint: str
    structures: int
    train: tuple[int, ...]
    test: tuple[int, ...]

    def apply(self, structures: Sequence[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
        """(training part, test part).

        Raises:
            DataError: The split was made for other data.
        """
        if len(structures) != self.structures or fingerprint(structures) != self.fingerprint:
            raise DataError(
                f"the split was made for other data: {self.structures} structures with the fingerprint "
                f"{self.fingerprint[:12]}, not {len(structures)} with {fingerprint(structures)[:12]}",
                place="split",
                rule="a stored split belongs to one data set, its structures in one order",
                mend="use the file that it was made for, or make a new split",
            )
        return [structures[index] for index in self.train], [structures[index] for index in self.test]

    @classmethod
    def load(cls, file: Path | str) -> Self:
        """Read a stored split.

        Raises:
            DataError: The file is missing or no split.
        """
        rule, mend = "a split is JSON as adiabat writes it", "name such a file, or split anew"
        try:
            values = json.loads(Path(file).read_text())
            if values["schema_version"] != cls.schema_version:
                raise DataError(
                    f"has the schema version {values['schema_version']}",
                    place=str(file),
                    rule=f"this adiabat reads version {cls.schema_version}",
                    mend="use a newer adiabat",
                )
            split = cls(
                method=dict(values["method"]),
                fingerprint=str(values["fingerprint"]),
                structures=int(values["structures"]),
                train=tuple(int(index) for index in values["train"]),
                test=tuple(int(index) for index in values["test"]),
            )
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", place=str(file), rule=rule, mend=mend) from None
        except (ValueError, KeyError, TypeError):
            raise DataError("is no split", place=str(file), rule=rule, mend=mend) from None
        split._require_disjoint(str(file))
        return split

    def _require_disjoint(self, place: str) -> None:
        both = [*self.train, *self.test]
        if len(set(both)) < len(both) or not all(0 <= index < self.structures for index in both):
            raise DataError(
                "names a structure twice, or one that the data do not hold",
                place=place,
                rule=f"training and test indices are distinct and from 0 to {self.structures - 1}",
                mend="split anew",
            )


def split(structures: Sequence[Labelled], config: SplitConfig | None = None) -> Split:
    """Divide a data set.

    Raises:
        ConfigurationError: `hold_out` names a config_type that the data do not hold.
        DataError: One part would be empty, or groups are asked for that the data do not have.
    """
    config = config or SplitConfig()
    free = [index for index, structure in enumerate(structures) if not structure.is_isolated_atom]
    match config.by:
        case "fraction":
            test = _by_fraction(structures, free, config)
        case "config_type":
            test = _by_config_type(structures, free, config.hold_out)
        case "group":
            test = _by_group(structures, free, config)
    if not test or len(test) == len(free):
        raise DataError(
            f"{len(test)} of {len(free)} structures would be in the test part",
            place="split",
            rule="training and test part hold at least one structure each, beside isolated atoms",
            mend="change the fraction, what is held out, or add structures",
        )
    train = set(range(len(structures))) - test
    method = config.model_dump(
        mode="json", exclude={"hold_out"} if config.by != "config_type" else {"test_fraction", "seed"}
    )
    return Split(method, fingerprint(structures), len(structures), tuple(sorted(train)), tuple(sorted(test)))


def _by_fraction(structures: Sequence[Labelled], free: list[int], config: SplitConfig) -> set[int]:
    """The same fraction of every config_type, by largest remainders; one of each stays in the training part."""
    by_type: dict[str, list[int]] = {}
    for index in free:
        by_type.setdefault(structures[index].config_type, []).append(index)
    names = sorted(by_type)
    wanted = {name: config.test_fraction * len(by_type[name]) for name in names}
    counts = {name: min(int(wanted[name]), len(by_type[name]) - 1) for name in names}
    missing = round(config.test_fraction * len(free)) - sum(counts.values())
    for name in sorted(names, key=lambda name: (counts[name] - wanted[name], name)):
        if missing > 0 and counts[name] < len(by_type[name]) - 1:
            counts[name] += 1
            missing -= 1
    rng = np.random.default_rng(config.seed)
    return {int(i) for name in names for i in rng.permutation(by_type[name])[: counts[name]]}


def _by_config_type(structures: Sequence[Labelled], free: list[int], hold_out: Sequence[str]) -> set[int]:
    there = sorted({structures[index].config_type for index in free})
    for name in hold_out:
        if name not in there:
            nearest = difflib.get_close_matches(name, there, n=1)
            mend = f"did you mean '{nearest[0]}'?" if nearest else f"they hold {', '.join(there)}"
            raise ConfigurationError(
                f"the data hold no config_type '{name}'",
                place="data.split.hold_out",
                rule="what is held out is there",
                mend=mend,
            )
    return {index for index in free if structures[index].config_type in hold_out}


def _by_group(structures: Sequence[Labelled], free: list[int], config: SplitConfig) -> set[int]:
    """Whole groups in random order, each taken if it brings the test part nearer to the wanted size."""
    groups: dict[str, list[int]] = {}
    for index in free:
        group = structures[index].group
        if group is None:
            raise DataError(
                "has no group",
                place=structures[index].place,
                rule="a split by group needs a group for every structure but isolated atoms",
                mend="give it one in the file, or name the key with --set data.keys.group=...",
            )
        groups.setdefault(group, []).append(index)
    wanted, test = config.test_fraction * len(free), set[int]()
    names = sorted(groups)
    for name in np.random.default_rng(config.seed).permutation(len(names)):
        members = groups[names[name]]
        if abs(len(test) + len(members) - wanted) < abs(len(test) - wanted):
            test |= set(members)
    return test or set(min(groups.values(), key=len, default=[]))
