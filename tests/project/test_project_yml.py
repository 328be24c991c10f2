"""project.yml: what weasel cannot check itself."""

import itertools
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List

import pytest
from typer.main import get_command
from weasel.util.commands import split_command
from weasel.util.config import load_project_config, parse_config_overrides

import mtnlp
from mtnlp.cli.app import VERBS

ROOT = Path(__file__).parents[2]
SINGLE = ["imdb", "conll", "nerel", "multinerd-a", "multinerd-b"]


def commands(**overrides: Any) -> Dict[str, Dict[str, Any]]:
    """The commands by name, variables filled in."""
    dotted = {f"vars.{key.replace('__', '.')}": value for key, value in overrides.items()}
    config = load_project_config(ROOT, overrides=dotted)
    return {command["name"]: command for command in config["commands"]}


def arguments(command: Dict[str, Any]) -> Dict[str, str]:
    """The options of a command's first line."""
    words = command["script"][0].split()
    return {a: b for a, b in itertools.pairwise(words) if a.startswith("--")}


def parents(path: str) -> List[str]:
    return [str(parent) for parent in [Path(path), *Path(path).parents]]


def test_outputs_are_disjoint() -> None:
    outputs = [output for command in commands().values() for output in command["outputs"]]
    for one, other in itertools.permutations(outputs, 2):
        assert one not in parents(other), f"{one} and {other} overlap"


def test_every_command_can_be_skipped() -> None:
    """Weasel reruns a command without outputs each time."""
    assert all(command["outputs"] for command in commands().values())


def test_every_line_calls_what_there_is() -> None:
    """Each of our verbs and scripts exists and knows the options it is given."""
    called = set()
    for command in commands().values():
        for line in command["script"]:
            words = line.split()
            if words[:3] == ["python", "-m", "mtnlp"]:
                app = import_module(f"mtnlp.cli.{VERBS[words[3]].module}").app
                called.add(words[3])
            elif words[1].endswith(".py"):
                module = Path(words[1]).with_suffix("").as_posix().replace("/", ".")
                app = import_module(module).app
            else:
                assert words[:3] == ["python", "-m", "spacy"], line
                continue
            known = {name for option in get_command(app).params for name in option.opts}
            assert {word for word in words if word.startswith("--")} <= known, line
    assert called == {"backbone", "convert", "stats", "recipe", "evaluate"}


@pytest.mark.parametrize("workflow", ["all", "imdb", "conll", "nerel", "multinerd"])
def test_workflows_make_their_dependencies_first(workflow: str) -> None:
    config = load_project_config(ROOT)
    known = commands()
    made: List[str] = []
    for name in config["workflows"][workflow]:
        for dependency in known[name].get("deps", []):
            part_of = any(dependency in parents(output) for output in made)
            inside = any(output in parents(dependency) for output in made)
            assert part_of or inside or (ROOT / dependency).exists(), f"{name}: {dependency}"
        made.extend(known[name]["outputs"])


def test_order_of_the_main_job() -> None:
    steps = load_project_config(ROOT)["workflows"]["all"]
    named = [step for step in steps if not step.startswith("convert-")]
    assert named == ["backbone", "stats", "recipe", "train", "evaluate", "package", "smoke"]


@pytest.mark.parametrize("name", ["train", *(f"train-{name}" for name in SINGLE)])
def test_epochs_rates_and_seeds_stand_in_the_configs_alone(name: str) -> None:
    """Neither a training nor its recipe has settings of its own."""
    line = commands()[name]["script"][0]
    options = [word for word in line.split() if word.startswith("--")]
    paths = ["--paths.train", "--paths.dev"] if name == "train-multinerd-b" else []
    assert options == ["--output", *paths, "--gpu-id", "--paths.backbone"]


@pytest.mark.parametrize("suffix", ["", *(f"-{name}" for name in SINGLE)])
def test_every_training_takes_its_fitted_config(suffix: str) -> None:
    known = commands(recipe="none", hours=3, source="hub", encoder="other", gpu_id=0)
    fitting, training = known[f"recipe{suffix}"], known[f"train{suffix}"]
    (fitted,) = fitting["outputs"]
    assert arguments(fitting)["--output"] == fitted and fitted in training["deps"]
    assert f"spacy train {fitted} " in training["script"][0]
    given = arguments(fitting)
    assert (given["--recipe"], given["--hours"], given["--source"]) == ("none", "3", "hub")
    assert (given["--backbone"], given["--gpu-id"]) == ("assets/backbone/other", "0")
    # What is fitted is what is trained: the same corpora, under the config's own name.
    corpora = {path for path in training["deps"] if path.startswith("corpus")}
    assert corpora < set(fitting["deps"])
    config = fitting["script"][0].split()[4]
    assert (ROOT / config).is_file() and config in fitting["deps"]
    assert arguments(commands()[f"recipe{suffix}"])["--recipe"] == "auto"
    assert arguments(commands()[f"recipe{suffix}"])["--hours"] == "0"


