"""`mtnlp joint-report`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import run_progress
from .verb import OVERRIDES, config_overrides, path_overrides, verb_app

app = verb_app()


class Weighting(StrEnum):
    """How the tasks of a joint run are weighed."""

    static = "static"
    uncertainty = "uncertainty"


def parse_seeds(text: str) -> List[int]:
    """`0,1,2` as numbers."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"'{text}': expected whole numbers, separated by commas") from None


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
    ctx: typer.Context,
    config: Annotated[
        Path, typer.Argument(help="A joint config, such as configs/imdb_conll_multinerd.cfg.")
    ],
    test: Annotated[str, typer.Option(help="paths.test: the test corpora.")],
    train: Annotated[Optional[str], typer.Option(help="paths.train: the training corpora.")] = None,
    dev: Annotated[Optional[str], typer.Option(help="paths.dev: the dev corpora.")] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="At most so many units of each corpus in train and dev.")
    ] = 0,
    seeds: Annotated[str, typer.Option(help="The seeds, separated by commas.")] = "0",
    weighting: Annotated[
        Optional[List[Weighting]],
        typer.Option(help="How joint runs weight the losses; repeatable. Default: both."),
    ] = None,
    guard: Annotated[
        Optional[float],
        typer.Option(
            min=0.0,
            metavar="EPS",
            help="In points (0.5 is 0.005 of F1 or accuracy): exit with 1 where a task loses "
            "significantly more than EPS, that is where the upper bound of the 95% interval of "
            "joint minus single is below -EPS, under any of the weightings.",
        ),
    ] = None,
    output: Annotated[
        Optional[Path],
        typer.Option(help="The folder of the results. Default: metrics/joint/CONFIG"),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, help="Bootstrap resamples of the intervals.")
    ] = 1000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate the time and stop.")] = False,
    probe: Annotated[
        bool, typer.Option(help="Time a few steps for the estimate where no run is done yet.")
    ] = True,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the trained weights.")] = False,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Compare joint training with each task alone.

    Trains every head of a config alone and all of them jointly, and scores them on the test
    documents. Alone, a head has the encoder, epochs, batches and examples that it has jointly. The
    difference is tested by a paired bootstrap over documents. Any further --section.setting VALUE
    overrides the joint config. Run it again after an interruption: what is done is not done again.
    The folder gets report.md, report.json and report.csv.

    \b
    Example:
      mtnlp joint-report configs/imdb_conll_multinerd.cfg --train corpus/train \\
        --dev corpus/dev --test corpus/test --seeds 0,1,2
    """
    from wasabi import msg

    from ..experiments.grid import override_settings
    from ..experiments.joint_report import make_report
    from ..experiments.joint_tables import find_losses, task_table, time_table, write_joint_report
    from ..reports.tables import print_tables

    folder = output or Path("metrics", "joint", config.stem)
    overrides = path_overrides(train=train, dev=dev, test=test) | config_overrides(ctx)
    report = make_report(
        config,
        folder,
        settings=override_settings(overrides),
        seeds=parse_seeds(seeds),
        limit=limit,
        weightings=[item.value for item in weighting or Weighting],
        keep=keep,
        gpu_id=gpu_id,
    )
    if probe:
        report.comparison.probe()
    msg.info(report.progress_summary())
    if dry_run:
        return
    with run_progress(len(report.comparison.runs)) as show:
        report.run(show)
    for failure in report.comparison.failures:
        msg.fail(failure)
    results = report.results(samples)
    write_joint_report(folder, results)
    print_tables([task_table(results), time_table(results)])
    msg.good(f"Results in {folder}")
    losses = [] if guard is None else find_losses(results, guard)
    for loss in losses:
        msg.fail(f"More than {guard:g} points lost: {loss}")
    raise typer.Exit(1 if report.comparison.failures or losses else 0)
