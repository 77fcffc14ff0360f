"""The errors of adiabat: each says what is wrong, where, by which rule, and how to mend it."""


class AdiabatError(Exception):
    """Base of every error that a user can cause and mend.

    Args:
        what: What was found, with the value.
        place: Where: a file and structure, a configuration key, an option.
        rule: The rule that was broken.
        mend: What to do about it.
    """

    def __init__(
        self, what: str, *, place: str | None = None, rule: str | None = None, mend: str | None = None
    ) -> None:
        self.what, self.place, self.rule, self.mend = what, place, rule, mend
        super().__init__(what)

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.what}" if self.place else self.what]
        lines += [f"  {name}: {text}" for name, text in (("rule", self.rule), ("mend", self.mend)) if text]
        return "\n".join(lines)


class ConfigurationError(AdiabatError):
    """A configuration key or an option is unknown, malformed, or would have no effect."""


class DataError(AdiabatError):
    """A file of structures or its labels cannot be used."""


class LabelsNotFound(DataError):
    """A file of structures has no label under the keys that it is read with."""


class StructureError(AdiabatError):
    """A structure cannot be evaluated: a cell without volume, positions that are not finite, atoms that coincide."""


class UnknownSpecies(AdiabatError):
    """A structure holds an element that the potential was not trained for."""


class PropertyUnavailable(AdiabatError):
    """A property was asked for that this potential or this structure does not have."""


class PotentialFileError(AdiabatError):
    """A potential file is damaged, foreign, or newer than this version, or its canaries differ."""


class OutputError(AdiabatError):
    """A result could not be written."""


class SimulationError(AdiabatError):
    """A simulation stopped because going on would be wrong."""


class CheckpointError(AdiabatError):
    """A checkpoint is missing, damaged, or of another run."""


class OracleError(AdiabatError):
    """A code that labels structures is not there, failed, did not converge, or gave what is no label."""


class LabelStoreError(AdiabatError):
    """A store of labels is damaged, foreign, in use, or of labels that were made otherwise."""


class TrainingError(AdiabatError):
    """A training stopped because going on would be wrong."""


class ResourceError(AdiabatError):
    """A machine has not the memory or the disk that a run would need."""
