"""`mtnlp summary`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import progress_bar
from .verb import verb_app

app = verb_app()


class Split(StrEnum):
    """Which documents are scored."""

    test = "test"
    dev = "dev"


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline's folder.")],
    corpus: Annotated[
        Path, typer.Option(help="The folder with train, dev and test, each with NAME.spacy files.")
    ] = Path("corpus"),
    name: Annotated[
        Optional[List[str]], typer.Option(help="A corpus, such as imdb; repeatable. Default: all.")
    ] = None,
    split: Annotated[
        Optional[Split], typer.Option(help="Default: test where it is there, else dev.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The JSON file for all figures.")] = Path(
        "metrics/summary.json"
    ),
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Say what a trained pipeline is worth, and what would help.

    Shows the score of each task with its 95% interval and what the best constant answer would
    score, the most frequent errors, words per second of nlp.pipe on this machine, the size on
    disk, and of which labels more training examples would help most. The train split is read for
    the labels, and some of its documents are predicted.

    \b
    Example:
      mtnlp summary training/mine/model-best --corpus corpus --name mine
    """
    from wasabi import msg

    from ..evaluation.summary import summarize
    from ..files import write_json
    from ..reports.summary import summary_tables
    from ..reports.tables import print_tables

    results = summarize(
        *(model, corpus, name, split and split.value), gpu_id=gpu_id, progress=progress_bar
    )
    print_tables(summary_tables(results))
    msg.info(results["advice_rule"])
    write_json(output, results)
    msg.good(f"Figures written to {output}")
