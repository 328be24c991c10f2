"""project.yml and README.md: what weasel cannot check itself."""

import itertools
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy.cli  # noqa: F401  registers the commands
import typer
from spacy.cli._util import app as spacy_app
from weasel.util.config import load_project_config

from mtnlp.cli.app import VERBS
from mtnlp.recipes.project_files import ProjectPlan, package_name, project_yml, readme
from tests.data.corpora import write


def make_plan(**settings: Any) -> ProjectPlan:
    own: Dict[str, Any] = {
        "name": "shop",
        "language": "en",
        "corpora": ["reviews", "names"],
        "conversions": [
            "python -m mtnlp convert csv --train 'assets/a \"b\".csv' --name reviews",
            "python -m mtnlp convert columns --train assets/names.txt --name names --lang en",
        ],
        "files": ['assets/a "b".csv', "assets/names.txt"],
        "encoder": "some one/encoder",
        "choices": "| rate | 0.1 |\n",
    }
    return ProjectPlan(**{**own, **settings})


def load(folder: Path, plan: ProjectPlan, **overrides: Any) -> Dict[str, Any]:
    """As weasel reads it; it ends the process where its schema does not hold."""
    (folder / "project.yml").write_text(project_yml(plan), encoding="utf8")
    config: Dict[str, Any] = load_project_config(folder, overrides=overrides)
    return config


@pytest.fixture(params=[0, 5], ids=["plain", "tuned"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Dict[str, Any]:
    return load(tmp_path, make_plan(tune=request.param))


def command_named(project: Dict[str, Any], name: str) -> Dict[str, Any]:
    (found,) = [command for command in project["commands"] if command["name"] == name]
    return found


def test_the_workflow_runs_every_command(project: Dict[str, Any], tmp_path: Path) -> None:
    names = [command["name"] for command in project["commands"]]
    assert names.pop() == "debug" and project["workflows"] == {"all": names}
    assert set(names) - {"tune"} == {
        *("encoder", "convert", "train", "calibrate", "evaluate", "package")
    }
    assert (tmp_path / "packages").is_dir()
    assert (tmp_path / "training").is_dir()  # where debug writes the filled config


def test_every_line_calls_what_there_is(
    project: Dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # spaCy looks whether they are there.
    (tmp_path / "training" / "calibrated").mkdir(parents=True)
    for name in ("config.cfg", "tuned.cfg", "training/full.cfg"):
        write(tmp_path / name, "")
    monkeypatch.chdir(tmp_path)
    for command in project["commands"]:
        for line in command["script"]:
            words = shlex.split(line)
            assert words[:2] == ["python", "-m"], line
            if words[2] == "mtnlp":
                parsed = typer.main.get_command(
                    import_module(f"mtnlp.cli.{VERBS[words[3]].module}").app
                )
            elif words[2] == "spacy":
                parsed = typer.main.get_command(spacy_app).commands[words[3]]  # type: ignore[attr-defined]
                while hasattr(parsed, "commands"):  # `init fill-config`
                    parsed = parsed.commands[words.pop(4)]
            else:
                assert words[2] == "build"
                continue
            # Arguments and values are checked, and nothing is run.
            with parsed.make_context(words[3], words[4:], resilient_parsing=False) as context:
                assert not context.args


def test_what_a_command_needs_is_made_before(project: Dict[str, Any]) -> None:
    made = {'assets/a "b".csv', "assets/names.txt", "config.cfg"}
    for command in project["commands"]:
        assert set(command.get("deps", [])) <= made, command["name"]
        made.update(command.get("outputs", []))


def test_outputs_are_disjoint_and_nothing_runs_always(project: Dict[str, Any]) -> None:
    commands = [command for command in project["commands"] if command["name"] != "debug"]
    outputs = [Path(out) for command in commands for out in command["outputs"]]
    for one, other in itertools.permutations(outputs, 2):
        assert one not in [other, *other.parents]
    assert all(command["outputs"] for command in commands)


def test_spacy_checks_the_filled_config(project: Dict[str, Any]) -> None:
    fill, *checks = command_named(project, "debug")["script"]
    assert shlex.split(fill)[-2:] == ["config.cfg", "training/full.cfg"]
    assert [shlex.split(line)[3:] for line in checks] == [
        ["debug", "config", "training/full.cfg"],
        ["debug", "data", "training/full.cfg"],
    ]
    assert "outputs" not in command_named(project, "debug")  # it always runs


def test_one_screen_of_scores(project: Dict[str, Any]) -> None:
    """What `summary` shows is what somebody needs; `evaluate` writes its files."""
    evaluate, summary = command_named(project, "evaluate")["script"]
    assert "--quiet" in evaluate and "mtnlp summary" in summary


def test_a_search_comes_before_the_training(tmp_path: Path) -> None:
    tuned = load(tmp_path, make_plan(tune=5))
    assert "--trials 5 --output tuned.cfg" in command_named(tuned, "tune")["script"][0]
    assert "tuned.cfg" in command_named(tuned, "train")["deps"]
    plain = load(tmp_path, make_plan())
    assert "config.cfg" in command_named(plain, "train")["deps"]
    assert "tuned.cfg" in readme(make_plan(tune=5)) and "tuned.cfg" not in readme(make_plan())


def test_an_interrupted_training_goes_on(project: Dict[str, Any]) -> None:
    assert "--auto-resume" in command_named(project, "train")["script"][1]


def test_variables(tmp_path: Path) -> None:
    plan = make_plan(gpu_id=1)
    config = load(tmp_path, plan)
    assert command_named(config, "package")["outputs"] == [plan.wheel]
    assert command_named(config, "train")["script"][1].endswith("--gpu-id 1")
    changed = load(tmp_path, plan, **{"vars.version": "2.0", "vars.gpu_id": -1})
    assert command_named(changed, "package")["outputs"] == ["packages/en_shop-2.0-py3-none-any.whl"]
    assert command_named(changed, "train")["script"][1].endswith("--gpu-id -1")


def test_readme_says_how_and_why() -> None:
    text = readme(make_plan())
    assert "spacy project run debug" in text
    assert 'spacy.load("en_shop")' in text and make_plan().wheel in text
    assert text.endswith("\n\n| rate | 0.1 |\n")
    rows: List[str] = [line for line in text.splitlines() if line.startswith("|")]
    assert all(row.count("|") == 3 for row in rows)


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Shop-2", "shop_2"), ("en_shop", "shop"), ("2024", "model_2024"), ("отзывы", "model")],
)
def test_names_of_packages(folder: str, name: str) -> None:
    assert package_name(folder, "en") == name
