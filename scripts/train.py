"""Train a pipeline: spacy train, able to resume and to run in several processes."""

import logging
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import import_code, parse_config_overrides
from spacy.util import logger
from wasabi import msg

from mtnlp.errors import MtnlpError
from mtnlp.trainer.train import Options, train_from_config

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="The config file, as for spacy train.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for weights and checkpoint.")
    ],
    code: Annotated[
        Optional[Path], typer.Option("--code", "-c", help="Python file imported before training.")
    ] = None,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The GPU, -1 for the CPU.")] = -1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from OUTPUT/checkpoint.pt of the same config.")
    ] = False,
    checkpoint_every: Annotated[
        int,
        typer.Option(min=0, help="Steps between checkpoints, beside those at evaluations."),
    ] = 0,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-V", help="Show spaCy's debugging messages.")
    ] = False,
) -> None:
    """Train as [bold]spacy train[/bold] does, with the same config and the same result.

    Any further [bold]--section.setting VALUE[/bold] overrides the config. A run that was killed
    goes on with [bold]--resume[/bold] as if nothing had happened; training.max_steps, max_epochs,
    patience and the logger may be changed then.

    Several processes share the work on each batch, one GPU each or all on the CPU:
    [bold]torchrun --nproc-per-node 2 scripts/train.py CONFIG --output DIR[/bold]
    """
    if verbose:
        logger.setLevel(logging.DEBUG)
    try:
        overrides = parse_config_overrides(ctx.args)
        import_code(code)
        options = Options(output, gpu_id, resume, checkpoint_every)
        train_from_config(config, options, overrides)
    except MtnlpError as error:
        msg.fail(str(error))
        sys.exit(1)


if __name__ == "__main__":
    app()
