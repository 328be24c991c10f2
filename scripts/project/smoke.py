"""Does the model work where nothing but its wheels was installed?"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Annotated, Dict, List, Optional

import typer
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.errors import Errors, MtnlpError
from mtnlp.files import write_text

# Set by an activated environment or a developer's shell: each could make this repository's code
# importable in the new environment.
LEAKS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


def smoke(
    packages: Path,
    requirement: str,
    application: Path,
    *,
    constraints: Optional[Path] = None,
    stamp: Optional[Path] = None,
) -> Dict[str, float]:
    """Install a model into a new virtual environment and run an application there.

    packages: the folder that holds the model's wheel and mtnlp's. requirement: what pip installs
    (`en_mtnlp==0.1.0`). application: a Python file; it runs in an empty folder, so nothing of
    this repository is importable. constraints: a pip constraints file. stamp: the JSON file to
    write after success.

    Returns: the seconds of each step. Raises: MtnlpError E414 where a step fails.
    """
    seconds: Dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="mtnlp-smoke-") as temporary:
        home = Path(temporary, "env")
        start = time.monotonic()
        # This environment's pip can install into the new one, which then needs none of its own.
        own_pip = importlib.util.find_spec("pip") is None
        venv.create(home, with_pip=own_pip)
        python = python_of(home)
        pip = [str(python), "-m", "pip"]
        if not own_pip:
            pip = [sys.executable, "-m", "pip", "--python", str(python)]
        # Compiling every module of every dependency would take longer than the rest.
        install = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        install += ["--find-links", str(packages.resolve()), requirement]
        if constraints is not None:
            install += ["--constraint", str(constraints.resolve())]
        run(install, Path(temporary), f"Installing {requirement}")
        seconds["install"] = round(time.monotonic() - start, 1)
        start = time.monotonic()
        run([str(python), str(application.resolve())], Path(temporary), application.name)
        seconds["application"] = round(time.monotonic() - start, 1)
    if stamp is not None:
        write_text(stamp, json.dumps({"requirement": requirement, "seconds": seconds}) + "\n")
    return seconds


def python_of(home: Path) -> Path:
    """The interpreter of a virtual environment."""
    return home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def run(command: List[str], folder: Path, what: str) -> None:
    """Run a command in a folder, its output on the screen. Raises: MtnlpError E414."""
    environment = {key: value for key, value in os.environ.items() if key not in LEAKS}
    code = subprocess.run(command, cwd=folder, env=environment, check=False).returncode
    if code != 0:
        raise MtnlpError(Errors.E414.format(what=what, code=code))


app = verb_app()


@app.command()
def main(
    requirement: Annotated[str, typer.Argument(help="What to install.")] = "en_mtnlp",
    packages: Annotated[Path, typer.Option(help="The folder that holds the wheels.")] = Path(
        "packages"
    ),
    application: Annotated[Path, typer.Option(help="What to run there.")] = (
        Path(__file__).with_name("application.py")
    ),
    constraints: Annotated[Optional[Path], typer.Option(help="Pins for pip.")] = None,
    stamp: Annotated[Optional[Path], typer.Option(help="A file to write after success.")] = None,
) -> None:
    """Install a packaged model into a new virtual environment and run an application there.

    Nothing but the wheels and their dependencies is installed, so a missing requirement or file
    shows. The environment is temporary.
    """
    msg.info(f"Installing {requirement} into a new environment: a minute or two")
    try:
        seconds = smoke(packages, requirement, application, constraints=constraints, stamp=stamp)
    except MtnlpError as error:
        msg.fail(str(error))
        sys.exit(1)
    msg.good(
        f"{requirement} works (install {seconds['install']:.0f} s, "
        f"application {seconds['application']:.0f} s)"
    )


if __name__ == "__main__":
    app()
