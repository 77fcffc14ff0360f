"""The layer order, and what every module owes its reader."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "adiabat"
LAYERS = """
units errors typing < config < runs < results < system < kernels < neighbors < data < basis < models physics < uncertainty
< potential < evaluation holes < training simulate deploy < sampling < properties < validation < learning < report < testing < cli
"""
RANK = {name: rank for rank, names in enumerate(LAYERS.split("<")) for name in names.split()}
FILES = sorted(PACKAGE.rglob("*.py"))


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack.extend(node.orelse)
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def imported_layers(file: Path) -> Iterator[tuple[int, str]]:
    """(line, first folder below the package) of each run-time import; '' is the package root."""
    for node in run_time_nodes(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import hides its layer"
            names = [
                f"{node.module}.{alias.name}" if node.module == "adiabat" else str(node.module) for alias in node.names
            ]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            head, *rest = name.split(".")
            if head == "adiabat":
                yield node.lineno, rest[0] if rest else ""


def test_every_module_stands_in_a_layer() -> None:
    entries = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith(("_", "."))} - {"py"}
    assert entries <= set(RANK), f"in no layer: {entries - set(RANK)}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_from_layers_below_its_own(file: Path) -> None:
    here = file.relative_to(PACKAGE).with_suffix("").parts[0]
    if here == "__init__":
        return
    wrong = [
        f"{file.name}:{line}: '{here}' imports '{there or 'the package root'}'"
        for line, there in imported_layers(file)
        if there != here and RANK.get(there, len(RANK)) >= RANK[here]
    ]
    assert not wrong, "\n".join(wrong)


def public_definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_and_what_is_public_in_it_say_what_they_are(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree), f"{file.name} has no docstring"
    silent = [node.name for node in public_definitions(tree) if not ast.get_docstring(node)]
    assert not silent, f"{file.name}: no docstring on {', '.join(silent)}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            arguments = len(node.args.args) + len(node.args.kwonlyargs) + len(node.args.posonlyargs)
            assert length <= 80, f"{file.name}:{node.lineno} {node.name} has {length} lines"
            assert arguments <= 10, f"{file.name}:{node.lineno} {node.name} has {arguments} parameters"
            positional = len(node.args.args) + len(node.args.posonlyargs)
            assert positional <= 6, f"{file.name}:{node.lineno} {node.name} takes {positional} positional arguments"
