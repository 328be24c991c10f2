"""The curves of TensorBoard's event files as CSV."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from mtnlp.reports.tensorboard_export import export_scalars


def main(
    path: Annotated[Path, typer.Option(help="A log_dir; runs in folders below it count, too.")],
    output: Annotated[
        Optional[Path], typer.Option(help="The folder of the CSV files. Default: PATH")
    ] = None,
) -> None:
    """Write scalars_long.csv and scalars_wide.csv.

    Long: a row a point, with run, tag, step, wall_time and value. Wide: a row a step of a run, a
    column a tag, empty where the step has no such point.
    """
    try:
        files = export_scalars(path, output or path)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    for file in files:
        msg.good(f"Written to {file}")


if __name__ == "__main__":
    typer.run(main)
