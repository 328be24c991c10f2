"""`mtnlp init` and `mtnlp quick` on the command line."""

import os
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, List

import pytest
import spacy
import spacy.cli
from typer.testing import CliRunner
from weasel.util.config import load_project_config

from mtnlp.errors import Errors, MtnlpError
from mtnlp.recipes import run
from mtnlp.recipes.options import DATA, PIPELINE, TRAINING, ProjectOptions
from tests.data.corpora import files_below, flat, invoke
from tests.recipes.test_project import make_names, make_reviews


@pytest.mark.parametrize("verb", ["init", "quick"])
def test_help_has_every_option_under_its_heading(verb: str) -> None:
    text = invoke(verb, "--help").output
    places = [text.index(f"\n{heading}:\n") for heading in (DATA, PIPELINE, TRAINING)]
    assert places == sorted(places)
    for field in fields(ProjectOptions):
        at = text.index(f"  --{field.name.replace('_', '-')} ")
        assert sum(at > place for place in places) - 1 == [DATA, PIPELINE, TRAINING].index(
            field.metadata["group"]
        )


def test_init_says_what_it_found_and_what_to_do(backbone: Path, tmp_path: Path) -> None:
    file = make_reviews(tmp_path / "reviews.csv")
    result = invoke("init", file, "--output", tmp_path / "shop", "--encoder", backbone)
    assert result.exit_code == 0, result.output
    shown = flat(result.output)
    assert "Recognised as csv" in shown and ".partial" not in shown
    assert f"cd {tmp_path / 'shop'} && python -m spacy project run all" in shown
    again = invoke("init", file, "--output", tmp_path / "shop", "--encoder", backbone)
    assert again.exit_code == 1 and "E485" in again.output


def test_options_reach_the_project(backbone: Path, tmp_path: Path) -> None:
    file = make_reviews(tmp_path / "reviews.csv")
    options = ["--epochs", 3, "--multilabel", "mood", "--task", "mood", "--tune", 4]
    result = invoke("init", file, "-o", tmp_path / "shop", "--encoder", backbone, *options)
    assert result.exit_code == 0, result.output
    assert "max_epochs = 3" in (tmp_path / "shop" / "config.cfg").read_text(encoding="utf8")
    project = (tmp_path / "shop" / "project.yml").read_text(encoding="utf8")
    assert "--task mood" in project and "--trials 4" in project


def test_a_step_that_fails_keeps_what_is_done(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: List[str], **settings: Any) -> Any:
        assert command[:3] == [sys.executable, "-m", "spacy"]
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", fail)
    file = make_reviews(tmp_path / "reviews.csv")
    result = invoke("quick", file, "--name", tmp_path / "shop", "--encoder", backbone)
    assert result.exit_code == 1 and "E488" in result.output
    assert "config.cfg" in files_below(tmp_path / "shop")


def test_build_tools_are_asked_for_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MtnlpError(Errors.E002.format(library="build", extra="package"))

    monkeypatch.setattr(run, "require_build_tools", missing)
    file = make_reviews(tmp_path / "reviews.csv")
    result = invoke("quick", file, "--name", tmp_path / "shop")
    assert result.exit_code == 1 and "mtnlp[package]" in flat(result.output)
    assert files_below(tmp_path) == ["reviews.csv"]


def test_what_builds_a_wheel_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    run.require_build_tools()

    def none(library: str) -> str:
        raise run.metadata.PackageNotFoundError(library)

    monkeypatch.setattr(run.metadata, "version", none)
    with pytest.raises(MtnlpError, match=r"E002.*mtnlp\[package\]"):
        run.require_build_tools()


def test_every_step_of_a_project_runs(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of its project.yml one after another, those of mtnlp and spaCy in this process."""
    files = [make_reviews(tmp_path / "reviews.csv"), make_names(tmp_path / "names.jsonl")]
    options = ["--encoder", backbone, "--epochs", 1, "--precision", "fp32"]
    made = invoke("init", *files, "--output", tmp_path / "shop", *options)
    assert made.exit_code == 0, made.output
    monkeypatch.chdir(tmp_path / "shop")
    project = load_project_config(tmp_path / "shop")
    scripts = {command["name"]: command["script"] for command in project["commands"]}
    for name in project["workflows"]["all"]:
        for line in scripts[name]:
            words = shlex.split(line)
            if words[:3] == ["python", "-m", "mtnlp"]:
                done = invoke(*words[3:])
                assert done.exit_code == 0, done.output
            elif words[:3] == ["python", "-m", "spacy"]:
                packaged = CliRunner().invoke(spacy.cli.app, words[3:])
                assert packaged.exit_code == 0, packaged.output
            else:
                subprocess.run([sys.executable, *words[1:]], check=True, capture_output=True)
    assert (tmp_path / "shop" / "packages" / "en_shop-0.1.0-py3-none-any.whl").is_file()
    nlp = spacy.load(tmp_path / "shop" / "training" / "calibrated")
    assert set(nlp("This is review 3").cats) == {"reviews/good", "reviews/bad"}


@pytest.mark.skipif(not os.environ.get("MTNLP_LONG"), reason="a minute; MTNLP_LONG=1 runs it")
def test_from_files_to_a_wheel(backbone: Path, tmp_path: Path) -> None:
    """All of it, in processes of its own, and nothing a second time."""
    files = [make_reviews(tmp_path / "reviews.csv"), make_names(tmp_path / "names.jsonl")]
    words = [sys.executable, "-m", "mtnlp", "quick", *map(str, files), "--name", "shop"]
    words += ["--encoder", str(backbone), "--epochs", "2", "--precision", "fp32"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The training will take about" in done.stdout
    assert 'spacy.load("en_shop")' in done.stdout
    (line,) = [row.strip() for row in done.stdout.splitlines() if "pip install" in row]
    wheel = tmp_path / shlex.split(line)[2]
    assert wheel.is_file() and wheel.name == "en_shop-0.1.0-py3-none-any.whl"
    nlp = spacy.load(tmp_path / "shop" / "training" / "calibrated")
    assert set(nlp("This is review 3").cats) == {"reviews/good", "reviews/bad"}
    again = [sys.executable, "-m", "spacy", "project", "run", "all", "shop"]
    second = subprocess.run(again, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert second.stdout.count("nothing changed") == 6 and "Running" not in second.stdout.replace(
        "Running workflow", ""
    )
