"""`mtnlp report`."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import progress_bar
from .verb import verb_app

app = verb_app()


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline's folder.")],
    corpus: Annotated[
        Path,
        typer.Argument(
            help="Annotated documents: the folder with train, dev and test, a folder of .spacy "
            "files, or one such file."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The folder to write: a page, its numbers, and tables as CSV."
        ),
    ] = Path("report"),
    name: Annotated[
        Optional[List[str]], typer.Option(help="A corpus, such as imdb; repeatable. Default: all.")
    ] = None,
    split: Annotated[
        Optional[str],
        typer.Option(help="The part that is scored. Default: test where it is there, else dev."),
    ] = None,
    train: Annotated[
        Optional[Path],
        typer.Option(
            help="What the pipeline was trained on, a .spacy file or a folder of them: for known "
            "and unknown names, baselines and duplicates. Default: CORPUS/train."
        ),
    ] = None,
    versus: Annotated[
        Optional[Path],
        typer.Option(help="Another pipeline's folder: what got better, and what got worse."),
    ] = None,
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve",
            help="Train anew on 25, 50 and 100% of train, and show whether more data would help. "
            "This takes about as long as two trainings.",
        ),
    ] = False,
    curve_folder: Annotated[
        Optional[Path],
        typer.Option(
            help="Where the learning curve keeps its trainings; what is done there is not done "
            "again. Default: OUTPUT-learning-curve."
        ),
    ] = None,
    logs: Annotated[
        Optional[Path],
        typer.Option(
            help="The folder with TensorBoard's files, for the training curve. Default: beside "
            "the pipeline."
        ),
    ] = None,
    label_errors: Annotated[
        Optional[Path],
        typer.Option(help="The suggestions of mtnlp find-label-errors, to be shown as well."),
    ] = None,
    vector_map: Annotated[
        bool, typer.Option("--map/--no-map", help="Whether to draw maps of the vectors.")
    ] = True,
    samples: Annotated[
        int, typer.Option(min=1, help="Bootstrap resamples of the intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples and of the maps.")] = 0,
    chunk_size: Annotated[int, typer.Option(min=1, help="Documents predicted at once.")] = 64,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Show what a pipeline does, in one page: how good it is, where it errs, what to do next.

    Predicts the documents once and writes OUTPUT/index.html, which holds all that it needs and
    opens without a network. It has, for each component, scores of every label, what is confused
    with what, errors at boundaries, how far confidences can be trusted, and texts with their
    errors; the vectors; the data with its duplicates and likely faults. Beside each figure stands
    what it shows and what one could do. OUTPUT/numbers.json and OUTPUT/tables/ hold the numbers.

    \b
    Examples:
      mtnlp report training/mine/model-best corpus -o report
      mtnlp report training/mine/model-best corpus/test/mine.spacy --train corpus/train/mine.spacy
      mtnlp report model-best corpus --versus earlier/model-best -o report/versus
    """
    from wasabi import msg

    from ..analysis.maps import ReportMaps
    from ..analysis.options import Settings
    from ..analysis.report import analyse
    from ..reports.page.report import report_page
    from ..reports.page.summary import print_report
    from ..reports.page.vega import chart_library
    from ..reports.page.write import check_output, write_folder

    # What is missing is said before the work.
    check_output(output)
    chart_library()
    curve = curve_folder or output.with_name(f"{output.name}-learning-curve")
    numbers = analyse(
        model,
        corpus,
        names=name,
        split=split,
        train=train,
        versus=versus,
        logs=logs,
        curve=curve if learning_curve else None,
        label_errors=label_errors,
        vectors=(lambda nlp: ReportMaps(nlp, seed=seed)) if vector_map else None,
        settings=Settings(chunk_size=chunk_size, samples=samples, seed=seed),
        gpu_id=gpu_id,
        progress=progress_bar,
    )
    html, sections = report_page(numbers)
    page = write_folder(output, html, numbers, sections)
    print_report(numbers, len(html.encode("utf8")))
    msg.good(f"Report written to {page}")
