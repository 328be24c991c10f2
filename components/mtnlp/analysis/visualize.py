"""The numbers of `mtnlp visualize`: a pipeline and a corpus in, those of a map out."""

from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.pipeline.functions import DocCleaner
from spacy.tokens import Doc, DocBin
from spacy.util import minibatch
from spacy.vocab import Vocab

from ..data.options import Progress, quiet
from ..data.reading import open_docbin
from ..evaluation.evaluator import load_pipeline, name_of, predict
from .corpus import find_files
from .queries import encode_queries, read_sentences, sentence_numbers
from .sources import DOCUMENTS, choose_source
from .vectors import VectorCollector, map_numbers

CHUNK_SIZE = 64
# Documents that say what of a corpus is annotated.
PROBE = 500


@dataclass(frozen=True)
class MapOptions:
    """A map.

    of: one of `sources.KINDS`. task: what colours it, see `sources.choose_source`. method: a name
    of `projection.METHODS`. limit: how many points at most. seed: of the sample, t-SNE and UMAP.
    queries: texts whose neighbours are wanted. sentences: a file of sentences to compare.
    """

    of: str = DOCUMENTS
    task: Optional[str] = None
    method: str = "pca"
    limit: int = 5000
    seed: int = 0
    queries: Sequence[str] = ()
    sentences: Optional[Path] = None


def visualize(
    model: Path, corpus: Path, options: MapOptions, *, gpu_id: int = -1, progress: Progress = quiet
) -> Dict[str, Any]:
    """The map of a corpus, by the vectors of a pipeline.

    corpus: see `corpus.find_files`. Documents are taken in random order until there are enough
        points, and no others are predicted. Where some are annotated for what colours the map,
        those alone are taken.
    Returns: {"pipeline", "files", "maps": [one, see `vectors.map_numbers`], "sentences": see
        `queries.sentence_numbers`, or None}.
    Raises: MtnlpError E150, E503, E520, E701 where there is no corpus or no pipeline, DataError
        for a broken file, E715 to E719.
    """
    sentences = read_sentences(options.sentences) if options.sentences else None
    files = find_files(corpus).scored
    docbins = [open_docbin(file) for file in files]
    nlp = load_pipeline(model, gpu_id)
    # A cleaner could drop what the vectors of spans are made of.
    cleaners = [name for name, pipe in nlp.pipeline if isinstance(pipe, DocCleaner)]
    with nlp.select_pipes(disable=cleaners):
        collected = collect(nlp, docbins, options, progress)
        queries = encode_queries(nlp, options.queries, collected.source)
        compared = sentence_numbers(nlp, sentences) if sentences else None
    drawn = (
        map_numbers(
            collected,
            method=options.method,
            seed=options.seed,
            queries=queries,
            corpus_documents=sum(map(len, docbins)),
        )
        for _ in range(1)
    )
    [numbers] = progress(drawn, f"map, {options.method}", 1)
    return {
        "pipeline": name_of(nlp, model),
        "files": [str(file) for file in files],
        "maps": [numbers],
        "sentences": compared,
    }


def collect(
    nlp: Language, docbins: Sequence[DocBin], options: MapOptions, progress: Progress = quiet
) -> VectorCollector:
    """The vectors of points, until there are enough."""
    docs = shuffled_docs(docbins, nlp.vocab, options.seed)
    probe = list(islice(docs, PROBE))
    source = choose_source(nlp, options.of, options.task, probe)
    annotated_only = any(map(source.is_annotated, probe))
    collected = VectorCollector(source, options.limit, options.seed, annotated_only)
    # The collector would leave the others out, too, but only after they were predicted.
    kept = (doc for doc in chain(probe, docs) if not annotated_only or source.is_annotated(doc))
    for _ in progress(_points(nlp, kept, collected), f"vectors of {source.what}", options.limit):
        pass
    return collected


def _points(nlp: Language, docs: Iterator[Doc], collected: VectorCollector) -> Iterator[int]:
    """Collects until there are enough points, or no more documents; yields once for each."""
    for references in minibatch(docs, CHUNK_SIZE):
        before = len(collected)
        collected.add(predict(nlp, references))
        yield from range(before, len(collected))
        if len(collected) >= collected.limit:
            return


def shuffled_docs(docbins: Sequence[DocBin], vocab: Vocab, seed: int) -> Iterator[Doc]:
    """The documents of several DocBins in random order, each made when it is asked for."""
    for docbin in docbins:
        for string in docbin.strings:
            vocab.strings.add(string)
    places = [(docbin, i) for docbin in docbins for i in range(len(docbin))]
    for place in np.random.default_rng(seed).permutation(len(places)).tolist():
        docbin, i = places[place]
        # A copy of a DocBin would write all of it to bytes and read them again.
        one = DocBin()
        one.attrs = docbin.attrs
        for name in ("tokens", "spaces", "cats", "span_groups", "flags", "user_data"):
            setattr(one, name, getattr(docbin, name)[i : i + 1])
        yield from one.get_docs(vocab)
