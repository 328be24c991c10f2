"""`mtnlp evaluate`."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from ..evaluation.options import RARE_SHARE
from .progress import progress_bar
from .verb import verb_app

app = verb_app()


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Option(help="The trained pipeline's folder.")],
    corpus: Annotated[
        Path, typer.Option(help="The folder with train, dev and test, each with NAME.spacy files.")
    ] = Path("corpus"),
    split: Annotated[str, typer.Option(help="dev or test.")] = "dev",
    name: Annotated[
        Optional[List[str]], typer.Option(help="A corpus, such as imdb; repeatable. Default: all.")
    ] = None,
    output: Annotated[Optional[Path], typer.Option(help="A JSON file to write.")] = None,
    scores: Annotated[
        Optional[Path],
        typer.Option(
            help="A JSON file to write the scores of `spacy evaluate` to. With several corpora, "
            "those of each go to FILE_NAME.json beside it."
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, help="Bootstrap resamples of the intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 0,
    chunk_size: Annotated[int, typer.Option(min=1, help="Documents processed at once.")] = 64,
    raw_text: Annotated[
        bool, typer.Option(help="Also score token corpora on their detokenised text.")
    ] = True,
    rare_share: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Labels set in less than this share of the training documents are averaged apart.",
        ),
    ] = RARE_SHARE,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Write the files, and show no tables.")
    ] = False,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Score every task of a pipeline, with 95% intervals.

    Beside each score stand the number of documents and what the best constant answer would score,
    chosen on the train split. Where gold entities overlap, F1 is against all of them, and a row
    of its own gives F1 against the flattened ones: the longest, of equally long ones the first,
    none overlapping.

    With --scores the same predictions also get the scores that `spacy evaluate` gives.

    \b
    Example:
      mtnlp evaluate --model training/conll/model-best --name conll --split test \\
        --output metrics/conll/report.json --scores metrics/conll/test.json
    """
    from wasabi import msg

    from ..evaluation.evaluator import evaluate_corpus
    from ..evaluation.options import Settings
    from ..files import write_json
    from ..reports.evaluation import evaluation_tables
    from ..reports.tables import print_tables

    settings = Settings(
        chunk_size=chunk_size,
        samples=samples,
        seed=seed,
        raw_text=raw_text,
        rare_share=rare_share,
    )
    results = evaluate_corpus(
        model,
        corpus,
        split,
        name,
        settings=settings,
        spacy_scores=scores is not None,
        gpu_id=gpu_id,
        progress=progress_bar,
    )
    spacy_scores = results.pop("spacy_scores", None)
    if not quiet:
        print_tables(evaluation_tables(results))
    if output is not None:
        write_json(output, results)
        msg.good(f"Metrics written to {output}")
    if scores is not None:
        write_json(scores, spacy_scores["overall"])
        if len(spacy_scores["by_corpus"]) > 1:
            for corpus_name, own in spacy_scores["by_corpus"].items():
                write_json(scores.with_name(f"{scores.stem}_{corpus_name}.json"), own)
        msg.good(f"Scores written to {scores}")
