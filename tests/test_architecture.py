"""The floors of the package: a room imports from lower floors and from itself only."""

import ast
from pathlib import Path
from typing import Iterator, Tuple

import pytest

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
    "trainer": 6,
    "evaluation": 6,
    "calibration": 7,
    "experiments": 8,
    "reports": 9,
    "cli": 10,
}

# Rooms that must stay free of a library, so that they can be read, tested and reused alone.
FORBIDDEN = {
    "losses": {"spacy", "thinc", "spacy_transformers"},
    "structured": {"spacy", "thinc", "spacy_transformers"},
    "nn": {"spacy", "thinc", "spacy_transformers"},
    "scorers": {"torch"},
    "reports": {"spacy", "torch"},
}

# Needed by an extra only: nothing the runtime imports may import them at module level.
EXTRAS = {
    "accelerate",
    "datasets",
    "matplotlib",
    "peft",
    "pyarrow",
    "rich",
    "scipy",
    "seqeval",
    "sklearn",
    "tensorboard",
}
RUNTIME_ROOMS = {room for room, floor in FLOORS.items() if floor <= 5} - {"data"}

FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem in FLOORS)


def room_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports_of(path: Path) -> Iterator[Tuple[str, ...]]:
    """Every imported module as its dotted parts, relative imports resolved."""
    package = ("mtnlp", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
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


def test_every_room_has_a_floor() -> None:
    assert {room_of(path) for path in FILES} <= set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    for module in imports_of(path):
        if module[0] == "mtnlp" and len(module) > 1 and module[1] in FLOORS:
            other = module[1]
            assert other == room or FLOORS[other] < FLOORS[room], f"{room} imports {other}"
        assert module[0] not in FORBIDDEN.get(room, set()), f"{room} imports {module[0]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_runtime_rooms_need_no_extra(path: Path) -> None:
    if room_of(path) in RUNTIME_ROOMS:
        assert not {module[0] for module in imports_of(path)} & EXTRAS


# The messages are one list in one file, however many there are.
SPLITTABLE = [path for path in FILES if path.name != "errors.py"]


@pytest.mark.parametrize("path", SPLITTABLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf8").splitlines()) <= 320
