"""`mtnlp stats`."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import progress_bar
from .verb import verb_app

app = verb_app()


@app.command()
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
    """Count documents, labels, lengths and duplicates, and find likely faults.

    Reads every corpus and split below CORPUS, prints tables of each corpus and what is probably
    wrong with its annotations, and writes all figures as JSON. With --backbone it also says how
    many documents need more than one window of the encoder, and whether it suits the language.

    \b
    Example:
      mtnlp stats --corpus corpus --backbone sentence-transformers/all-MiniLM-L6-v2
    """
    from wasabi import msg

    from ..data.statistics import WordpieceCounter, corpus_statistics
    from ..files import write_json
    from ..reports.findings import print_corpus_findings
    from ..reports.statistics import statistics_tables
    from ..reports.tables import print_tables

    wordpieces = WordpieceCounter(backbone, window) if backbone else None
    statistics = corpus_statistics(corpus, name, wordpieces=wordpieces, progress=progress_bar)
    write_json(output, statistics)
    print_tables(statistics_tables(statistics))
    print_corpus_findings(statistics)
    msg.good(f"Statistics written to {output}")
