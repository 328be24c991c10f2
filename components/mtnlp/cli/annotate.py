"""`mtnlp annotate`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, List, Optional

import typer

from ..bulk.options import BATCH_SIZE, SHARD_SIZE, EngineName
from .progress import document_progress
from .verb import verb_app

app = verb_app()


class To(StrEnum):
    """The format of the output."""

    parquet = "parquet"
    docbin = "docbin"
    jsonl = "jsonl"


class Kind(StrEnum):
    """What the input is."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"
    docbin = "docbin"
    text = "text"


@app.command(no_args_is_help=True)
def main(
    model: Annotated[str, typer.Argument(help="An installed pipeline's name, or a folder.")],
    input: Annotated[
        Path,
        typer.Argument(
            help="JSONL, CSV, TSV, Parquet, a DocBin (.spacy) or a text file, or a folder of files "
            "of one of these kinds."
        ),
    ],
    output: Annotated[
        Path, typer.Argument(help="The folder for the results; with results of the same, go on.")
    ],
    to: Annotated[To, typer.Option(help="The format of the results.")] = To.parquet,
    format: Annotated[
        Optional[Kind],
        typer.Option(help="What INPUT is; by default its suffix says it, or else its content."),
    ] = None,
    text_field: Annotated[
        Optional[str],
        typer.Option(
            help="Field or column of the text (a number: no header); text by default, or what is "
            "called like it."
        ),
    ] = None,
    id_field: Annotated[
        Optional[str],
        typer.Option(help="Field or column of the id; by default the file's name and the line."),
    ] = None,
    carry: Annotated[
        Optional[List[str]],
        typer.Option(help="A field or column that the results keep; repeatable."),
    ] = None,
    delimiter: Annotated[
        Optional[str],
        typer.Option(
            help="What separates the columns of a CSV, such as ';', '|' or tab; found by default."
        ),
    ] = None,
    text: Annotated[bool, typer.Option(help="Keep the texts.")] = True,
    vector: Annotated[
        bool, typer.Option(help="Keep the documents' vectors, where the pipeline makes them.")
    ] = True,
    engine: Annotated[
        EngineName,
        typer.Option(
            help="local: on this machine. ray: on the machines of a Ray cluster, which all see "
            "INPUT and OUTPUT.",
        ),
    ] = EngineName.local,
    workers: Annotated[
        Optional[int],
        typer.Option(
            min=1,
            help="Processes; each holds the pipeline and shares the cores. Default: 1; with ray, "
            "one per core or GPU of the cluster.",
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Documents that the pipeline gets at once.")
    ] = BATCH_SIZE,
    shard_size: Annotated[
        int, typer.Option(min=1, help="Documents per file of the results.")
    ] = SHARD_SIZE,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the results in OUTPUT and begin anew.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 1 where documents failed.")
    ] = False,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
    gpus_per_worker: Annotated[
        float, typer.Option(min=0.0, help="GPUs of the cluster for each worker; 0.5 shares one.")
    ] = 0.0,
) -> None:
    """Annotate many documents with a pipeline.

    Writes OUTPUT/documents/000000.parquet and so on, in the order of the input: entities with
    offsets and scores, categories, vectors. The same command goes on where an earlier one was
    stopped or killed. A document that fails is set aside in OUTPUT/errors, and the others go on.

    \b
    Examples:
      mtnlp annotate en_mtnlp reviews.jsonl annotated
      mtnlp annotate training/shop/model-best texts annotated --to docbin --workers 2
      mtnlp annotate en_mtnlp news.csv annotated --text-field body --id-field url --carry date
      mtnlp annotate en_mtnlp /shared/news /shared/annotated --engine ray
    """
    from ..bulk.annotate import annotate
    from ..bulk.entries import Fields
    from ..bulk.options import AnnotateOptions
    from ..data.options import parse_delimiter
    from ..reports.annotation import print_summary

    fields = Fields(
        text=text_field,
        id=id_field,
        carried=tuple(dict.fromkeys(carry or ())),
        delimiter=parse_delimiter(delimiter) if delimiter else None,
    )
    options = AnnotateOptions(
        to=to.value,
        kind=format.value if format else None,
        fields=fields,
        text=text,
        vector=vector,
        shard_size=shard_size,
        batch_size=batch_size,
        engine=engine.value,
        workers=workers,
        gpu_id=gpu_id,
        gpus_per_worker=gpus_per_worker,
        overwrite=overwrite,
    )
    with document_progress() as show:
        summary = annotate(model, input, output, options, show)
    print_summary(summary, output)
    if strict and summary.failed:
        raise typer.Exit(1)
