"""What a saved pipeline is worth: speed, memory and scores, measured in a process of its own.

`python -m mtnlp.optimization.measuring FOLDER` reads `job.json` in the folder and writes
`result.json` and, where the pipeline has vectors, `vectors.npy`.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from ..annotation.pairs import similarity_of
from ..data.reading import bare_doc
from ..errors import Errors, MtnlpError
from ..evaluation.document_counts import DocumentCounts, count_documents
from ..evaluation.evaluator import predict, read_docs
from ..evaluation.speed import folder_size
from ..experiments.child import report_errors
from ..experiments.comparison import failure_reason, run_process
from ..experiments.runs import JOB, LOG, RESULT
from ..experiments.stopwatch import peak_memory
from ..files import write_json
from ..pipes.sentence_vectors import SentenceVectors
from ..scorers.vectors import gold_and_cosines, spearman

MODULE = "mtnlp.optimization.measuring"
VECTORS = "vectors.npy"
BATCH = 64
# Texts of more words are long ones.
SHORT_WORDS = 64
# Of a timed pass, so that it takes seconds.
MOST_WORDS = 5_000
PASSES = 3
SHORT, LONG = "short texts", "long texts"


class Speed:
    """Passes over some texts.

    words: of a pass. batches: of `BATCH` texts. seconds: of each pass.
    """

    def __init__(self, words: int, batches: int, seconds: Sequence[float]):
        self.words = words
        self.batches = batches
        self.seconds = list(seconds)

    @property
    def words_per_second(self) -> float:
        """Of the median pass."""
        return self.words / median(self.seconds)

    @property
    def batch_seconds(self) -> float:
        """Of a batch in the median pass."""
        return median(self.seconds) / self.batches


class Measured:
    """What was measured of a pipeline.

    load_seconds: until it can answer. memory_mb: the most that its process had. size_mb: of its
    folder. speeds: by `SHORT` and `LONG`, as far as there are such texts. counts: by task, as from
    `count_documents`. vectors: `[documents, width]`, None without a component for them. spearman:
    the rank correlation of their cosines with gold similarities, None where no document is a pair.
    """

    def __init__(self, found: Dict[str, Any], vectors: Any, size_mb: float):
        self.load_seconds: float = found["load_seconds"]
        self.memory_mb: float = found["memory_mb"]
        self.size_mb = size_mb
        self.engine: str = found["engine"]
        self.speeds = {name: Speed(**speed) for name, speed in found["speeds"].items()}
        self.counts = {
            name: DocumentCounts.from_dict(counts) for name, counts in found["counts"].items()
        }
        self.vectors = vectors
        self.spearman: Optional[float] = found["spearman"]


def measure(model: Path, docs: Path, folder: Path, threads: int) -> Measured:
    """Measure a pipeline in a process of its own.

    docs: a .spacy file. folder: for what passes between the processes. threads: as in
    `mtnlp.TransformerModel.v1`, and of torch. Raises: MtnlpError E651 where the process fails.
    """
    folder.mkdir(parents=True)
    write_json(folder / JOB, {"model": model, "docs": docs, "threads": threads})
    with (folder / LOG).open("w", encoding="utf8") as log:
        code = run_process(folder, log, module=MODULE)
    if not (folder / RESULT).exists():
        reason = failure_reason(folder / LOG, code)
        raise MtnlpError(Errors.E651.format(model=model.name, reason=reason))
    found = json.loads((folder / RESULT).read_text(encoding="utf8"))
    vectors = np.load(folder / VECTORS) if (folder / VECTORS).exists() else None
    return Measured(found, vectors, folder_size(model))


def work(folder: Path) -> None:
    """Do the job of a folder."""
    job = json.loads((folder / JOB).read_text(encoding="utf8"))
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    start = time.perf_counter()
    nlp = spacy.load(job["model"])
    nlp("A first text.")
    load_seconds = time.perf_counter() - start
    docs = list(read_docs([Path(job["docs"])], nlp))
    speeds = {name: vars(time_pipe(nlp, texts)) for name, texts in by_length(nlp, docs).items()}
    counts = count_documents(nlp, docs)
    correlation = None
    if any(isinstance(pipe, SentenceVectors) for _, pipe in nlp.pipeline):
        np.save(folder / VECTORS, vectors_of(nlp, docs))
        correlation = correlation_of(nlp, docs)
    write_json(
        folder / RESULT,
        {
            "load_seconds": load_seconds,
            "memory_mb": peak_memory(),
            "engine": engine_of(nlp),
            "speeds": speeds,
            "spearman": correlation,
            "counts": {name: found.to_dict() for name, found in counts.items()},
        },
    )


def engine_of(nlp: Language) -> str:
    """What runs the encoders, as text."""
    found = [getattr(getattr(pipe, "model", None), "engine_info", None) for _, pipe in nlp.pipeline]
    return "; ".join(str(info) for info in found if info is not None)


def by_length(nlp: Language, docs: Sequence[Doc]) -> Dict[str, List[Doc]]:
    """Short and long documents apart, as the pipeline gets to read them, each in the order they
    came and up to `MOST_WORDS`; a kind that is not there has no entry."""
    found: Dict[str, List[Doc]] = {SHORT: [], LONG: []}
    words = dict.fromkeys(found, 0)
    for doc in docs:
        kind = SHORT if len(doc) <= SHORT_WORDS else LONG
        if len(doc) and (not found[kind] or words[kind] + len(doc) <= MOST_WORDS):
            found[kind].append(bare_doc(nlp, doc))
            words[kind] += len(doc)
    return {kind: texts for kind, texts in found.items() if texts}


def time_pipe(nlp: Language, docs: Sequence[Doc]) -> Speed:
    """Run a pipeline over documents again and again; the first pass, which is slower, does not
    count."""
    seconds = []
    for number in range(PASSES + 1):
        fresh = [doc.copy() for doc in docs]
        start = time.perf_counter()
        for _ in nlp.pipe(fresh, batch_size=BATCH):
            pass
        if number:
            seconds.append(time.perf_counter() - start)
    return Speed(sum(map(len, docs)), -(-len(docs) // BATCH), seconds)


def vectors_of(nlp: Language, docs: Sequence[Doc]) -> Any:
    """`[documents, width]`, of those that have words."""
    texts = (bare_doc(nlp, doc) for doc in docs if len(doc))
    rows: List[Any] = [doc.vector for doc in nlp.pipe(texts, batch_size=BATCH)]
    return np.stack(rows)


def correlation_of(nlp: Language, docs: Sequence[Doc]) -> Optional[float]:
    """Spearman's, of predicted cosines and gold similarities; None without pairs."""
    pairs = [doc for doc in docs if similarity_of(doc) is not None]
    if not pairs:
        return None
    gold, predicted = gold_and_cosines(predict(nlp, pairs))
    return spearman(np.asarray(gold), np.asarray(predicted))


def compare_vectors(first: Any, second: Any) -> Tuple[float, float]:
    """Mean and least cosine of the rows of two arrays of one shape."""
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosines = (first * second).sum(axis=1) / np.maximum(norms, 1e-12)
    return float(cosines.mean()), float(cosines.min())


if __name__ == "__main__":
    sys.exit(report_errors(work, Path(sys.argv[1])))
