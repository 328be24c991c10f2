"""What engines cost sentence vectors: Spearman's correlation on STS-B, and the cosine to torch's.

    python -m scripts.benchmarks.engine_vectors assets/backbone/all-MiniLM-L6-v2 sts-dev.csv

Ranges of int8 are fixed by the first sentences of `--texts`, the file itself by default.
"""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any, List, Optional, Tuple

import numpy as np
import spacy
import torch
import typer
from spacy.language import Language

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.optimization.candidates import BASELINE, find_candidates
from mtnlp.optimization.converting import CALIBRATION, convert_encoders
from mtnlp.optimization.measuring import compare_vectors
from mtnlp.reports.tables import Table, print_tables
from mtnlp.scorers.vectors import spearman

# Of a line of STS-B: the similarity, 0 to 5, and the two sentences.
SCORE, FIRST, SECOND = 4, 5, 6
app = verb_app()


def read_pairs(path: Path) -> Tuple[List[str], List[str], Any]:
    """First and second sentences, and their gold similarities `[pairs]`."""
    with path.open(encoding="utf8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    gold = np.array([float(row[SCORE]) for row in rows])
    return [row[FIRST] for row in rows], [row[SECOND] for row in rows], gold


def make_pipeline(backbone: Path) -> Language:
    """An encoder as it is, and the mean of its wordpieces."""
    nlp = spacy.blank("en")
    model = {"@architectures": "mtnlp.TransformerModel.v1", "name": str(backbone), "window": 128}
    nlp.add_pipe("transformer", config={"model": model})
    nlp.add_pipe("sentence_vectors")
    nlp.initialize()
    return nlp


def vectors_of(nlp: Language, texts: List[str]) -> Any:
    """`[texts, width]`."""
    rows: List[Any] = [doc.vector for doc in nlp.pipe(texts, batch_size=64)]
    return np.stack(rows)


@app.command(no_args_is_help=True)
def main(
    backbone: Annotated[Path, typer.Argument(help="The encoder's folder.")],
    pairs: Annotated[Path, typer.Argument(help="Sentence pairs in the form of STS-B.")],
    texts: Annotated[
        Optional[Path], typer.Option(help="Pairs whose sentences fix the ranges of int8.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and engines.")] = 1,
) -> None:
    """What engines cost sentence vectors."""
    torch.set_num_threads(threads)
    first, second, gold = read_pairs(pairs)
    calibration = read_pairs(texts or pairs)[0][:CALIBRATION]
    nlp = make_pipeline(backbone)
    table = Table("STS-B", ["engine", "Spearman × 100", "change", "mean cosine", "least"])
    exact, best = None, 0.0
    for candidate in [BASELINE, *find_candidates()[0]]:
        convert_encoders(nlp, candidate, threads, [nlp.make_doc(text) for text in calibration])
        one, other = vectors_of(nlp, first), vectors_of(nlp, second)
        norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        score = 100 * spearman(gold, (one * other).sum(1) / norms)
        if exact is None:
            exact, best = one, score
        mean, least = compare_vectors(one, exact)
        table.rows.append([str(candidate), f"{score:.2f}", f"{score - best:+.2f}", mean, least])
    print_tables([table])


if __name__ == "__main__":
    app()
