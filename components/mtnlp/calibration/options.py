"""What a calibration can be asked for; imports nothing heavy."""

from dataclasses import dataclass
from math import inf

from ..errors import Errors, MtnlpError

OBJECTIVES = ("macro", "micro")
MIN_POSITIVES = 5
# In log-odds.
SMOOTHING = 0.4


@dataclass(frozen=True)
class FitOptions:
    """What to fit. Raises: MtnlpError E432 for an unknown objective, E434 for a negative number.

    temperature, thresholds: whether they are fitted; without its flag, each stays as it is.
    objective: "macro" or "micro", which F1 the thresholds of labels are for; that of entities is
        for micro F1. min_positives: how often a label must be gold to have a threshold of its own,
        and how many entities, for an entity pipe to get another one. smoothing: over how many
        log-odds F1 is smoothed where thresholds are for macro F1, or of entities; 0.0 for those
        that are the best there are.
    """

    temperature: bool = True
    thresholds: bool = True
    objective: str = "macro"
    min_positives: int = MIN_POSITIVES
    smoothing: float = SMOOTHING

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise MtnlpError(Errors.E432.format(found=self.objective, known=known))
        for name, found in (("min_positives", self.min_positives), ("smoothing", self.smoothing)):
            if not 0 <= found < inf:
                raise MtnlpError(Errors.E434.format(name=name, found=found))
