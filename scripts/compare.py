"""The side-by-side run: one table over configs, losses, decoders, encoders, corpora and seeds."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer
from spacy.cli._util import parse_config_overrides
from wasabi import msg

from mtnlp.errors import MtnlpError
from mtnlp.experiments.comparison import Comparison, make_comparison
from mtnlp.experiments.comparison_figure import write_figure
from mtnlp.experiments.comparison_tables import ComparisonTable, write_tables
from mtnlp.experiments.estimate import show_duration
from mtnlp.experiments.grid import Grid, read_grid
from mtnlp.experiments.progress import progress_bar
from mtnlp.experiments.runs import Options
from mtnlp.reports.tables import print_tables

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def compare(
    ctx: typer.Context,
    grid: Annotated[Path, typer.Argument(help="The grid, such as configs/grids/sample.toml.")],
    output: Annotated[
        Optional[Path], typer.Option(help="Results. Default: metrics/compare/GRID")
    ] = None,
    train: Annotated[Optional[str], typer.Option(help="paths.train: the training corpora.")] = None,
    dev: Annotated[Optional[str], typer.Option(help="paths.dev: the dev corpora.")] = None,
    test: Annotated[Optional[str], typer.Option(help="paths.test: the test corpora.")] = None,
    seed: Annotated[
        Optional[List[int]], typer.Option(help="Repeatable, in place of the grid's.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop at the estimate.")] = False,
    probe: Annotated[
        bool, typer.Option(help="Time a few steps for the estimate where no run is done yet.")
    ] = True,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the trained weights.")] = False,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Train and score every cell of a grid, each run in its own process, and tabulate.

    Any further [bold]--section.setting VALUE[/bold] overrides every config, as with spacy train.
    Run it again after an interruption: what is done is not done again, unless its corpora have
    changed. The folder gets table.csv, table.md and figure.png (a row a cell: mean and spread over
    seeds, seconds, words/s, peak memory) and runs.csv (a row a run).
    """
    paths = {"paths.train": train, "paths.dev": dev, "paths.test": test}
    overrides = {name: path for name, path in paths.items() if path is not None}
    overrides |= parse_config_overrides(ctx.args, env_var=None)
    try:
        chosen = read_grid(grid, overrides, seed)
        folder = output or Path("metrics", "compare", chosen.name)
        comparison = make_comparison(chosen, folder, Options(keep, gpu_id))
        if probe:
            comparison.probe()
        print_estimate(comparison)
        if dry_run:
            return
        with progress_bar(len(comparison.runs)) as show:
            comparison.run(show, lambda: write_tables(folder, chosen.name, tabulate(comparison)))
        for failure in comparison.failures:
            msg.fail(failure)
        report(chosen, comparison)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    raise typer.Exit(1 if comparison.failures else 0)


def print_estimate(comparison: Comparison) -> None:
    """How many runs there are, how many are done and how long the others will take."""
    grid, left = comparison.grid, comparison.left
    seconds = comparison.seconds_left(left)
    duration = "time unknown" if seconds is None else f"about {show_duration(seconds)} left"
    runs, done = len(comparison.runs), len(comparison.runs) - len(left)
    msg.info(
        f"{runs} runs ({len(grid.cells)} cells × {len(grid.seeds)} seeds), {done} done, {duration}"
    )


def tabulate(comparison: Comparison) -> ComparisonTable:
    """The table of what is done."""
    grid = comparison.grid
    return ComparisonTable(comparison.results, grid.axes, grid.metrics)


def report(grid: Grid, comparison: Comparison) -> None:
    """Print the table, and write it with its figure."""
    table = tabulate(comparison)
    if not table.runs:
        return
    write_tables(comparison.output, grid.name, table)
    table.check(grid.metrics)
    print_tables([table.to_table(grid.name)])
    try:
        write_figure(comparison.output, grid.name, table)
    except MtnlpError as error:  # without matplotlib
        msg.warn(str(error))
    msg.good(f"Results in {comparison.output}")


if __name__ == "__main__":
    app()
