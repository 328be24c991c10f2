"""Everything that `mtnlp report` knows about a trained pipeline."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Protocol, Sequence

from spacy.language import Language
from spacy.training import Example

from ..bulk.shape_caches import bound_shape_caches
from ..data.options import Progress, quiet
from ..data.statistics import file_statistics
from ..errors import Errors, MtnlpError
from ..evaluation.confusions import find_tasks
from ..evaluation.evaluator import (
    VECTORS,
    load_pipeline,
    predict,
    read_docs,
    vector_pipe,
)
from .about import corpus_licences, describe_corpus, describe_pipeline, now, packages
from .corpus import cut_chunks, find_files
from .data_report import describe_data, read_label_errors
from .findings import find_findings
from .learning_curve import learning_curve, part_config
from .options import Settings
from .pipeline_report import PipelineReport
from .train_facts import read_train
from .training_curves import read_training
from .versus import Versus


class Collector(Protocol):
    """Takes up chunk after chunk of predictions, and keeps a bounded amount of each."""

    def add(self, examples: Sequence[Example]) -> None: ...

    def result(self) -> Optional[Dict[str, Any]]: ...


# Makes a collector for a pipeline; None where the pipeline has nothing for it.
MakeCollector = Callable[[Language], Optional[Collector]]


def analyse(
    model: Path,
    corpus: Path,
    *,
    names: Optional[Sequence[str]] = None,
    split: Optional[str] = None,
    train: Optional[Path] = None,
    versus: Optional[Path] = None,
    logs: Optional[Path] = None,
    curve: Optional[Path] = None,
    label_errors: Optional[Path] = None,
    vectors: Optional[MakeCollector] = None,
    settings: Optional[Settings] = None,
    gpu_id: int = -1,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """Predict the documents of a corpus once, and say all there is to say about it.

    Memory is bounded: one file of the corpus, one chunk of predictions, counts, a few numbers per
    document, and the texts that are shown.

    model: a trained pipeline's folder. corpus, names, split, train: see `find_files`. versus:
        another pipeline, compared on the same documents. logs: a folder with TensorBoard's event
        files, by default the pipeline's own or the one it is in. curve: the folder for a learning
        curve, None for no such. label_errors: the suggestions of `mtnlp find-label-errors`.
        vectors: what collects the map of vectors. gpu_id: -1 for the CPU.
    Returns: {"about", "training", "tasks", "findings", "entities", "classification", "vectors",
        "data", "versus", "learning_curve"}, JSON-serialisable; what these hold is said where they
        are made.
    Raises: MtnlpError E150, E520, E701 where files are missing, E503 where there is no pipeline,
        E700 for a corpus without documents, E704 where none is annotated for the pipeline, E705
        for a pipeline without anything to score, E706 for label errors in another form, what
        `read_training` and `learning_curve` raise; DataError for a broken file.
    """
    settings = settings or Settings()
    bound_shape_caches()
    files = find_files(corpus, names, split, train)
    nlp = load_pipeline(model, gpu_id)
    tasks = find_tasks(nlp)
    if not tasks and vector_pipe(nlp) == VECTORS:
        named = ", ".join(nlp.pipe_names) or "none"
        raise MtnlpError(Errors.E705.format(components=named))
    # What else is asked for is looked at before anything takes its time.
    likely_errors = None if label_errors is None else read_label_errors(label_errors)
    training = read_training(nlp, model, logs)
    if curve is not None:
        part_config(model, files, curve)
    other = None if versus is None else load_pipeline(versus, gpu_id)
    statistics = file_statistics(files.splits, progress=progress)
    scored = [statistics[path.stem]["splits"][files.split] for path in files.scored]
    if not sum(numbers["documents"] for numbers in scored):
        raise MtnlpError(Errors.E700.format(path=files.path))
    facts = read_train(files.train, tasks, progress) if files.train else None
    report = PipelineReport(nlp, tasks, facts, settings)
    compared = (
        None
        if other is None
        else Versus(tasks, find_tasks(other), settings, shared_vectors(nlp, other))
    )
    mapped = None if vectors is None else vectors(nlp)
    total = sum(numbers["documents"] for numbers in scored)
    docs = progress(read_docs(files.scored, nlp), files.split, total)
    collectors: List[Collector] = [report] if mapped is None else [report, mapped]
    for references in cut_chunks(docs, settings.chunk_size, settings.chunk_words):
        others = [] if other is None else predict(other, references)
        collect(predict(nlp, references), others, collectors, compared)
    parts = report.result()
    if not parts["tasks"]:
        named = ", ".join(tasks) or "none"
        raise MtnlpError(Errors.E704.format(path=files.path, tasks=named))
    about = describe_pipeline(nlp, model)
    about["licences"] += corpus_licences(files)
    words = sum(numbers["tokens"] for numbers in scored)
    numbers: Dict[str, Any] = {
        "about": {
            **about,
            **describe_corpus(files, total, words, facts.documents if facts else 0),
            "packages": packages(),
            "created": now(),
        },
        "training": training,
        **parts,
        "findings": [],
        "vectors": None if mapped is None else mapped.result(),
        "data": describe_data(statistics, likely_errors),
        "versus": None,
        "learning_curve": None,
    }
    if compared is not None and other is not None and versus is not None:
        numbers["versus"] = {"other": describe_pipeline(other, versus), **compared.result()}
    if curve is not None:
        numbers["learning_curve"] = learning_curve(
            model, files, curve, settings=settings, gpu_id=gpu_id, progress=progress
        )
    numbers["findings"] = find_findings(numbers)
    return numbers


def collect(
    examples: List[Example],
    others: List[Example],
    collectors: Iterable[Collector],
    compared: Optional[Versus],
) -> None:
    """Hand on a chunk of predictions. others: of another pipeline, for `compared`."""
    for collector in collectors:
        collector.add(examples)
    if compared is not None:
        compared.add(examples, others)


def shared_vectors(nlp: Language, other: Language) -> Optional[str]:
    """What the vectors of two pipelines are called in the first; None unless both have any."""
    names = [vector_pipe(each) for each in (nlp, other)]
    return None if VECTORS in names else names[0]
