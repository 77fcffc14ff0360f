"""The options of commands that ask an oracle."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from adiabat.errors import ConfigurationError

if TYPE_CHECKING:
    from adiabat.learning import Oracle, Workers


@dataclass(frozen=True)
class OracleOptions:
    """What labels."""

    oracle: Annotated[
        str, typer.Option(help="gpaw, pyscf, tblite, module:factory of an ASE calculator, or a potential (.adiabat).")
    ]
    oracle_settings: Annotated[
        list[str] | None, typer.Option("--oracle-set", help="A setting of the oracle: xc=PBE, cutoff_ev=400.")
    ] = None
    oracle_python: Annotated[
        str | None, typer.Option("--oracle-python", help="The Python that the oracle's code is installed for.")
    ] = None
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes of the oracle.")] = 1
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", min=1.0, help="For one label; an oracle that is silent for longer is ended.")
    ] = 3600.0
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            help="The address of a Dask scheduler, or a file (YAML) that says which cluster of dask-jobqueue to start.",
        ),
    ] = None

    @property
    def chosen(self) -> "Oracle":
        """What labels."""
        from adiabat.learning import Oracle

        settings = parsed_settings(self.oracle_settings or ())
        return Oracle.named(self.oracle, settings=settings, python=self.oracle_python)

    @property
    def how(self) -> "Workers":
        """How labels are computed."""
        from adiabat.learning import Workers

        return Workers(self.workers, self.timeout_s, self.cluster)


def parsed_settings(settings: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """From key=value.

    Raises:
        ConfigurationError: One has no '='.
    """
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not value:
            raise ConfigurationError(
                f"'{setting}' is no setting",
                place="--oracle-set",
                rule="a setting is key=value",
                mend=f"write {name}=VALUE",
            )
        found[name] = yaml.safe_load(value)
    return found
