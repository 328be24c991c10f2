"""`mtnlp tune`."""

from pathlib import Path
from typing import Annotated

import typer

from .progress import run_progress
from .verb import OVERRIDES, config_overrides, verb_app

app = verb_app()


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="The config, such as configs/conll.cfg.")],
    trials: Annotated[
        int, typer.Option(min=1, help="How many trials, those of earlier calls included.")
    ],
    output: Annotated[Path, typer.Option(help="The file of the config with the best settings.")],
    folder: Annotated[
        Path, typer.Option(help="The folder of the study: where trials are kept.")
    ] = Path("training/tune"),
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Begin anew where the folder has the study of another config or other corpora.",
        ),
    ] = False,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Search the few settings that matter for the best dev score.

    They are the encoder's rate, head_factor, the size of batches, the epochs (half to twice the
    config's) and the dropout of heads. The first trial is the config as it is; a trial that is
    worse than most were at its stage is ended. Dev alone decides, so score the pipeline on test.
    Any further --section.setting VALUE overrides the config. Interrupt it as you like: the same
    command goes on where it was. The folder gets trials.json.

    \b
    Example:
      mtnlp tune configs/conll.cfg --trials 20 --output tuned.cfg
    """
    from wasabi import msg

    from ..experiments.grid import override_settings
    from ..experiments.tuning import make_tuning
    from ..experiments.tuning_tables import best_line, estimate_line, trials_table
    from ..reports.tables import print_tables

    settings = override_settings(config_overrides(ctx))
    tuning = make_tuning(config, folder, trials, settings, gpu_id, replace)
    tuning.estimate()
    msg.info(estimate_line(tuning))
    try:
        with run_progress(trials) as show:
            tuning.run(show, lambda: tuning.write_best(output))
    except KeyboardInterrupt:
        msg.warn(f"Interrupted: all is kept in {folder}, and the same command goes on")
        raise typer.Exit(130) from None
    for failure in tuning.failures:
        msg.fail(failure)
    tuning.write_best(output)
    print_tables([trials_table(tuning)])
    msg.good(best_line(tuning, output))
