"""`mtnlp visualize`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import progress_bar
from .verb import verb_app

app = verb_app()


class Of(StrEnum):
    """What the points are."""

    documents = "documents"
    sentences = "sentences"
    entities = "entities"


class Color(StrEnum):
    """What colours the points at first."""

    label = "label"
    score = "score"
    error = "error"


class Method(StrEnum):
    """How vectors become points."""

    pca = "pca"
    tsne = "tsne"
    umap = "umap"


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline's folder.")],
    corpus: Annotated[
        Path,
        typer.Argument(
            help="A .spacy file, a folder of some, or the folder with train, dev and test, of "
            "which test is taken, or else dev."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page to write, a single HTML file.")
    ] = Path("map.html"),
    of: Annotated[
        Of,
        typer.Option(
            help="What the points are. Entities are the ones that the pipeline finds, and the "
            "annotated ones that it misses."
        ),
    ] = Of.documents,
    task: Annotated[
        Optional[str],
        typer.Option(
            help="What colours them: a task of a classifier (sentiment), or the component that "
            "finds the entities (ner). Default: that of which the corpus has most."
        ),
    ] = None,
    color: Annotated[
        Color,
        typer.Option(
            help="The colours when the page opens; there it can be changed. label: the annotated "
            "one, else the predicted one. score: how sure the pipeline is. error: right, or what "
            "is wrong."
        ),
    ] = Color.label,
    method: Annotated[
        Method,
        typer.Option(
            help="pca: in seconds, and distances mean something. tsne (needs scikit-learn) and "
            "umap (needs umap-learn): groups stand out, distances between them mean little; 20,000 "
            "points take minutes."
        ),
    ] = Method.pca,
    limit: Annotated[
        int,
        typer.Option(
            min=1,
            max=50_000,
            help="Points at most; documents are drawn at random until there are so many. The page "
            "stays fluid, and below 5 MB, with 20,000.",
        ),
    ] = 5_000,
    query: Annotated[
        Optional[List[str]],
        typer.Option(
            help="A text whose nearest neighbours are wanted; repeatable. Among entities, put "
            "the words that are meant into [brackets]."
        ),
    ] = None,
    sentences: Annotated[
        Optional[Path],
        typer.Option(help="A text file, one sentence per line: how similar they are, as a table."),
    ] = None,
    png: Annotated[
        bool, typer.Option("--png", help="Also write the pictures as PNG, beside the page.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the draw, of t-SNE and of UMAP.")] = 0,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Draw a map of a corpus by the vectors of a pipeline.

    The page is one file that needs no network. On it points can be pointed at, searched, hidden by
    label, coloured by label, score or error; a point that is chosen lists its nearest neighbours.
    It says how many of the neighbours share a label, beside chance: whether the vectors tell the
    labels apart.

    Any pipeline with vectors will do: one with sentence_vectors, or with vectors of words.

    \b
    Examples:
      mtnlp visualize training/joint/model-best corpus/test/imdb.spacy -o reviews.html
      mtnlp visualize training/joint/model-best corpus/test/conll.spacy --of entities \\
        --color error --query "the king of [Jordan]" --query "Michael [Jordan] scored"
      mtnlp visualize training/joint/model-best corpus --method umap --sentences lines.txt --png
    """
    from wasabi import msg

    from ..analysis.visualize import MapOptions, visualize
    from ..files import write_bytes, write_text
    from ..reports.page.map_page import map_page, map_pictures
    from ..reports.tables import print_tables
    from ..reports.vectors import vector_tables

    options = MapOptions(
        of=of.value,
        task=task,
        method=method.value,
        limit=limit,
        seed=seed,
        queries=query or (),
        sentences=sentences,
    )
    numbers = visualize(model, corpus, options, gpu_id=gpu_id, progress=progress_bar)
    write_text(output, map_page(numbers, color.value))
    print_tables(vector_tables(numbers))
    msg.good(f"Map written to {output}")
    if png:
        for suffix, picture in map_pictures(numbers, color.value).items():
            path = output.with_name(f"{output.stem}{suffix}.png")
            write_bytes(path, picture)
            msg.good(f"Picture written to {path}")
