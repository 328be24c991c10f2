"""The verbs as a group: quick help, plain errors, and spaCy's command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest
import spacy.cli
import typer
from click.testing import Result
from spacy.util import registry
from typer.testing import CliRunner

import mtnlp
from mtnlp.cli.app import EXTRAS, VERBS, app
from mtnlp.errors import Errors, MtnlpError
from mtnlp.pipes import entity_spans
from tests.data.corpora import flat, invoke

# Prints, for the group and each verb, which of the slow libraries its help has imported.
HELP = """
import contextlib, io, json, sys
from mtnlp.cli.app import VERBS, app
found = {}
for arguments in [[], *([verb] for verb in VERBS)]:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        try:
            app([*arguments, "--help"])
        except SystemExit as end:
            assert not end.code
    assert "Usage" in text.getvalue()
    verbs = [name for name in sys.modules if name.startswith("mtnlp.cli.")]
    slow = [name for name in ("torch", "spacy", "thinc", "numpy", "rich") if name in sys.modules]
    found[" ".join(arguments)] = [len(verbs), slow]
print(json.dumps(found))
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_imports_no_slow_library() -> None:
    found: Dict[str, Any] = json.loads(python(HELP))
    assert found.keys() == {"", *VERBS}
    for verb, (_, slow) in found.items():
        assert not {"torch", "spacy", "thinc", "numpy"} & set(slow), verb
    # The group's own help imports no verb's file: `app` alone.
    assert found[""][0] == 1
    assert found["convert"][0] < len(VERBS)


def test_importing_mtnlp_is_light_and_its_names_are_there() -> None:
    python("import sys, mtnlp; assert not {'torch', 'spacy', 'numpy'} & set(sys.modules)")
    # In this process as if nobody had asked for it: a new one takes seconds to import spaCy.
    vars(mtnlp).pop("confidence", None)
    from mtnlp import confidence

    assert confidence is entity_spans.confidence is vars(mtnlp)["confidence"]
    assert {"confidence", "restore_vectors", "__version__"} <= set(dir(mtnlp))
    assert mtnlp.restore_vectors.__module__ == "mtnlp.pipes.vector_hooks"
    with pytest.raises(AttributeError, match="no attribute 'confidences'"):
        _ = mtnlp.confidences  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_worth_reading(verb: str) -> None:
    result = invoke(verb, "--help")
    assert result.exit_code == 0, result.output
    assert f"Usage: mtnlp {verb} " in result.output
    assert VERBS[verb].help in flat(result.output)
    assert "Example" in result.output and f"  mtnlp {verb} " in result.output
    assert "[bold]" not in result.output
    for line in result.output.splitlines():
        assert line == line.rstrip() and "`" * 3 not in line


def test_offsets_in_help_are_no_emoji() -> None:
    assert "500:100:0" in flat(invoke("convert", "--help").output)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_table_of_verbs() -> None:
    shown = flat(run("--help").output)
    for name, verb in VERBS.items():
        assert f"{name} {verb.help}" in shown
    assert "Did you mean 'train'" in flat(run("trian").output) and run("trian").exit_code == 2
    assert run().exit_code == 2


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MtnlpError(Errors.E101), "[E101]"),
        (
            FileNotFoundError(2, "No such file or directory", "a/b"),
            "[E001] Cannot read or write a/b",
        ),
        (ModuleNotFoundError("No module named 'scipy'", name="scipy.stats"), "mtnlp[reports]"),
    ],
)
def test_errors_are_messages(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**arguments: Any) -> None:
        raise error

    monkeypatch.setattr("mtnlp.reports.tensorboard_export.export_scalars", lambda *_: fail())
    result = run("export-tensorboard", "--path", "log")
    assert result.exit_code == 1 and message in flat(result.output)
    assert "Traceback" not in result.output and isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    "error", [ValueError("a fault"), OSError("no file"), ModuleNotFoundError("x", name="x")]
)
def test_faults_of_the_program_keep_their_traceback(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr("mtnlp.reports.tensorboard_export.export_scalars", fail)
    assert run("export-tensorboard", "--path", "log").exception is error


def test_every_extra_exists() -> None:
    from configparser import ConfigParser

    parser = ConfigParser()
    parser.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf8")
    extras = parser["options.extras_require"]
    for library, extra in EXTRAS.items():
        assert library.replace("_", "-") in extras[extra]


def test_an_option_that_is_no_setting() -> None:
    """spaCy's click and Typer's differ: its error is still a message, and the status is 2."""
    result = invoke("compare", "grid.toml", "--dry")
    assert result.exit_code == 2
    assert "No such option '--dry'. Settings of the config have a dot" in flat(result.output)
    assert isinstance(result.exception, SystemExit)


def test_as_a_verb_of_spacy() -> None:
    assert "mtnlp" in registry.cli.get_all()
    result = CliRunner().invoke(spacy.cli.app, ["mtnlp", "convert", "--help"])
    assert result.exit_code == 0 and VERBS["convert"].help in flat(result.output)
    failed = CliRunner().invoke(spacy.cli.app, ["mtnlp", "convert", "conll", "--limit", "many"])
    assert failed.exit_code == 1 and "E144" in failed.output
    assert isinstance(typer.main.get_command(app), typer.core.TyperGroup)
