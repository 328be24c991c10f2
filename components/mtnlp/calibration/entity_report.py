"""Confidences of one pipe, computed in several ways for the same documents, side by side."""

from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..data.reading import bare_doc
from ..errors import Errors, MtnlpError
from ..nn.taggers import CRFTagger, Tagger
from ..pipes.entity_spans import Predictions
from ..pipes.run_encoders import encode
from .metrics import Confidences, calibration_metrics, gather_confidences, join

CHUNK_SIZE = 32  # documents that are encoded at a time
UNCALIBRATED, CALIBRATED, SOFTMAX = "uncalibrated", "calibrated", "softmax minimum"


def calibration_report(
    nlp: Language, names: Sequence[str], references: Iterable[Doc]
) -> Dict[str, Dict[str, Dict[str, Any]]]:
    """Calibration figures of entity pipes on annotated documents.

    For each pipe: its probabilities without its temperature ("uncalibrated") and with it
    ("calibrated") and, where it has a CRF, the least softmax probability of an entity's tags
    ("softmax minimum"). The entities are those of the best tag sequence each time, all of them:
    `crf_ner` applies no threshold. Only `span_ner` may find others with a temperature, since its
    threshold is of the probability.

    Returns: by pipe and way, what `calibration_metrics` does. Raises: MtnlpError E415 where no
        document is annotated for a pipe.
    """
    pipes: Dict[str, Any] = {name: nlp.get_pipe(name) for name in names}
    found: Dict[str, Dict[str, List[Confidences]]] = {name: {} for name in names}
    annotated = (
        doc for doc in references if any(pipe.is_annotated(doc) for pipe in pipes.values())
    )
    for chunk in minibatch(annotated, CHUNK_SIZE):
        docs = encode(nlp, [bare_doc(nlp, doc) for doc in chunk])
        examples = [Example(doc, reference) for doc, reference in zip(docs, chunk, strict=True)]
        for name, pipe in pipes.items():
            key = pipe.layer.spans_key
            if not any(pipe.is_annotated(doc) for doc in chunk):
                continue
            for way, predictions in confidence_variants(pipe, docs):
                pipe.set_annotations(docs, predictions)
                confidences = gather_confidences(examples, key, name if key is None else key)
                found[name].setdefault(way, []).append(confidences)
    for name, each in found.items():
        if not each:
            raise MtnlpError(Errors.E415.format(name=name, layer=pipes[name].layer))
    return {
        name: {way: calibration_metrics(join(parts)) for way, parts in each.items()}
        for name, each in found.items()
    }


def confidence_variants(pipe: Any, docs: List[Doc]) -> Iterator[tuple[str, Predictions]]:
    """The name of each way to compute confidences, and what the pipe then predicts."""
    # Where spans are scored, the threshold is what makes a span an entity.
    everything = {"threshold": 0.0} if isinstance(pipe.module, Tagger) else {}
    with settings(pipe, temperature=1.0, **everything):
        yield UNCALIBRATED, pipe.predict(docs)
    with settings(pipe, **everything):
        yield CALIBRATED, pipe.predict(docs)
    if isinstance(pipe.module, CRFTagger):
        output, mask = pipe.model.predict(docs)
        spans, least = pipe.module.softmax_minimum(output.scores, mask)
        yield SOFTMAX, Predictions(spans.cpu().numpy(), least.cpu().numpy())


@contextmanager
def settings(pipe: Any, **values: Any) -> Iterator[None]:
    """Other settings of a pipe for a while, those that it has."""
    before = {key: pipe.cfg[key] for key in values if key in pipe.cfg}
    pipe.cfg.update((key, values[key]) for key in before)
    try:
        yield
    finally:
        pipe.cfg.update(before)
