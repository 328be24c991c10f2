"""More examples of which labels would help most, and of which they hardly would."""

from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Sequence

# Fewer errors are chance.
ERRORS = 3
# A label with so many examples that scores on train hardly better than elsewhere has what it needs.
MANY, GAP = 200, 0.02
LISTED = 3
RULE = (
    "A label is worth more examples where many errors come on each that train has (errors per "
    f"example, {ERRORS} errors or more); one with {MANY} or more whose F1 on train is at most "
    f"{GAP} higher will hardly gain from others like them: train longer, or look at how it is "
    "annotated."
)
MORE, NONE, ENOUGH = "more examples", "none in train: add some", "more would hardly help"


@dataclass(frozen=True)
class LabelScore:
    """How well a label does.

    examples: in train. errors: false positives and false negatives on the split that is scored.
    f: F1 there. train_f: F1 on documents of train, None where it is not gold in these.
    """

    task: str
    label: str
    examples: int
    errors: int
    f: float
    train_f: Optional[float]

    @property
    def errors_per_example(self) -> float:
        """What one more example is worth, roughly: errors fall with the number of examples by a
        power law, so by so many per example times a constant."""
        return self.errors / max(1, self.examples)

    @property
    def is_saturated(self) -> bool:
        """Whether it has many examples and does as well on new documents as on those."""
        if self.train_f is None or self.examples < MANY:
            return False
        return self.train_f - self.f <= GAP


def advise(labels: Sequence[LabelScore], listed: int = LISTED) -> List[Dict[str, Any]]:
    """Of a task's labels, those that most is gained by, then those with most errors that gain
    little.

    listed: of each at most.
    Returns: the numbers of each `LabelScore`, with "errors_per_example" and "advice".
    """
    wrong = [score for score in labels if score.errors >= ERRORS]
    more = [score for score in wrong if not score.is_saturated]
    more.sort(key=lambda score: (-score.errors_per_example, -score.errors, score.label))
    enough = [score for score in wrong if score.is_saturated]
    enough.sort(key=lambda score: (-score.errors, score.label))
    rows = [(score, MORE if score.examples else NONE) for score in more[:listed]]
    rows += [(score, ENOUGH) for score in enough[:listed]]
    return [
        {**asdict(score), "errors_per_example": score.errors_per_example, "advice": advice}
        for score, advice in rows
    ]
