"""`mtnlp recipe`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .progress import progress_bar
from .verb import verb_app

app = verb_app()


class Choice(StrEnum):
    """Where the settings come from."""

    auto = "auto"
    none = "none"


@app.command(no_args_is_help=True)
def main(
    config: Annotated[Path, typer.Argument(help="The config, such as configs/imdb.cfg.")],
    corpus: Annotated[Path, typer.Option(help="The folder with train and dev.")],
    backbone: Annotated[str, typer.Option(help="The encoder: a folder, or a name on the hub.")],
    output: Annotated[Path, typer.Option(help="The file of the fitted config.")],
    recipe: Annotated[
        Choice, typer.Option(help="auto: by the rule of mtnlp init; none: the config as it is.")
    ] = Choice.auto,
    source: Annotated[
        str,
        typer.Option(
            help="Where the corpora came from, as in mtnlp convert. The configs' own settings were "
            "made for the sample, and stay."
        ),
    ] = "local",
    hours: Annotated[
        float, typer.Option(min=0, help="At most so many hours of training; 0 is no limit.")
    ] = 0.0,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Fit a config's settings to its corpora.

    Looks at the corpora that a config names and sets window, precision, batch, rate, epochs,
    language, evaluations, and how often each corpus is seen. A corpus that the encoder cannot read
    (more than 2.5 wordpieces per word) is left out, and so is the component that would learn from
    it alone. Says how long the training will take.

    \b
    Example:
      mtnlp recipe configs/imdb.cfg --corpus corpus --backbone assets/backbone/all-MiniLM-L6-v2 \\
        --output training/imdb.cfg --hours 8
    """
    from wasabi import msg

    from ..experiments.estimate import show_duration
    from ..files import copy_file
    from ..recipes.estimate import estimate_training
    from ..recipes.fit_config import SAMPLE, fit_config, fit_hours
    from ..recipes.fit_report import settings_table, write_config, write_plain
    from ..reports.tables import print_tables

    if recipe is Choice.none:
        copy_file(config, output)
        msg.good(f"{config} as it is: {output}")
        return
    if source == SAMPLE:
        write_plain(config, corpus, backbone, source, output)
        msg.good(f"{config}, whose settings are made for the sample: {output}")
        return
    fitted = fit_config(
        config, corpus, backbone, source=source, gpu_id=gpu_id, progress=progress_bar
    )
    for line in fitted.left_out:
        msg.warn(line)
    print_tables([settings_table(config, fitted)])
    write_config(fitted.config, config, output)
    whole = estimate_training(output, gpu_id=gpu_id).seconds
    seconds = fit_hours(fitted, whole, hours)
    if seconds < whole:
        write_config(fitted.config, config, output)
        msg.info(f"The whole training would take about {show_duration(whole)}: shortened")
    msg.info(f"The training will take about {show_duration(seconds)} here")
    msg.good(f"The fitted config: {output}")
