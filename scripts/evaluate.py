"""Evaluation of a trained pipeline, task by task."""

import sys
from pathlib import Path
from typing import Annotated, List, Optional

import typer
from wasabi import msg

from mtnlp.data.progress import bar
from mtnlp.errors import MtnlpError
from mtnlp.evaluation.categories import RARE_SHARE
from mtnlp.evaluation.evaluator import Settings, evaluate_corpus
from mtnlp.files import write_json
from mtnlp.reports.evaluation import evaluation_tables
from mtnlp.reports.tables import print_tables


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
    samples: Annotated[int, typer.Option(help="Bootstrap resamples of the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 0,
    chunk_size: Annotated[int, typer.Option(help="Documents processed at once.")] = 64,
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
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Score every task of a pipeline, with n, 95% interval and constant baseline.

    The baselines are what always the same answer would score, chosen on the train split.
    Where gold entities overlap, F1 is against all of them, and a row of its own gives F1 against
    the flattened ones: the longest, of equally long ones the first, none overlapping.
    """
    settings = Settings(
        chunk_size=chunk_size,
        samples=samples,
        seed=seed,
        raw_text=raw_text,
        rare_share=rare_share,
    )
    try:
        results = evaluate_corpus(
            model, corpus, split, name, settings=settings, gpu_id=gpu_id, progress=bar
        )
    except MtnlpError as error:
        msg.fail(str(error))
        sys.exit(1)
    print_tables(evaluation_tables(results))
    if output is not None:
        write_json(output, results)
        msg.good(f"Metrics written to {output}")


if __name__ == "__main__":
    typer.run(main)
