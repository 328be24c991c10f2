"""Evaluation of all tasks of a pipeline on annotated documents."""

from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

import spacy
from spacy.language import Language
from spacy.pipeline.functions import DocCleaner
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..annotation.categories import Cats
from ..annotation.layers import CategoriesLayer, EntsLayer, SpansLayer, find_layer
from ..data.options import Progress, quiet
from ..data.reading import bare_doc, corpus_files, open_docbin
from ..errors import Errors, MtnlpError
from .categories import CategoryEvaluation
from .entities import EntityEvaluation
from .loss import MeanLosses
from .options import Settings
from .raw_text import RawTextEvaluation
from .spacy_scores import SpacyScores, clean
from .vectors import VectorEvaluation

VECTORS = "vectors"


class Collector(Protocol):
    """Takes up chunk after chunk and keeps no document."""

    def add(self, examples: List[Example]) -> None: ...


def evaluate(
    nlp: Language,
    docs: Iterable[Doc],
    *,
    train_cats: Optional[List[Cats]] = None,
    settings: Optional[Settings] = None,
) -> Dict[str, Any]:
    """Evaluate every entity pipe, classifier and vector pipe of a pipeline in one pass.

    What a pipe is, its layer tells: entities in `doc.ents` or in a spans group, or categories (see
    `annotation.layers.find_layer`). Documents not annotated for a task count for nothing in it.

    docs: reference documents; may be a stream. Those whose spaces are unknown keep their tokens.
    train_cats: the categories of the training documents, for the constant baselines.
    Returns: {"documents": int, "pipes": {name: metrics}}, JSON-serialisable. What
        the metrics hold is said in `entities`, `categories` and `vectors`; each has also `loss`
        and `loss_units` where the pipe can tell its loss, and `raw_text` where its layer comes
        from token corpora. Pairs with a gold similarity are reported under the name of the pipe
        `sentence_vectors`, or "vectors" without one.
    """
    settings = settings or Settings()
    chunks = (("", chunk) for chunk in minibatch(docs, settings.chunk_size))
    return _evaluate(nlp, chunks, train_cats, settings)


def _evaluate(
    nlp: Language,
    chunks: Iterable[Tuple[str, List[Doc]]],
    train_cats: Optional[List[Cats]],
    settings: Settings,
    scores: Optional[SpacyScores] = None,
) -> Dict[str, Any]:
    """What `evaluate` does, chunk by chunk.

    chunks: of reference documents, each with the name of its corpus. scores: takes up every
        prediction, too.
    """
    entities, categories = _collectors(nlp)
    vectors, losses = VectorEvaluation(), MeanLosses(nlp)
    raw_text = RawTextEvaluation({name: item.spans_key for name, item in entities.items()})
    collectors: List[Collector] = [*entities.values(), *categories.values(), vectors, losses]
    number = 0
    # A cleaner would drop the hidden states which the losses are computed from.
    cleaners = [name for name, pipe in nlp.pipeline if isinstance(pipe, DocCleaner)]
    with nlp.select_pipes(disable=cleaners):
        for corpus, references in chunks:
            start = perf_counter()
            examples = predict(nlp, references)
            seconds = perf_counter() - start
            number += len(examples)
            for collector in collectors:
                collector.add(examples)
            if scores is not None:
                clean(nlp, cleaners, [example.predicted for example in examples])
                scores.add(corpus, examples, seconds)
            del examples
            if settings.raw_text:
                raw_text.add(nlp, references)
    numbers = settings.samples, settings.seed
    results: Dict[str, Any] = {}
    for name, layer in entities.items():
        results[name] = layer.result(*numbers)
    for name, classifier in categories.items():
        results[name] = classifier.result(
            *numbers, train_cats=train_cats, rare_share=settings.rare_share
        )
    if vectors.pairs:
        results[vector_pipe(nlp)] = vectors.result(*numbers)
    for name, loss in losses.result().items():
        results.setdefault(name, {"kind": "other"}).update(loss)
    for name, metrics in raw_text.result(*numbers).items():
        results[name]["raw_text"] = metrics
    ordered = sorted(results, key=[*nlp.pipe_names, VECTORS].index)
    return {"documents": number, "pipes": {name: results[name] for name in ordered}}


def predict(nlp: Language, references: Sequence[Doc]) -> List[Example]:
    """Run the pipeline on bare copies of reference documents (see `bare_doc`)."""
    bare = [bare_doc(nlp, doc) for doc in references]
    predicted = nlp.pipe(bare, batch_size=max(1, len(bare)))
    return [Example(x, y) for x, y in zip(predicted, references, strict=True)]


