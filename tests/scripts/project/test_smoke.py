"""The smoke test installs wheels where nothing else of ours is, and reports failures."""

import sys
import zipfile
from pathlib import Path

import pytest

from mtnlp.errors import MtnlpError
from scripts.project.smoke import python_of, run, smoke


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A wheel without dependencies: its module `answers` says 42."""
    folder = tmp_path / "packages"
    folder.mkdir()
    info = "answers-1.0.dist-info"
    with zipfile.ZipFile(folder / "answers-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("answers.py", "TRUTH = 42\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: answers\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return folder


APPLICATION = """
import importlib.util, sys
import answers
assert importlib.util.find_spec("mtnlp") is None, "the environment is not a new one"
sys.exit(0 if answers.TRUTH == 42 else 1)
"""


def test_installs_into_a_new_environment(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3] / "components"))
    application = tmp_path / "application.py"
    application.write_text(APPLICATION, encoding="utf8")
    stamp = tmp_path / "metrics" / "smoke.json"
    seconds = smoke(packages, "answers==1.0", application, stamp=stamp)
    assert set(seconds) == {"install", "application"}
    assert '"answers==1.0"' in stamp.read_text(encoding="utf8")


def test_a_failed_application_leaves_no_stamp(packages: Path, tmp_path: Path) -> None:
    application = tmp_path / "application.py"
    application.write_text("raise SystemExit(3)", encoding="utf8")
    with pytest.raises(MtnlpError, match=r"E414.*application.py failed with exit code 3"):
        smoke(packages, "answers==1.0", application, stamp=tmp_path / "stamp.json")
    assert not (tmp_path / "stamp.json").exists()


def test_interpreter_of_an_environment(tmp_path: Path) -> None:
    assert python_of(Path(sys.prefix)).exists()
    with pytest.raises(MtnlpError, match=r"E414.*exit code 7"):
        run([sys.executable, "-c", "raise SystemExit(7)"], tmp_path, "Counting")
