"""The mean loss of each trainable pipe on a split."""

from typing import Any, Dict, List, Tuple

from spacy.language import Language
from spacy.training import Example


class MeanLosses:
    """Adds up `pipe.loss_on(examples)` over chunks of a split.

    A pipe takes part if it has a method `loss_on`, which returns the sum of its loss over the
    annotated units of the examples and the number of those units. It reads what the encoder
    has left on the predicted documents, so these must have gone through the pipeline.
    """

    def __init__(self, nlp: Language) -> None:
        self._pipes: List[Tuple[str, Any]] = [
            (name, pipe) for name, pipe in nlp.pipeline if hasattr(pipe, "loss_on")
        ]
        self._sums = {name: 0.0 for name, _ in self._pipes}
        self._units = {name: 0 for name, _ in self._pipes}

    def add(self, examples: List[Example]) -> None:
        """Take up one chunk, whose predicted documents the pipeline has processed."""
        for name, pipe in self._pipes:
            loss, units = pipe.loss_on(examples)
            self._sums[name] += float(loss)
            self._units[name] += int(units)

    def result(self) -> Dict[str, Dict[str, Any]]:
        """Returns: by pipe, {"loss": mean per annotated unit, "loss_units": their number}.

        Pipes for which nothing was annotated are left out.
        """
        return {
            name: {"loss": self._sums[name] / units, "loss_units": units}
            for name, units in self._units.items()
            if units
        }
