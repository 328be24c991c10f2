"""Temperatures and thresholds of classifiers, fitted to held-out documents."""

from dataclasses import dataclass, field
from typing import Any, Dict, Optional

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ..log import logger
from .collected_scores import CategoryScores, TaskScores
from .options import FitOptions
from .temperature import search
from .thresholds import fit_thresholds


@dataclass(frozen=True)
class TaskFit:
    """What was fitted for a task.

    documents: the annotated ones. temperature: the one that the task has now.
    loss_before, loss_after: the negative log-likelihood of the gold at the temperature the task
        had, and at the one it has now; per document in an exclusive task, else per annotated pair
        of document and label.
    shared_threshold: the best one for all labels; None where thresholds were not fitted.
    thresholds: by full key, all that were fitted.
    positives: by full key, how often it is gold. own: how many labels have a threshold of their
        own, by reason of these.
    """

    exclusive: bool
    documents: int
    temperature: float
    loss_before: float
    loss_after: float
    shared_threshold: Optional[float] = None
    thresholds: Dict[str, float] = field(default_factory=dict)
    positives: Dict[str, int] = field(default_factory=dict)
    own: int = 0


def fit_classifier(collected: CategoryScores, options: FitOptions) -> Dict[str, TaskFit]:
    """Fit what the options say to the scores of a classifier, and write it to its `cfg`:
    `temperatures` by task, `thresholds` by full key.

    A temperature is the one number by which the scores of a task are divided so that the gold is
    most likely (Guo et al. 2017): under softmax in an exclusive task, else under each label's
    sigmoid. Thresholds are of the probabilities that follow, and multi-label tasks alone have them.
    Where temperatures are fitted and thresholds are not, those that the task had are taken away:
    they were of other probabilities.

    Returns: by task, of those for which any document is annotated; the others stay as they are.
    """
    cfg = collected.pipe.cfg
    tasks = collected.tasks()
    fields: Dict[str, Dict[str, Any]] = {}
    for name, scores in tasks.items():
        before = cfg["temperatures"].get(name, 1.0)
        after = before
        if options.temperature:
            after = fit_task_temperature(scores, before, f"{collected.pipe.name}: {name}")
            cfg["temperatures"] = {**cfg["temperatures"], name: after}
        fields[name] = {
            "temperature": after,
            "loss_before": task_loss(scores, before),
            "loss_after": task_loss(scores, after),
        }
    probabilities = collected.probabilities()
    return {
        name: TaskFit(
            exclusive=scores.exclusive,
            documents=len(scores.gold),
            **fields[name],
            **_fit_thresholds(collected.pipe, scores, probabilities[name], options),
        )
        for name, scores in tasks.items()
    }


def fit_task_temperature(scores: TaskScores, before: float, name: str) -> float:
    """The temperature of the least loss; `before` where none is better, as where an exclusive task
    has one label. name: of the task, for messages."""
    if task_loss(scores, 0.5) == task_loss(scores, 2.0):
        return before
    units = len(scores.gold) if scores.exclusive else int(scores.mask.sum())
    return search(lambda temperature: task_loss(scores, temperature), units, name)


def task_loss(scores: TaskScores, temperature: float) -> float:
    """The mean negative log-likelihood of the gold: per document in an exclusive task, of its first
    gold label; else per annotated pair of document and label."""
    logits = scores.logits / temperature
    gold = torch.from_numpy(scores.gold)
    if scores.exclusive:
        return float(functional.cross_entropy(logits, gold.int().argmax(1)))
    mask = torch.from_numpy(scores.mask)
    target = gold[mask].to(logits.dtype)
    return float(functional.binary_cross_entropy_with_logits(logits[mask], target))


def _fit_thresholds(
    pipe: Any, scores: TaskScores, probabilities: NDArray[np.float64], options: FitOptions
) -> Dict[str, Any]:
    """Put a task's thresholds into the pipe's `cfg`. Returns: the fields of a `TaskFit`."""
    cfg = pipe.cfg
    others = {key: value for key, value in cfg["thresholds"].items() if key not in scores.keys}
    if scores.exclusive or not options.thresholds:
        if options.temperature and len(others) < len(cfg["thresholds"]):
            logger.warning("%s: its thresholds were of other probabilities: removed", pipe.name)
            cfg["thresholds"] = others
        return {}
    fit = fit_thresholds(
        *(probabilities, scores.gold, scores.mask),
        objective=options.objective,
        default=cfg["threshold"],
        min_positives=options.min_positives,
        smoothing=options.smoothing,
    )
    found = dict(zip(scores.keys, fit.values.tolist(), strict=True))
    cfg["thresholds"] = {**others, **found}
    return {
        "shared_threshold": fit.shared,
        "thresholds": found,
        "positives": dict(zip(scores.keys, fit.positives.tolist(), strict=True)),
        "own": int(fit.own.sum()),
    }
