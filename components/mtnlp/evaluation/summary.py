"""What a trained pipeline is worth: scores, what it confuses, speed, size, and what would help."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import AbstractSet, Any, Dict, Iterable, List, Mapping, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..annotation.categories import Cats
from ..data.options import Progress, quiet
from ..data.reading import corpus_files, open_docbin
from ..errors import Errors, MtnlpError
from .advice import RULE, LabelScore, advise
from .confusions import ErrorCounts, LabelTask, find_tasks
from .evaluator import evaluate, load_pipeline, name_of, predict, read_docs
from .options import Settings
from .speed import TimedPipe, folder_size

# Documents of train that are predicted at most, to compare its scores with.
TRAIN_DOCUMENTS = 500
CHUNK_SIZE = 64


def summarize(
    model: Path,
    corpus: Path,
    names: Optional[Sequence[str]] = None,
    split: Optional[str] = None,
    *,
    gpu_id: int = -1,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """Score a trained pipeline on a split, and say what it confuses and what would help.

    corpus: the folder of train, dev and test. names: the corpora in it, all by default.
    split: "test" where it is there, else "dev", by default. The train split gives the constant
        baselines, and what labels score on documents that were trained on.
    Returns: {"model", "size_mb", "split", "corpora", "documents", "scores": see `main_scores`,
        "confusions": {task: see `ErrorCounts.confusions`}, "speed": see `TimedPipe.result`,
        "advice": see `advise`, "advice_rule": how it was found, or why there is none,
        "train_documents": those that were predicted}.
    Raises: MtnlpError E150, E503 where there is no corpus or no pipeline, E520 where the corpus
        has neither split, DataError for a broken file.
    """
    split = split or find_split(corpus, names)
    files = corpus_files(corpus / split, names)
    nlp = load_pipeline(model, gpu_id)
    docs = list(read_docs(files, nlp))
    train_files = [corpus / "train" / file.name for file in files]
    train = TrainLabels(nlp, train_files, min(len(docs), TRAIN_DOCUMENTS))
    results = evaluate(
        nlp,
        progress(docs, split, len(docs)),
        train_cats=train.cats,
        settings=Settings(raw_text=False),
    )
    # By now the pipeline is warm.
    timed = TimedPipe(nlp)
    errors = count_errors(train.tasks, progress(timed(docs), "speed, errors", len(docs)))
    sample = train.sample
    seen = count_errors(train.tasks, progress(predictions(nlp, sample), "train", len(sample)))
    return {
        "model": name_of(nlp, model),
        "size_mb": folder_size(model),
        "split": split,
        "corpora": [file.stem for file in files],
        "documents": len(docs),
        "train_documents": len(sample),
        "scores": main_scores(results["pipes"], set(errors)),
        "confusions": {name: found.confusions() for name, found in errors.items()},
        "speed": timed.result(),
        "advice": [
            row
            for name, found in errors.items()
            for row in advise(label_scores(name, found, seen.get(name), train.support[name]))
            if sample
        ],
        "advice_rule": RULE if sample else "There is no train split to compare with.",
    }


def find_split(corpus: Path, names: Optional[Sequence[str]]) -> str:
    """ "test" where a corpus has it, else "dev". Raises: MtnlpError E520 where there is neither."""
    for split in ("test", "dev"):
        found = {path.stem for path in (corpus / split).glob("*.spacy")}
        if found and found >= set(names or ()):
            return split
    wanted = ", ".join(f"{name}.spacy" for name in names or ()) or "a .spacy file"
    raise MtnlpError(Errors.E520.format(corpus=corpus, wanted=wanted))


class TrainLabels:
    """What the train split says: how often each label is gold, and a few of its documents.

    files: those that are not there are left out. sample: how many documents at most.
    tasks: of the pipeline, by name. support: by task, how often each label is gold. cats: of the
    documents that have any; None without train documents. sample: documents at equal distances.
    """

    def __init__(self, nlp: Language, files: Sequence[Path], sample: int) -> None:
        self.tasks: Dict[str, LabelTask] = find_tasks(nlp)
        self.support: Dict[str, Counter[str]] = {name: Counter() for name in self.tasks}
        self.sample: List[Doc] = []
        cats: List[Cats] = []
        files = [file for file in files if file.exists()]
        total = sum(len(open_docbin(file)) for file in files)
        every = max(1, -(-total // max(1, sample)))
        for i, doc in enumerate(read_docs(files, nlp)):
            for name, task in self.tasks.items():
                self.support[name].update(task.gold_labels(doc))
            if doc.cats:
                cats.append(dict(doc.cats))
            if i % every == 0:
                self.sample.append(doc)
        self.cats: Optional[List[Cats]] = cats if total else None


def predictions(nlp: Language, references: Iterable[Doc]) -> Iterable[Example]:
    """What the pipeline makes of bare copies of documents, beside these."""
    stream = iter(references)
    while chunk := list(islice(stream, CHUNK_SIZE)):
        yield from predict(nlp, chunk)


def count_errors(
    tasks: Mapping[str, LabelTask], examples: Iterable[Example]
) -> Dict[str, ErrorCounts]:
    """The errors of each task for which any document is annotated."""
    counts = {name: ErrorCounts(task) for name, task in tasks.items()}
    for example in examples:
        for each in counts.values():
            each.add(example)
    return {name: each for name, each in counts.items() if each.documents}


def main_scores(
    pipes: Mapping[str, Mapping[str, Any]], tasks: AbstractSet[str]
) -> List[Dict[str, Any]]:
    """The main score of each task: accuracy of exclusive ones, else micro F1, Spearman's
    correlation of vectors.

    pipes: of what `evaluate` returns. tasks: names of `find_tasks`; the others are left out, but
        for vectors.
    Returns: [{"task", "metric", "n": documents, or of entities these, "value", "interval",
        "baseline": of the constant answer, None where there is none}].
    """
    rows = []
    for name, metrics in pipes.items():
        if metrics["kind"] == "entities" and name in tasks:
            numbers = metrics["entities"], metrics["micro"]["f"], metrics["f_interval"], None
            rows.append((name, "F1", *numbers))
        elif metrics["kind"] == "categories":
            for task, item in metrics["tasks"].items():
                if f"{name}: {task}" in tasks:
                    rows.append((f"{name}: {task}", *_category_score(item)))
        elif metrics["kind"] == "vectors":
            interval = metrics["spearman_interval"]
            rows.append((name, "Spearman", metrics["pairs"], metrics["spearman"], interval, None))
    keys = ("task", "metric", "n", "value", "interval", "baseline")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def label_scores(
    task: str, found: ErrorCounts, seen: Optional[ErrorCounts], support: Mapping[str, int]
) -> List[LabelScore]:
    """All labels of a task that are gold or predicted somewhere.

    found: on the split that is scored. seen: on documents of train, where any is annotated.
    support: labels in train.
    """
    known = seen.per_label if seen else {}
    in_train = {label: counts.fscore for label, counts in known.items() if counts.support}
    return [
        LabelScore(
            task=task,
            label=label,
            examples=support.get(label, 0),
            errors=counts.fp + counts.fn,
            f=counts.fscore,
            train_f=in_train.get(label),
        )
        for label, counts in found.per_label.items()
    ]


def _category_score(item: Mapping[str, Any]) -> tuple[Any, ...]:
    """Metric, n, value, interval and baseline of a task."""
    baseline = item["baseline"]
    if item["exclusive"]:
        constant = baseline and baseline["accuracy"]
        return "accuracy", item["documents"], item["accuracy"], item["accuracy_interval"], constant
    constant = baseline and baseline["micro"]["f"]
    return "micro F1", item["documents"], item["micro"]["f"], item["f_interval"], constant
