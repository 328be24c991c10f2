"""`mtnlp train`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from .verb import OVERRIDES, config_overrides, verb_app

app = verb_app()


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
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
    auto_resume: Annotated[
        bool,
        typer.Option(
            "--auto-resume",
            help="As --resume where config and files are the same; otherwise start anew.",
        ),
    ] = False,
    checkpoint_every: Annotated[
        int,
        typer.Option(min=0, help="Steps between checkpoints, beside those at evaluations."),
    ] = 0,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-V", help="Show spaCy's debugging messages.")
    ] = False,
) -> None:
    """Train a pipeline; resume it, or share it among processes.

    Takes the config that `spacy train` takes and gives the same result: OUTPUT/model-best and
    OUTPUT/model-last. Any further --section.setting VALUE overrides the config. A training that
    was killed goes on with --resume as if nothing had happened; training.max_steps, max_epochs,
    patience and the logger may be changed then. Under torchrun the processes share each batch,
    with one GPU per process or all on the CPU.

    \b
    Examples:
      mtnlp train configs/conll.cfg --output training/conll --training.max_epochs 3
      mtnlp train configs/conll.cfg --output training/conll --resume
      torchrun --nproc-per-node 2 -m mtnlp train configs/conll.cfg --output training/conll
    """
    import logging

    from spacy.cli._util import import_code
    from spacy.util import logger

    from ..trainer.train import Options, train_from_config

    if verbose:
        logger.setLevel(logging.DEBUG)
    overrides = config_overrides(ctx, environment=True)
    import_code(code)
    train_from_config(
        config, Options(output, gpu_id, resume, checkpoint_every, auto_resume), overrides
    )
