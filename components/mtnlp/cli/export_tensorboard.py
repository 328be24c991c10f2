"""`mtnlp export-tensorboard`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from .verb import verb_app

app = verb_app()


@app.command(no_args_is_help=True)
def main(
    path: Annotated[Path, typer.Option(help="A log_dir; runs in folders below it count, too.")],
    output: Annotated[
        Optional[Path], typer.Option(help="The folder of the CSV files. Default: PATH")
    ] = None,
) -> None:
    """Write TensorBoard's curves as CSV.

    Reads the event files of mtnlp.TensorBoardLogger.v1. scalars_long.csv has one row per point,
    with run, tag, step, wall_time and value. scalars_wide.csv has one row per step of a run and
    one column per tag, empty where the step has no such point.

    \b
    Example:
      mtnlp export-tensorboard --path training/en_mtnlp/log
    """
    from wasabi import msg

    from ..reports.tensorboard_export import export_scalars

    for file in export_scalars(path, output or path):
        msg.good(f"Written to {file}")
