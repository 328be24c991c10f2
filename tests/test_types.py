"""The package's types, as mypy sees them: beside the other tests, since it needs one core alone."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_mypy() -> None:
    pytest.importorskip("mypy", reason="the extra `dev` is not installed")
    command = [sys.executable, "-m", "mypy", "-p", "mtnlp"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
