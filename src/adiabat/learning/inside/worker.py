"""An oracle's process: labels structures that come in on stdin, one JSON object a line, and answers on stdout likewise.

It is run as a script, ``python worker.py``, by whichever Python the code is installed for. The first line names the code and its
settings and is answered by what they are in full; each other line is a structure. Whatever a code prints goes to stderr. The
process ends when stdin does, whatever it is computing then.
"""

import importlib
import json
import os
import queue
import sys
import threading
import time
from typing import Any, TextIO

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError


def main() -> None:
    """Serve until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    request = json.loads(lines.get())
    try:
        code = importlib.import_module(request["code"])
        described = code.describe(request["settings"])
    except Exception as error:
        _say(answers, {"refused": f"{type(error).__name__}: {error}"})
        return
    _say(answers, {"described": described})
    while True:
        asked = json.loads(lines.get())
        _say(answers, answer(code, described["settings"], asked))


def answer(code: Any, settings: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What a code says of a structure; what went wrong where it says nothing."""
    start = time.perf_counter()
    atoms = Atoms(asked["numbers"], positions=asked["positions"], cell=asked["cell"], pbc=asked["pbc"])
    try:
        calculator = code.calculator(settings, atoms)
        atoms.calc = calculator
        found = labels(atoms, periodic=all(asked["pbc"]))
        found["converged"] = code.converged(calculator)
    except Exception as error:
        unconverged = "converge" in f"{type(error).__name__} {error}".lower()
        found = {"error": f"{type(error).__name__}: {error}", "converged": False if unconverged else None}
    return found | {"seconds": time.perf_counter() - start}


def labels(atoms: Atoms, *, periodic: bool) -> dict[str, Any]:
    """Energy (that of which forces are the derivative), forces and stress; null where there is no such thing."""
    forces = atoms.get_forces()
    extrapolated = float(atoms.get_potential_energy())
    try:
        energy = float(atoms.get_potential_energy(force_consistent=True))
        named = True
    except PropertyNotImplementedError:  # one energy: right without smearing, which the code does not say
        energy, named = extrapolated, False
    return {
        "energy": energy,
        "names_force_consistent_energy": named,
        "extrapolated_energy": extrapolated,
        "forces": np.asarray(forces, dtype=float).tolist(),
        "stress": _stress(atoms) if periodic else None,
    }


def _stress(atoms: Atoms) -> list[list[float]] | None:
    try:
        return np.asarray(atoms.get_stress(voigt=False), dtype=float).tolist()
    except PropertyNotImplementedError:
        return None


def _listen(lines: "queue.SimpleQueue[str]") -> None:
    """Hand the lines on; with the last of them the process ends, for nobody waits for its answer any more."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _say(answers: TextIO, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
