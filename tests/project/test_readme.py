"""The README's command lines: one each, and CI runs the very same."""

import subprocess
from pathlib import Path
from typing import List

import pytest

ROOT = Path(__file__).parents[2]


def fenced_lines(section: str) -> List[str]:
    """The lines inside fences in a section of the README."""
    lines: List[str] = []
    here = fenced = False
    for line in (ROOT / "README.md").read_text(encoding="utf8").splitlines():
        if line.startswith("## "):
            here = line == f"## {section}"
        elif line.startswith("```"):
            fenced = not fenced
        elif here and fenced:
            lines.append(line)
    return lines


@pytest.mark.parametrize("section", ["Run it", "Test it"])
def test_one_line_that_stands_alone(section: str) -> None:
    (line,) = fenced_lines(section)
    assert line.startswith("python -m venv .venv && ")
    assert "-c constraints.txt" in line
    assert "http" not in line


def test_first_line_runs_the_whole_project() -> None:
    assert fenced_lines("Run it")[0].endswith(".venv/bin/python -m spacy project run all")


def test_second_line_lints_checks_types_and_runs_every_test() -> None:
    (line,) = fenced_lines("Test it")
    assert "ruff check" in line and "mypy -p mtnlp" in line and "-m pytest" in line
    assert "not slow" not in line


def test_ci_runs_the_line_as_written() -> None:
    shown = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run"), "--show"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines() == fenced_lines("Test it")
