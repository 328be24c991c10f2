"""`mtnlp compare`."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import run_progress
from .verb import OVERRIDES, config_overrides, path_overrides, verb_app

app = verb_app()


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
    ctx: typer.Context,
    grid: Annotated[Path, typer.Argument(help="The grid, such as configs/grids/sample.toml.")],
    output: Annotated[
        Optional[Path],
        typer.Option(help="The folder of the results. Default: metrics/compare/GRID"),
    ] = None,
    train: Annotated[Optional[str], typer.Option(help="paths.train: the training corpora.")] = None,
    dev: Annotated[Optional[str], typer.Option(help="paths.dev: the dev corpora.")] = None,
    test: Annotated[Optional[str], typer.Option(help="paths.test: the test corpora.")] = None,
    seed: Annotated[
        Optional[List[int]], typer.Option(help="A seed, repeatable. Default: those of the grid.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate the time and stop.")] = False,
    probe: Annotated[
        bool, typer.Option(help="Time a few steps for the estimate where no run is done yet.")
    ] = True,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the trained weights.")] = False,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Train and score every cell of a grid, and tabulate.

    Each run has a process of its own. Any further --section.setting VALUE overrides every config,
    as with spacy train. Run it again after an interruption: what is done is not done again, unless
    its corpora have changed. The folder gets table.csv, table.md and figure.png (one row per cell:
    mean and spread over seeds, seconds, words/s, peak memory) and runs.csv (one row per run).

    \b
    Examples:
      mtnlp compare configs/grids/sample.toml --dry-run
      mtnlp compare configs/grids/losses.toml --train DIR --dev DIR --test DIR --seed 0 --seed 1
    """
    from wasabi import msg

    from ..experiments.comparison import make_comparison
    from ..experiments.comparison_report import write_report, write_results
    from ..experiments.grid import read_grid
    from ..experiments.runs import Options
    from ..reports.tables import print_tables

    overrides = path_overrides(train=train, dev=dev, test=test) | config_overrides(ctx)
    chosen = read_grid(grid, overrides, seed)
    folder = output or Path("metrics", "compare", chosen.name)
    comparison = make_comparison(chosen, folder, Options(keep, gpu_id))
    if probe:
        comparison.probe()
    msg.info(comparison.progress_summary())
    if dry_run:
        return
    with run_progress(len(comparison.runs)) as show:
        comparison.run(show, lambda: write_results(comparison))
    for failure in comparison.failures:
        msg.fail(failure)
    table = write_report(comparison)
    if table is not None:
        print_tables([table])
        msg.good(f"Results in {folder}")
    raise typer.Exit(1 if comparison.failures else 0)
