"""The command line: parse, one library call, write."""

import sys
import traceback
from typing import Annotated

import torch
import typer

from adiabat.errors import AdiabatError

EXIT_FINE, EXIT_FOUND, EXIT_MISTAKE, EXIT_INTERNAL = 0, 1, 2, 3

MOST_THREADS = 1024
"""More than a machine has cores; far more make the operating system refuse, in words that help nobody."""

app = typer.Typer(
    name="adiabat",
    help="Machine-learned interatomic potentials that know where they can be trusted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_debug = False


def _set_debug(value: bool) -> bool:
    global _debug  # noqa: PLW0603 (read by main after the command has failed)
    _debug = value
    return value


def _set_threads(value: int | None) -> int | None:
    if value is not None:
        torch.set_num_threads(value)
    return value


Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error.", callback=_set_debug, is_eager=True)
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, max=MOST_THREADS, help="Threads (default: all cores).", callback=_set_threads, is_eager=True
    ),
]


@app.callback()
def _commands() -> None:
    """Machine-learned interatomic potentials that know where they can be trusted."""


def main() -> None:
    """Run the command that sys.argv names; exit with 0, 1 (found something), 2 (user's mistake) or 3 (our fault)."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status."""
    _set_debug(False)
    try:
        app(args=arguments, prog_name="adiabat")
    except SystemExit as stop:  # how typer ends every command, its own usage errors (2) included
        return stop.code if isinstance(stop.code, int) else EXIT_FINE
    except AdiabatError as error:
        return _say(f"error: {error}", EXIT_MISTAKE)
    except Exception as error:  # the last line of defence: ours, not the user's
        return _say(
            f"internal error: {type(error).__name__}: {error}\n  mend: run again with --debug and report the traceback",
            EXIT_INTERNAL,
        )
    return EXIT_FINE


def _say(message: str, status: int) -> int:
    if _debug:
        traceback.print_exc()
    print(message, file=sys.stderr)
    return status
