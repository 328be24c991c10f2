"""Temperatures that make probabilities fit annotated documents (Guo et al. 2017)."""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Callable, List

from spacy.language import Language

from ..annotation.layers import EntsLayer, SpansLayer
from ..log import logger
from ..pipes.base import TorchPipe
from .collected_scores import EntityScores

LOWEST, HIGHEST = 0.05, 20.0
# The standard deviation of log T before any document is seen: two times in three a temperature lies
# between 1/2 and 2. On some hundred documents this weighs nothing. On the four that somebody with
# few texts has for dev, without an error among them, it keeps probabilities from becoming 0 and 1.
PRIOR = log(2)
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


def pipes_with_temperature(nlp: Language) -> List[str]:
    """The names of the pipes that have one, in the pipeline's order."""
    return [
        name
        for name, pipe in nlp.pipeline
        if isinstance(pipe, TorchPipe) and isinstance(pipe.layer, (EntsLayer, SpansLayer))
    ]


def fit_collected(scores: EntityScores) -> TemperatureFit:
    """Fit the temperature of an entity pipe and write it to the pipe's `cfg["temperature"]`.

    A temperature is one number by which scores are divided before they become probabilities: the
    one under which the gold is most likely, see `penalised_loss`. That is the likelihood of the tag
    sequence under a CRF, missing tags summed out, of each tag under softmax, of each span in
    `span_ner`.
    """
    cfg = scores.pipe.cfg
    before = scores.loss(cfg["temperature"])
    temperature = search(scores.loss, scores.units, scores.pipe.name)
    cfg["temperature"] = temperature
    return TemperatureFit(
        temperature, before, scores.loss(temperature), scores.documents, scores.units
    )


def search(loss: Callable[[float], float], units: float, name: str) -> float:
    """The temperature of the least `penalised_loss`.

    loss: the mean negative log-likelihood at a temperature, over `units`. name: of what it is for,
        for the warning that is logged where it lies at the limit.
    """
    best = minimize(
        lambda x: penalised_loss(loss, units, exp(x)), log(LOWEST), log(HIGHEST), TOLERANCE
    )
    temperature = exp(best)
    if not LOWEST * 1.1 < temperature < HIGHEST / 1.1:
        logger.warning(
            "%s: the temperature %.2f is at the limit of what is searched. Probabilities hold only "
            "on documents like those it is fitted on: take some that were not trained on.",
            *(name, temperature),
        )
    return temperature


def penalised_loss(loss: Callable[[float], float], units: float, temperature: float) -> float:
    """What is minimised: the negative log of likelihood times prior, a log-normal one around 1 (the
    model as it is). Arguments as for `search`."""
    return units * loss(temperature) + 0.5 * (log(temperature) / PRIOR) ** 2


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
