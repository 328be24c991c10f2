"""Install the packaged model into a new environment and try it there."""

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from scripts.project.smoke import smoke

ROOT = Path(__file__).parent.parent


def main(
    requirement: Annotated[str, typer.Argument(help="What to install.")] = "en_mtnlp",
    packages: Annotated[Path, typer.Option(help="The folder that holds the wheels.")] = Path(
        "packages"
    ),
    application: Annotated[Path, typer.Option(help="What to run there.")] = (
        ROOT / "scripts" / "application.py"
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
    typer.run(main)
