"""Temperatures that make probabilities fit annotated documents (Guo et al. 2017)."""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Callable, Dict, Iterable, List, Sequence

from spacy.language import Language
from spacy.training import Example

from ..annotation.layers import EntsLayer, SpansLayer
from ..errors import Errors, MtnlpError
from ..log import logger
from ..pipes.base import TorchPipe
from .collected_scores import MEMORY, KeptScores, collect

LOWEST, HIGHEST = 0.05, 20.0
TOLERANCE = 1e-3  # of log T


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
    collect(nlp, list(kept.values()), examples)
    return {name: fit_kept(scores) for name, scores in kept.items()}


def pipes_with_temperature(nlp: Language) -> List[str]:
    """The names of the pipes that have one, in the pipeline's order."""
    return [
        name
        for name, pipe in nlp.pipeline
        if isinstance(pipe, TorchPipe) and isinstance(pipe.layer, (EntsLayer, SpansLayer))
    ]


def fit_kept(scores: KeptScores) -> TemperatureFit:
    """Fit the temperature of a pipe to kept scores and write it to the pipe's `cfg`."""
    cfg = scores.pipe.cfg
    before = scores.loss(cfg["temperature"])
    temperature = search(scores.loss, scores.pipe.name)
    cfg["temperature"] = temperature
    return TemperatureFit(
        temperature, before, scores.loss(temperature), scores.documents, scores.units
    )


def search(loss: Callable[[float], float], name: str) -> float:
    """The temperature of the least loss. name: of what it is for, for the warning that is logged
    where it lies at the limit."""
    best = minimize(lambda x: loss(exp(x)), log(LOWEST), log(HIGHEST), TOLERANCE)
    temperature = exp(best)
    if not LOWEST * 1.1 < temperature < HIGHEST / 1.1:
        logger.warning(
            "%s: the temperature %.2f is at the limit of what is searched. Probabilities hold only "
            "on documents like those it is fitted on: take some that were not trained on.",
            *(name, temperature),
        )
    return temperature


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
