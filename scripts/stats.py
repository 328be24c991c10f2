"""Statistics of the converted corpora."""

import sys
from pathlib import Path
from typing import Annotated, List, Optional

import typer
from wasabi import msg

from mtnlp.data.progress import bar
from mtnlp.data.statistics import WordpieceCounter, corpus_statistics
from mtnlp.errors import MtnlpError
from mtnlp.files import write_json
from mtnlp.reports.statistics import statistics_tables
from mtnlp.reports.tables import print_tables


def main(
    corpus: Annotated[
        Path, typer.Option(help="The folder with train, dev and test, each with NAME.spacy files.")
    ] = Path("corpus"),
    name: Annotated[
        Optional[List[str]], typer.Option(help="A corpus, such as imdb; repeatable. Default: all.")
    ] = None,
    backbone: Annotated[
        Optional[str],
        typer.Option(help="Also count wordpieces, with the tokenizer of this encoder."),
    ] = None,
    window: Annotated[
        int, typer.Option(help="Wordpieces a window holds; 0 for what the encoder allows.")
    ] = 0,
    output: Annotated[Path, typer.Option(help="The JSON file to write.")] = Path(
        "metrics/stats.json"
    ),
) -> None:
    """Count documents, labels, lengths, gaps and duplicates of each corpus and split."""
    try:
        wordpieces = WordpieceCounter(backbone, window) if backbone else None
        statistics = corpus_statistics(corpus, name, wordpieces=wordpieces, progress=bar)
    except MtnlpError as error:
        msg.fail(str(error))
        sys.exit(1)
    write_json(output, statistics)
    print_tables(statistics_tables(statistics))
    msg.good(f"Statistics written to {output}")


if __name__ == "__main__":
    typer.run(main)
