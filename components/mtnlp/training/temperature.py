"""Temperatures that make probabilities fit annotated documents (Guo et al. 2017)."""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any, Callable, Dict, Iterable, List, Sequence

from spacy.language import Language
from spacy.training import Example
from spacy.util import logger, minibatch

from ..data.reading import bare_copy
from ..errors import Errors, MtnlpError
from ..gold.entities import is_annotated, layer_of
from ..pipes.encoding import encode
from ..types import LossBatch

LOWEST, HIGHEST = 0.05, 20.0
TOLERANCE = 1e-3  # of log T
CHUNK_SIZE = 32  # documents that are encoded at a time
MEMORY = 512 * 2**20  # bytes of scores kept for each pipe


@dataclass(frozen=True)
class TemperatureFit:
    """A fitted temperature.

    loss_before, loss_after: the negative log-likelihood of the gold at the temperature the pipe
        had, and at the new one, per annotated token.
    documents, units: the annotated documents and tokens it was fitted on.
    """

    temperature: float
    loss_before: float
    loss_after: float
    documents: int
    units: float


class KeptScores:
    """The scores of a pipe for the annotated documents, kept so that the encoder runs once.

    memory: bytes of scores that are kept; documents after those are left out. One number does not
        need many.
    """

    def __init__(self, pipe: Any, memory: int) -> None:
        self.pipe = pipe
        self.memory = memory
        self.batches: List[LossBatch] = []
        self.documents = 0
        self.units = 0.0
        self.is_full = False

    def add(self, examples: Sequence[Example]) -> None:
        """Take up a chunk whose predicted Docs have been through the encoder."""
        target = self.pipe.get_target(examples)
        if not target.rows or self.is_full:
            return
        output, _ = self.pipe.model.predict([examples[row].predicted for row in target.rows])
        scores = output.scores.cpu()
        if self.batches and scores.nbytes > self.memory:
            self.is_full = True
            numbers = self.pipe.name, self.documents
            logger.info("%s: the temperature is fitted on the first %d documents", *numbers)
            return
        self.memory -= scores.nbytes
        self.batches.append(LossBatch(scores, None, target.target, target.mask))
        self.documents += len(target.rows)
        self.units += target.units

    def loss(self, temperature: float) -> float:
        """The negative log-likelihood of the gold, per annotated token."""
        head = self.pipe.module
        device = next(head.parameters()).device
        total = 0.0
        for batch in self.batches:
            parts = (part.to(device) for part in (batch.logits, batch.target, batch.mask))
            logits, target, mask = parts
            total += float(head.nll(LossBatch(logits, None, target, mask), temperature))
        return total / self.units


def fit_temperature(nlp: Language, pipe_name: str, examples: Iterable[Example]) -> TemperatureFit:
    """Fit the temperature of one entity pipe and write it to its `cfg`.

    As `fit_temperatures`, which see.
    """
    return fit_temperatures(nlp, [pipe_name], examples)[pipe_name]


def fit_temperatures(
    nlp: Language,
    pipe_names: Sequence[str],
    examples: Iterable[Example],
    *,
    memory: int = MEMORY,
) -> Dict[str, TemperatureFit]:
    """Fit the temperatures of entity pipes, and write each to its pipe's `cfg["temperature"]`.

    A temperature is one number by which scores are divided before they become probabilities: the
    one under which the gold is most likely. That is the likelihood of the tag sequence under a CRF,
    missing tags summed out, of each tag under softmax, of each span in `span_ner`. Documents that
    are not annotated for a pipe count for nothing in it.

    examples: held out, with the tokens of their predicted Docs; neither these nor the references
        are changed. They go through the encoder once.
    memory: bytes of scores kept for each pipe; documents that come later are left out.
    RETURNS: by pipe. Raises MtnlpError E411 for a pipe that has no temperature, E415 where no
        document is annotated for a pipe.
    """
    known = pipes_with_temperature(nlp)
    for name in pipe_names:
        if name not in known:
            what, names = "component with a temperature", ", ".join(known)
            raise MtnlpError(Errors.E411.format(what=what, name=name, names=names))
    kept = {name: KeptScores(nlp.get_pipe(name), memory) for name in pipe_names}
    keys = {scores.pipe.cfg["spans_key"] for scores in kept.values()}
    annotated = (eg for eg in examples if any(is_annotated(eg.reference, key) for key in keys))
    for chunk in minibatch(annotated, CHUNK_SIZE):
        docs = encode(nlp, [bare_copy(nlp, eg.predicted) for eg in chunk])
        again = [Example(doc, eg.reference) for doc, eg in zip(docs, chunk, strict=True)]
        for scores in kept.values():
            scores.add(again)
        if all(scores.is_full for scores in kept.values()):
            break
    for name, scores in kept.items():
        if not scores.batches:
            layer = layer_of(scores.pipe.cfg["spans_key"])
            raise MtnlpError(Errors.E415.format(name=name, layer=layer))
    return {name: _fit(scores) for name, scores in kept.items()}


def pipes_with_temperature(nlp: Language) -> List[str]:
    """The names of the pipes that have one, in the pipeline's order."""
    return [
        name for name, pipe in nlp.pipeline if "temperature" in (getattr(pipe, "cfg", None) or {})
    ]


def _fit(scores: KeptScores) -> TemperatureFit:
    cfg = scores.pipe.cfg
    before = scores.loss(cfg["temperature"])
    best = minimize(lambda x: scores.loss(exp(x)), log(LOWEST), log(HIGHEST), TOLERANCE)
    temperature = exp(best)
    if not LOWEST * 1.1 < temperature < HIGHEST / 1.1:
        logger.warning(
            "%s: the temperature %.2f is at the limit of what is searched. Probabilities hold only "
            "on documents like those it is fitted on: take some that were not trained on.",
            *(scores.pipe.name, temperature),
        )
    cfg["temperature"] = temperature
    return TemperatureFit(
        temperature, before, scores.loss(temperature), scores.documents, scores.units
    )


def minimize(
    function: Callable[[float], float], low: float, high: float, tolerance: float
) -> float:
    """Where a function with one minimum between two bounds has it: golden-section search (Kiefer
    1953)."""
    share = (sqrt(5) - 1) / 2
    left, right = high - share * (high - low), low + share * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > tolerance:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - share * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + share * (high - low)
            at_right = function(right)
    return (low + high) / 2