def load_pipeline(path: Union[str, Path], gpu_id: int = -1) -> Language:
    """A trained pipeline, on a GPU or, with -1, on the CPU.

    path: its folder; a text may also be the name of an installed one.
    Raises: MtnlpError E144 where there is no such GPU, E503 where there is no pipeline.
    """
    use_gpu(gpu_id)
    try:
        return spacy.load(path)
    except (OSError, ValueError) as error:
        raise MtnlpError(Errors.E503.format(path=path, reason=error)) from error


def use_gpu(gpu_id: int) -> None:
    """What is made from now on is on this GPU; -1 changes nothing. Raises: MtnlpError E144 where
    there is no such GPU."""
    if gpu_id < 0:
        return
    try:
        spacy.require_gpu(gpu_id)
    except (ValueError, RuntimeError) as error:
        form = f"a GPU of this machine, or -1 for the CPU ({error})"
        message = Errors.E144.format(option="--gpu-id", value=gpu_id, form=form)
        raise MtnlpError(message) from error


def name_of(nlp: Language, model: Path) -> str:
    """A pipeline's name and version; its folder until `spacy package` gives it both."""
    if nlp.meta["name"] == "pipeline":
        return str(model)
    return f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"


def evaluate_corpus(
    model: Path,
    corpus: Path,
    split: str,
    names: Optional[Sequence[str]] = None,
    *,
    settings: Optional[Settings] = None,
    spacy_scores: bool = False,
    gpu_id: int = -1,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """Evaluate a trained pipeline on `corpus/{split}/{name}.spacy`.

    names: the corpora, all of the split by default. The same ones of the train split, where
        they are there, give the constant baselines.
    spacy_scores: whether to score the same predictions as `spacy evaluate` does, too. All documents
        then stay in memory.
    gpu_id: -1 for the CPU.
    progress: wraps the stream of documents, for a progress bar.
    Returns: what `evaluate` returns, and "model", "split" and "corpora"; with `spacy_scores` also
        "spacy_scores": {"overall": scores, "by_corpus": {name: scores}}.
    Raises: MtnlpError (E150, E503) where there is no corpus or no pipeline, DataError for a
        broken file.
    """
    files = corpus_files(corpus / split, names)
    nlp = load_pipeline(model, gpu_id)
    settings = settings or Settings()
    sizes = {file.stem: len(open_docbin(file)) for file in files}
    train = [corpus / "train" / file.name for file in files]
    train_files = [file for file in train if file.exists()]
    train_cats: List[Cats] = [dict(doc.cats) for doc in read_docs(train_files, nlp) if doc.cats]
    docs = progress(read_docs(files, nlp), split, sum(sizes.values()))
    scores = SpacyScores(nlp) if spacy_scores else None
    results = _evaluate(
        nlp,
        corpus_chunks(docs, sizes, settings.chunk_size),
        train_cats if train_files else None,
        settings,
        scores,
    )
    if scores is not None:
        by_corpus = scores.by_corpus()
        results["spacy_scores"] = {"overall": scores.overall(), "by_corpus": by_corpus}
    return {
        "model": name_of(nlp, model),
        "split": split,
        "corpora": [file.stem for file in files],
        **results,
    }


def corpus_chunks(
    docs: Iterable[Doc], sizes: Dict[str, int], chunk_size: int
) -> Iterator[Tuple[str, List[Doc]]]:
    """Cut a stream of documents into chunks of one corpus each.

    sizes: the number of documents of each corpus, in the order of the stream.
    """
    stream = iter(docs)
    for name, size in sizes.items():
        for chunk in minibatch(islice(stream, size), chunk_size):
            yield name, chunk
    # Slices stop short of the stream's end, which a progress bar waits for.
    next(stream, None)


def read_docs(files: Iterable[Path], nlp: Language) -> Iterator[Doc]:
    """The documents of several DocBins, one file in memory at a time."""
    for file in files:
        yield from open_docbin(file).get_docs(nlp.vocab)


def _collectors(
    nlp: Language,
) -> Tuple[Dict[str, EntityEvaluation], Dict[str, CategoryEvaluation]]:
    entities, categories = {}, {}
    for name, pipe in nlp.pipeline:
        layer = find_layer(pipe)
        if isinstance(layer, (EntsLayer, SpansLayer)):
            entities[name] = EntityEvaluation(layer.spans_key)
        elif isinstance(layer, CategoriesLayer):
            categories[name] = CategoryEvaluation(pipe.cfg)  # type: ignore[attr-defined]
    return entities, categories


def vector_pipe(nlp: Language) -> str:
    """The name vectors are reported under: that of the pipe which makes them, if one does."""
    for name in nlp.pipe_names:
        if nlp.get_pipe_meta(name).factory == "sentence_vectors":
            return name
    return VECTORS
