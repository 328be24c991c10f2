"""project.yml: what weasel cannot check itself."""

import itertools
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from spacy.util import load_config
from typer.main import get_command
from weasel.util.config import load_project_config

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
    assert called == {"backbone", "convert", "stats", "evaluate"}


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
    assert named == ["backbone", "stats", "train", "evaluate", "package", "smoke"]


def config_values(name: str) -> Tuple[Any, ...]:
    training = load_config(ROOT / "configs" / f"{name}.cfg")["training"]
    return (
        training["max_epochs"],
        training["batcher"]["size"],
        training["optimizer"]["learn_rate"]["initial_rate"],
    )


@pytest.mark.parametrize("name", ["en_mtnlp", *SINGLE])
def test_default_knobs_are_the_configs_own(name: str) -> None:
    """`spacy train configs/X.cfg` and `spacy project run` train the same pipeline."""
    command = commands()["train" if name == "en_mtnlp" else f"train-{name}"]
    options = arguments(command)
    file = name.replace("-", "_")
    assert command["script"][0].startswith(f"python -m spacy train configs/{file}.cfg")
    assert (
        int(options["--training.max_epochs"]),
        int(options["--training.batcher.size"]),
        float(options["--training.optimizer.learn_rate.initial_rate"]),
    ) == config_values(file)
    seed = load_config(ROOT / "configs" / f"{file}.cfg")["system"]["seed"]
    assert int(options["--system.seed"]) == seed


def test_knobs_reach_the_commands() -> None:
    changed = commands(
        source="local", local="data", conll__path="elsewhere", epochs=3, lr=0.001, encoder="other"
    )
    assert arguments(changed["convert-imdb"])["--source"] == "local"
    assert arguments(changed["convert-imdb"])["--path"] == "data"
    assert arguments(changed["convert-conll"])["--path"] == "elsewhere"
    assert arguments(changed["train"])["--training.max_epochs"] == "3"
    rate = arguments(changed["train"])["--training.optimizer.learn_rate.initial_rate"]
    assert float(rate) == 0.001
    assert "assets/backbone/other" in changed["train"]["deps"]
    assert arguments(changed["package"])["--source"] == "local"


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
