"""A script of the checkout starts by its path, from anywhere, and as a module."""

import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "scripts" / "project", ROOT / "scripts" / "benchmarks"]
MAINS = sorted(
    path
    for folder in FOLDERS
    for path in folder.rglob("*.py")
    if "verb_app()" in path.read_text(encoding="utf8")
)


def start(command: List[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, *command, "--help"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_by_path_and_as_a_module(tmp_path: Path) -> None:
    shown = start([str(ROOT / "scripts" / "project" / "smoke.py")], tmp_path)
    assert "Usage: smoke.py [OPTIONS] [requirement]" in shown
    assert "Usage: python -m scripts.project.smoke" in start(["-m", "scripts.project.smoke"], ROOT)


@pytest.mark.parametrize("path", MAINS, ids=lambda path: path.stem)
def test_each_finds_the_root_of_the_checkout(path: Path) -> None:
    """What the line before the imports says, without starting nine processes."""
    depth = len(path.relative_to(ROOT).parts) - 1
    text = path.read_text(encoding="utf8")
    assert f"sys.path[0] = str(Path(__file__).parents[{depth}])" in text
    assert text.index("sys.path[0]") < text.index("\nfrom mtnlp")
    assert text.endswith('if __name__ == "__main__":\n    app()\n')