def test_both_systems_of_multinerd_share_a_config() -> None:
    known = commands()
    for system, corpus in (("a", "corpus"), ("b", "corpus/system_b")):
        training, scoring = (
            known[f"train-multinerd-{system}"],
            known[f"evaluate-multinerd-{system}"],
        )
        fitting = known[f"recipe-multinerd-{system}"]
        assert "mtnlp recipe configs/multinerd.cfg" in fitting["script"][0]
        assert arguments(fitting)["--corpus"] == corpus
        assert f"spacy train training/multinerd_{system}.cfg --output" in training["script"][0]
        assert f"{corpus}/train/multinerd.spacy" in training["deps"]
        assert arguments(scoring)["--corpus"] == corpus
    options = arguments(known["train-multinerd-b"])
    assert options["--paths.train"] == "corpus/system_b/train"
    assert options["--paths.dev"] == "corpus/system_b/dev"


def test_each_split_is_predicted_once() -> None:
    for name in ("evaluate", *(f"evaluate-{name}" for name in SINGLE)):
        dev, test = commands()[name]["script"]
        assert "mtnlp evaluate" in dev and "--split dev" in dev and "report_dev.json" in dev
        assert "mtnlp evaluate" in test and "--split test" in test and "report_test.json" in test
        assert "/test.json" in test.partition("--scores")[2]


def test_vars_reach_the_commands() -> None:
    changed = commands(source="local", local="data", conll__path="elsewhere", encoder="other")
    assert arguments(changed["convert-imdb"])["--source"] == "local"
    assert arguments(changed["convert-imdb"])["--path"] == "data"
    assert arguments(changed["convert-conll"])["--path"] == "elsewhere"
    assert "assets/backbone/other" in changed["train"]["deps"]
    assert arguments(changed["package"])["--source"] == "local"


@pytest.mark.parametrize(
    "value", ["--training.max_epochs 2", "--training.max_epochs 2 --system.seed 1"]
)
def test_overrides_of_every_training(value: str) -> None:
    """One variable holds what follows the command. It begins with a blank, because weasel takes
    a value that begins with `--` for the next option."""
    overrides = parse_config_overrides(["--vars.training", f" {value}", "--vars.gpu_id=0"])
    assert overrides == {"vars.training": f" {value}", "vars.gpu_id": 0}
    config = load_project_config(ROOT, overrides=overrides)
    lines = [line for command in config["commands"] for line in command["script"]]
    trainings = [split_command(line) for line in lines if "spacy train" in line]
    assert len(trainings) == 1 + len(SINGLE)
    for words in trainings:
        given = parse_config_overrides(words[words.index("--training.max_epochs") :])
        assert given["training.max_epochs"] == 2
        assert given.get("system.seed") == (1 if "seed" in value else None)


def test_wheel_of_mtnlp_is_named_after_its_version() -> None:
    wheel = f"packages/mtnlp-{mtnlp.__version__}-py3-none-any.whl"
    assert wheel in commands()["package"]["outputs"]
    assert wheel in commands()["smoke"]["deps"]


def test_nothing_is_downloaded_by_default() -> None:
    assets = load_project_config(ROOT)["assets"]
    assert assets and all(asset["extra"] for asset in assets)
    assert arguments(commands()["convert-imdb"])["--source"] == "sample"


def test_shell_verbs_reject_what_they_do_not_know() -> None:
    script = ROOT / "scripts" / "run.sh"
    unknown = subprocess.run(["bash", str(script), "fly"], capture_output=True, text=True)
    assert unknown.returncode == 2 and "prepare|train|evaluate|all" in unknown.stderr
    asked = subprocess.run(["bash", str(script), "--help"], capture_output=True, text=True)
    assert asked.returncode == 0 and "prepare|train|evaluate|all" in asked.stdout


def test_shell_verbs_run_the_steps(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n', encoding="utf8")
    python.chmod(0o755)
    shown = subprocess.run(
        ["bash", str(ROOT / "scripts" / "run.sh"), "prepare", "--vars.source=local"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHON": str(python), "PATH": "/usr/bin:/bin"},
    ).stdout.splitlines()
    assert shown[0] == "-m spacy project run backbone . --vars.source=local"
    assert [line.split()[4] for line in shown] == [
        "backbone",
        "convert-imdb",
        "convert-conll",
        "convert-nerel",
        "convert-multinerd",
        "stats",
    ]
