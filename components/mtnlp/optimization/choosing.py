"""Which of the measured pipelines is the fastest that is as good as the baseline."""

from dataclasses import dataclass
from math import exp, log
from typing import Dict, List, Optional

from .candidates import BASELINE, Candidate
from .measuring import Measured, compare_vectors

VECTORS = "vectors"


@dataclass(frozen=True)
class Verdict:
    """What a candidate is worth beside the baseline.

    speed_up: the geometric mean over short and long texts. changes: of each task's score in points
    (hundredths), negative where it is worse; for vectors that of Spearman's correlation, where the
    documents are pairs, else of the mean cosine to the baseline's, below 1. reason: why it cannot
    be chosen; None where it can.
    """

    speed_up: float
    changes: Dict[str, float]
    reason: Optional[str] = None


def judge(
    found: Dict[Candidate, Measured], max_drop: float, must_be_faster: bool = True
) -> Dict[Candidate, Verdict]:
    """A verdict on each of what was measured, the baseline among them.

    max_drop: points that no task may lose. must_be_faster: than the baseline.
    """
    baseline = found[BASELINE]
    verdicts = {}
    for candidate, measured in found.items():
        speed_up = speed_ratio(measured, baseline)
        changes = score_changes(measured, baseline)
        worse = [
            f"{task} {change:+.2f}" for task, change in changes.items() if change < -max_drop - 1e-9
        ]
        reason = None
        if worse:
            reason = f"loses more than {max_drop:g} points: {', '.join(worse)}"
        elif must_be_faster and candidate != BASELINE and speed_up <= 1:
            reason = f"not faster than {BASELINE}"
        verdicts[candidate] = Verdict(speed_up, changes, reason)
    return verdicts


def fastest(verdicts: Dict[Candidate, Verdict]) -> Optional[Candidate]:
    """The fastest that can be chosen; None where none but the baseline can."""
    able: List[Candidate] = [
        candidate
        for candidate, verdict in verdicts.items()
        if verdict.reason is None and candidate != BASELINE
    ]
    return max(able, key=lambda candidate: verdicts[candidate].speed_up, default=None)


def speed_ratio(measured: Measured, baseline: Measured) -> float:
    """How many times faster, the geometric mean over the kinds of texts."""
    ratios = [
        speed.words_per_second / baseline.speeds[kind].words_per_second
        for kind, speed in measured.speeds.items()
    ]
    return exp(sum(map(log, ratios)) / len(ratios)) if ratios else 1.0


def score_changes(measured: Measured, baseline: Measured) -> Dict[str, float]:
    """By task, in points; tasks for which no document is annotated are left out."""
    changes = {
        task: 100 * (counts.score - baseline.counts[task].score)
        for task, counts in measured.counts.items()
        if len(counts.counts)
    }
    if measured.spearman is not None and baseline.spearman is not None:
        changes[VECTORS] = 100 * (measured.spearman - baseline.spearman)
    elif measured.vectors is not None and baseline.vectors is not None:
        changes[VECTORS] = 100 * (compare_vectors(measured.vectors, baseline.vectors)[0] - 1)
    return changes
