"""How far the probabilities of categories can be trusted, and what thresholds make of them."""

from typing import Any, Dict, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..evaluation.classification import multilabel_metrics
from .classifier_fit import TaskFit
from .collected_scores import CategoryScores
from .metrics import brier_score, expected_calibration_error

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def category_calibration(
    probabilities: Floats, gold: Bools, mask: Bools, exclusive: bool
) -> Dict[str, Any]:
    """What the probabilities of a task say beside how often they are right.

    In an exclusive task a prediction is the most probable label of a document, right where it is
    gold. In another each annotated pair of document and label is one: its probability is that of
    the label, and it is right where the label is gold. Most of these pairs are far from gold and
    easily known to be: compare such figures within a task only.

    probabilities, gold, mask: `[docs, labels]`.
    Returns: {"predicted", "mean_confidence", "share": of the right ones, "ece", "brier"}; see
        `calibration` for the last two.
    """
    if exclusive:
        best = probabilities.argmax(1)
        rows = np.arange(len(probabilities))
        confidence, correct = probabilities[rows, best], gold[rows, best]
    else:
        confidence, correct = probabilities[mask], gold[mask]
    confidence = confidence.astype(np.float64)
    return {
        "predicted": len(confidence),
        "mean_confidence": float(confidence.mean()) if len(confidence) else 0.0,
        "share": float(correct.mean()) if len(correct) else 0.0,
        "ece": expected_calibration_error(confidence, correct),
        "brier": brier_score(confidence, correct),
    }


def threshold_scores(
    probabilities: Floats, gold: Bools, mask: Bools, thresholds: Floats, keys: Sequence[str]
) -> Dict[str, Any]:
    """Scores of a multi-label task with some thresholds, as `spacy evaluate` counts them.

    probabilities, gold, mask: `[docs, labels]`. thresholds: `[labels]`, or one for all. keys: the
        labels.
    Returns: {"accuracy", "micro": {"p", "r", "f"}, "macro": {"p", "r", "f"}}; macro is over the
        labels that are gold or predicted somewhere.
    """
    metrics = multilabel_metrics(gold, probabilities >= thresholds, keys, mask)
    return {key: metrics[key] for key in ("accuracy", "micro", "macro")}


def task_figures(
    before: Floats,
    after: Floats,
    gold: Bools,
    mask: Bools,
    *,
    keys: Sequence[str],
    exclusive: bool,
    default: float,
    thresholds: Mapping[str, Any],
) -> Dict[str, Any]:
    """All figures of one task.

    before, after: the probabilities without and with temperature. default: the threshold of what is
        not calibrated. thresholds: by name, further ones to compare, on the probabilities `after`:
        `[labels]`, or one for all.
    Returns: {"documents", "calibration": {"uncalibrated", "calibrated"}} of `category_calibration`,
        and where the task is not exclusive "f1": {"default", each name} of `threshold_scores`.
    """
    figures: Dict[str, Any] = {
        "documents": len(gold),
        "calibration": {
            "uncalibrated": category_calibration(before, gold, mask, exclusive),
            "calibrated": category_calibration(after, gold, mask, exclusive),
        },
    }
    if not exclusive:
        ways = {"default": (before, default), **{k: (after, v) for k, v in thresholds.items()}}
        figures["f1"] = {
            name: threshold_scores(values, gold, mask, np.asarray(least), keys)
            for name, (values, least) in ways.items()
        }
    return figures


def category_figures(collected: CategoryScores, fits: Mapping[str, TaskFit]) -> Dict[str, Any]:
    """Figures of a fitted classifier on collected scores.

    Multi-label tasks are decided at the default threshold, without temperature ("default"), and
    with it at the one threshold fitted for all labels ("global") and at those of the labels ("per
    label"), where these were fitted.

    fits: by task. Returns: by task, of those in both, what `task_figures` does.
    """
    tasks = collected.tasks()
    before, after = collected.probabilities({}), collected.probabilities()
    found = {}
    for name, scores in tasks.items():
        if name not in fits:
            continue
        shared = fits[name].shared_threshold
        each = collected.pipe.label_thresholds[collected.pipe.columns[name]]
        found[name] = task_figures(
            *(before[name], after[name], scores.gold, scores.mask),
            keys=scores.keys,
            exclusive=scores.exclusive,
            default=collected.pipe.cfg["threshold"],
            thresholds={} if shared is None else {"global": shared, "per label": each},
        )
    return found
