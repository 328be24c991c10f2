"""`mtnlp estimate`."""

from pathlib import Path
from typing import Annotated

import typer

from .verb import OVERRIDES, config_overrides, verb_app

app = verb_app()


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="The config file, as for mtnlp train.")],
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Say how long a training will take on this machine.

    Makes a few real steps of it, some ten seconds long, and counts the rest. Any further
    --section.setting VALUE overrides the config.

    \b
    Example:
      mtnlp estimate config.cfg --training.max_epochs 3
    """
    from wasabi import msg

    from ..experiments.estimate import show_duration
    from ..recipes.estimate import estimate_training

    found = estimate_training(config, config_overrides(ctx, environment=True), gpu_id=gpu_id)
    speed = f"{found.words_per_second:,.0f} words/s"
    msg.info(f"The training will take about {show_duration(found.seconds)} here ({speed}).")
