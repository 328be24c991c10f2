"""What a training costs, measured around its steps."""

import sys
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional

import torch
from spacy.language import Language
from spacy.training import Example

from ..training.timing import PhaseTimer, WatchedMethods

MEGABYTE = 2**20
TRAINING, EVALUATION = "training", "evaluation"


class Stopwatch:
    """Seconds and words of the training steps, and of the evaluations between them.

    seconds: from the first update on, without evaluations and saving. words: in the updates,
    counted as spaCy does. evaluation_seconds, evaluated_words: of the evaluations.
    """

    def __init__(self) -> None:
        self.timer = PhaseTimer()
        self.words = 0
        self.evaluated_words = 0

    @property
    def seconds(self) -> float:
        return self.timer.seconds.get(TRAINING, 0.0)

    @property
    def evaluation_seconds(self) -> float:
        return self.timer.seconds.get(EVALUATION, 0.0)

    def stop(self) -> None:
        """Stand still, if it runs."""
        self.timer.stop()

    def forget_steps(self) -> None:
        """Count the training steps from here."""
        self.timer.seconds.pop(TRAINING, None)
        self.words = 0

    def evaluate(self, nlp: Language, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """spaCy's `nlp.evaluate`, timed."""
        self.stop()
        with self.timer.phase(EVALUATION):
            examples = list(examples)
            # Not nlp.evaluate, which may be watched itself.
            scores = type(nlp).evaluate(nlp, examples, **kwargs)
        self.evaluated_words += sum(len(example) for example in examples)
        return scores


def watch_training(nlp: Language, sample: Optional[int] = None) -> Stopwatch:
    """Put a stopwatch on what spaCy's training loop calls: it runs from an update to the next
    evaluation or saving, so that the optimizer's steps between the updates count.

    sample: for a short probe: evaluations take so many documents only, and the step before the
        first one, which is slow, does not count.
    """
    watch, methods = Stopwatch(), WatchedMethods()

    def watch_update(update: Callable) -> Callable:
        def timed_update(examples: Iterable[Example], *args: Any, **kwargs: Any) -> Any:
            batch: List[Example] = list(examples)
            watch.timer.start(TRAINING)
            watch.words += sum(len(example) for example in batch)
            return update(batch, *args, **kwargs)

        return timed_update

    def evaluate(examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        watch.stop()
        if sample is not None and not watch.evaluated_words:
            watch.forget_steps()
        return watch.evaluate(nlp, islice(examples, sample), **kwargs)

    def watch_saving(to_disk: Callable) -> Callable:
        def untimed_to_disk(*args: Any, **kwargs: Any) -> None:
            watch.stop()
            to_disk(*args, **kwargs)

        return untimed_to_disk

    methods.wrap(nlp, "update", watch_update)
    methods.wrap(nlp, "evaluate", lambda plain: evaluate)
    methods.wrap(nlp, "to_disk", watch_saving)
    return watch


def peak_memory() -> float:
    """The most memory this process has had, in MB.

    Linux counts what the parent held at the fork into `ru_maxrss`; VmHWM it does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MEGABYTE if sys.platform == "darwin" else peak / 1024


def peak_gpu_memory() -> Optional[float]:
    """The most memory torch has had on the GPU, in MB; None without one."""
    return torch.cuda.max_memory_allocated() / MEGABYTE if torch.cuda.is_available() else None
