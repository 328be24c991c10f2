"""What a finding is, and what an error is worth."""

from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, Optional, Tuple

from ..evaluation.calibration_chance import chance_error

ENTITIES, CLASSIFICATION, DATA = "entities", "classification", "data"
# Confidences that are wrong by less than this on average are good enough; and by less than so many
# times what chance alone makes of it, they may be.
TRUSTED, TIMES = 0.03, 2
# Fewer errors are chance.
FEW = 3


@dataclass(frozen=True)
class Finding:
    """Something to know.

    points: how much of a task's score it explains, 0 to 1: what the score would gain were these
    errors not made. kind: findings of one task and kind tell of the same errors.
    """

    text: str
    section: str
    task: Optional[str]
    kind: str
    points: float


@dataclass(frozen=True)
class ErrorSums:
    """The counts that a micro F1 is made of."""

    right: int
    missed: int
    spurious: int

    def gain(self, missed: float = 0, spurious: float = 0) -> float:
        """What F1 would gain were so many missed ones found and so many spurious ones not made."""
        return self._f(missed, spurious) - self._f(0, 0)

    def _f(self, found: float, dropped: float) -> float:
        right = self.right + found
        bottom = 2 * right + (self.missed - found) + (self.spurious - dropped)
        return 2 * right / bottom if bottom else 0.0


def confidence_findings(
    name: str,
    found: Optional[Mapping[str, Any]],
    section: str,
    labels: Iterable[Tuple[str, int, float, float]],
) -> Iterator[Finding]:
    """Confidences that say too much, or too little. The error of the confidences is no error of the
    predictions: it counts half.

    found: of `reliability`. labels: of each its name, how many it is about, and what is said on
        average and what is true; the one that adds most to the gap is named.
    """
    if found is None or found["ece"] < max(TRUSTED, TIMES * chance_error(found["bins"])):
        return
    gap = found["mean_confidence"] - found["accuracy"]
    says, sign = ("too sure", 1) if gap > 0 else ("not sure enough", -1)
    most = max(labels, key=lambda row: sign * row[1] * (row[2] - row[3]), default=None)
    example = (
        "" if most is None else f", most of all for {most[0]} ({most[2]:.2f} for {most[3]:.2f})"
    )
    yield Finding(
        f"{name}: it is {says}: a confidence of {found['mean_confidence']:.2f} on average, where "
        f"{found['accuracy']:.2f} are right (calibration error {found['ece']:.2f}){example}. "
        "`mtnlp calibrate` fits confidences to held-out documents.",
        section,
        name,
        "confidence",
        found["ece"] / 2,
    )
