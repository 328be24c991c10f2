"""The floors of the package: a room imports from lower floors and from itself only."""

import ast
from pathlib import Path
from typing import Iterator, Tuple

import mtnlp

ROOT = Path(mtnlp.__file__).parent

FLOORS = {
    "errors": 0,
    "files": 0,
    "log": 0,
    "types": 0,
    "structured": 1,
    "ranges": 1,
    "losses": 2,
    "annotation": 2,
    "nn": 3,
    "gold": 3,
    "models": 4,
    "scorers": 4,
    "pipes": 5,
    "data": 5,
    "training": 6,
    "engines": 6,
    "evaluation": 6,
    "trainer": 7,
    "calibration": 7,
    "bulk": 7,
    "standalone": 7,
    "analysis": 8,
    "reports": 8,
    "teaching": 8,
    "experiments": 9,
    "recipes": 10,
    "optimization": 10,
    "cli": 11,
}

# Rooms that must stay free of a library, so that they can be read, tested and reused alone.
FORBIDDEN = {
    "losses": {"spacy", "thinc", "spacy_transformers"},
    "structured": {"spacy", "thinc", "spacy_transformers"},
    "nn": {"spacy", "thinc", "spacy_transformers"},
    "annotation": {"torch"},
    "scorers": {"torch"},
    "reports": {"spacy", "torch"},
    "standalone": {"torch", "transformers", "thinc", "spacy_transformers"},
}

# Needed by an extra or by tests only: no module imports them when it is imported itself, and the
# rooms of the runtime not at all.
EXTRAS = {
    "accelerate",
    "datasets",
    "matplotlib",
    "nncf",
    "onnx",
    "onnxruntime",
    "openvino",
    "optuna",
    "peft",
    "pyarrow",
    "ray",
    "scipy",
    "seqeval",
    "sklearn",
    "tensorboard",
    "umap",
    "vl_convert",
}
RUNTIME_ROOMS = {room for room, floor in FLOORS.items() if floor <= 5} - {"data"}

FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem in FLOORS)


def room_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports_of(path: Path, at_import: bool = False) -> Iterator[Tuple[str, ...]]:
    """Every imported module as its dotted parts, relative imports resolved.

    at_import: leave out what is imported within functions.
    """
    package = ("mtnlp", *path.relative_to(ROOT).parent.parts)
    tree = ast.parse(path.read_text(encoding="utf8"))
    for node in top_level(tree) if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            if module == ("mtnlp",):
                for alias in node.names:
                    yield (*module, alias.name)
            else:
                yield module


def top_level(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported; what only type checkers read is none."""
    for child in ast.iter_child_nodes(node):
        is_run = not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")
        if is_run and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from top_level(child)


def breaches(path: Path) -> Iterator[str]:
    """What a file imports and may not."""
    room, name = room_of(path), path.relative_to(ROOT)
    for module in imports_of(path):
        other = module[1] if module[0] == "mtnlp" and len(module) > 1 else room
        if other in FLOORS and other != room and FLOORS[other] >= FLOORS[room]:
            yield f"{name}: {room} imports {other}"
        if module[0] in FORBIDDEN.get(room, set()):
            yield f"{name}: {room} imports {module[0]}"
        if room in RUNTIME_ROOMS and module[0] in EXTRAS:
            yield f"{name}: the runtime imports {module[0]}"
    for module in imports_of(path, at_import=True):
        if module[0] in EXTRAS:
            yield f"{name}: imports {module[0]}, which only an extra brings, when it is loaded"


def test_every_room_has_a_floor() -> None:
    assert {room_of(path) for path in FILES} <= set(FLOORS)


def test_imports_go_down() -> None:
    assert [breach for path in FILES for breach in breaches(path)] == []


def test_files_stay_small() -> None:
    # The messages are one list in one file, however many there are.
    lines = {path: path.read_text(encoding="utf8").count("\n") for path in FILES}
    assert [path for path, n in lines.items() if n > 320 and path.name != "errors.py"] == []
