"""What a finding is, and what an error is worth."""

from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Optional

ENTITIES, CLASSIFICATION, DATA = "entities", "classification", "data"
# Confidences that are wrong by less than this on average are good enough.
TRUSTED = 0.03
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
    name: str, found: Optional[Mapping[str, Any]], section: str
) -> Iterator[Finding]:
    """Confidences that say too much, or too little. The error of the confidences is no error of the
    predictions: it counts half."""
    if found is None or found["ece"] < TRUSTED:
        return
    gap = found["mean_confidence"] - found["accuracy"]
    much = "more" if gap > 0 else "less"
    yield Finding(
        f"{name}: the confidences say {much} than is true: {found['mean_confidence']:.2f} on "
        f"average, where {found['accuracy']:.2f} are right (calibration error {found['ece']:.2f}). "
        "`mtnlp calibrate` fits them.",
        section,
        name,
        "confidence",
        found["ece"] / 2,
    )
