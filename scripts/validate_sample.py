"""Check that the embedded sample corpora are well-formed."""

from pathlib import Path

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from scripts.project.validate_sample import require_valid


def main(
    root: Path = typer.Argument(Path("corpus/sample"), help="The folder of the sample."),
) -> None:
    """Prove every file of the sample well-formed: offsets, tags, ratings, counts, splits.

    Prints a table; exits with 1 on any fault.
    """
    try:
        require_valid(root)
    except MtnlpError as error:
        msg.fail("The sample has faults.")
        typer.echo(str(error))
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
