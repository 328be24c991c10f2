"""A project's steps, run one after another."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

from wasabi import msg

from ..errors import Errors, MtnlpError


def run_project(folder: Path) -> None:
    """Run all steps of a project, each with its output on the screen.

    Raises: MtnlpError E488 where a step fails. What is done stays, also where somebody interrupts.
    """
    sys.stdout.flush()  # what stands there comes before what the steps print
    command = [sys.executable, "-m", "spacy", "project", "run", "all", str(folder)]
    try:
        code = subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        msg.warn(
            "Interrupted. What is done is kept. Go on with: "
            f"cd {folder} && python -m spacy project run all"
        )
        raise
    if code:
        raise MtnlpError(Errors.E488.format(path=folder))


def require_build_tools() -> None:
    """Raises: MtnlpError E002 where wheels cannot be built: better before a training than after."""
    for library in ("build", "setuptools", "wheel"):
        try:
            metadata.version(library)
        except metadata.PackageNotFoundError:
            raise MtnlpError(Errors.E002.format(library=library, extra="package")) from None
