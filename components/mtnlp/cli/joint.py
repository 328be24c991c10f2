"""`mtnlp joint`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from .joint_report import parse_seeds
from .progress import run_progress
from .verb import OVERRIDES, config_overrides, path_overrides, verb_app

app = verb_app()


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
    ctx: typer.Context,
    config: Annotated[
        Path, typer.Argument(help="A joint config, such as configs/imdb_conll_multinerd.cfg.")
    ],
    test: Annotated[str, typer.Option(help="paths.test: the test corpora.")],
    teachers: Annotated[
        bool,
        typer.Option(
            "--teachers",
            help="Learn from teachers. Without them a joint config is trained by mtnlp train, and "
            "compared with single tasks by mtnlp joint-report.",
        ),
    ] = False,
    train: Annotated[Optional[str], typer.Option(help="paths.train: the training corpora.")] = None,
    dev: Annotated[Optional[str], typer.Option(help="paths.dev: the dev corpora.")] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="At most so many units of each corpus in train and dev.")
    ] = 0,
    seeds: Annotated[str, typer.Option(help="The seeds, separated by commas.")] = "0",
    vectors: Annotated[
        Optional[str],
        typer.Option(
            metavar="ENCODER",
            help="An encoder, by name or folder, or a folder of sentence-transformers: untouched "
            "it teaches the student's sentence_vectors.",
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Also train jointly without teachers, to compare.")
    ] = False,
    output: Annotated[
        Optional[Path],
        typer.Option(help="The folder of all weights and results. Default: training/joint/CONFIG"),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, help="Bootstrap resamples of the intervals.")
    ] = 1000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the steps and the time, and stop.")
    ] = False,
    probe: Annotated[
        bool, typer.Option(help="Time a few steps for the estimate where no run is done yet.")
    ] = True,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Train a joint pipeline by teachers of its tasks, and compare.

    Trains every head of a joint config alone, each on the corpora that are annotated for it. Asks
    these teachers about all training corpora. Then trains the joint pipeline on gold and on what
    the teachers believe, whose share of what has gold goes down to 0 over the training (teacher
    annealing). In the end student and teachers are scored on the same test documents, with a paired
    bootstrap over documents.

    Corpora with `teachers_only = true` are for the student alone; `taught` is set by this command.
    Any further --section.setting VALUE overrides the joint config. Run it again after an
    interruption: what is done is not done again. OUTPUT keeps all weights, and report.md,
    report.json and report.csv.

    \b
    Example:
      mtnlp joint configs/imdb_conll_multinerd.cfg --teachers --train corpus/train \\
        --dev corpus/dev --test corpus/test --seeds 0,1,2
    """
    from wasabi import msg

    from ..experiments.grid import override_settings
    from ..experiments.joint_tables import task_table, time_table, write_joint_report
    from ..experiments.teacher_recipe import make_recipe
    from ..reports.tables import print_tables

    if not teachers:
        other = "mtnlp train trains a joint config without teachers; mtnlp joint-report compares it"
        raise typer.BadParameter(f"Say --teachers. {other}.")
    folder = output or Path("training", "joint", config.stem)
    overrides = path_overrides(train=train, dev=dev, test=test) | config_overrides(ctx)
    recipe = make_recipe(
        config,
        folder,
        settings=override_settings(overrides),
        seeds=parse_seeds(seeds),
        limit=limit,
        plain=plain,
        vectors=vectors,
        gpu_id=gpu_id,
    )
    if probe:
        recipe.probe()
    for line in recipe.steps():
        msg.info(line)
    if dry_run:
        return
    with run_progress(len(recipe.report.comparison.runs)) as show:
        failures = recipe.run(show)
    for failure in failures:
        msg.fail(failure)
    results = recipe.report.results(samples)
    write_joint_report(folder, results)
    print_tables([task_table(results), time_table(results)])
    for run in recipe.students:
        if run.result() is not None:
            msg.good(f"The student of seed {run.seed}: {recipe.model(run.seed)}")
    msg.good(f"Results in {folder}")
    raise typer.Exit(1 if failures else 0)
