"""A project's steps: what the screen says where one fails, or somebody interrupts it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.recipes.run import run_project


def test_a_failed_step(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(subprocess, "run", lambda *given, **named: failed)
    with pytest.raises(MtnlpError, match=r"E488.*cd shop && python -m spacy project run all"):
        run_project(Path("shop"))


def test_an_interruption_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_project(Path("shop"))
    said = " ".join(capsys.readouterr().out.split())
    assert "Interrupted" in said and "cd shop && python -m spacy project run all" in said
