"""What a training costs, measured around its steps."""

import sys
from itertools import islice
from pathlib import Path
from timeit import default_timer
from typing import Any, Dict, Iterable, List, Optional

import torch
from spacy.language import Language
from spacy.training import Example

MEGABYTE = 2**20


class Stopwatch:
    """Seconds and words of the training steps, and of the evaluations between them.

    seconds: from the first update on, without evaluations and saving. words: in the updates,
    counted as spaCy does. evaluation_seconds, evaluated_words: of the evaluations.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.words = 0
        self.evaluation_seconds = 0.0
        self.evaluated_words = 0
        self._since: Optional[float] = None

    def start(self) -> None:
        """Go on, if it stands."""
        if self._since is None:
            self._since = default_timer()

    def stop(self) -> None:
        """Stand still, if it runs."""
        if self._since is not None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.seconds += default_timer() - self._since
            self._since = None

    def evaluate(self, nlp: Language, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """spaCy's `nlp.evaluate`, timed."""
        self.stop()
        begun, examples = default_timer(), list(examples)
        # Not nlp.evaluate, which may be watched itself.
        scores = type(nlp).evaluate(nlp, examples, **kwargs)
        self.evaluation_seconds += default_timer() - begun
        self.evaluated_words += sum(len(example) for example in examples)
        return scores


def watch_training(nlp: Language, sample: Optional[int] = None) -> Stopwatch:
    """Put a stopwatch on what spaCy's training loop calls: it runs from an update to the next
    evaluation or saving, so that the optimizer's steps between the updates count.

    sample: for a short probe: evaluations take so many documents only, and the step before the
        first one, which is slow, does not count.
    """
    watch = Stopwatch()
    update, to_disk = nlp.update, nlp.to_disk

    def timed_update(examples: Iterable[Example], *args: Any, **kwargs: Any) -> Dict[str, float]:
        batch: List[Example] = list(examples)
        watch.start()
        watch.words += sum(len(example) for example in batch)
        return update(batch, *args, **kwargs)

    def evaluate(examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        watch.stop()
        if sample is not None and not watch.evaluated_words:
            watch.seconds, watch.words = 0.0, 0
        return watch.evaluate(nlp, islice(examples, sample), **kwargs)

    def untimed_to_disk(*args: Any, **kwargs: Any) -> None:
        watch.stop()
        to_disk(*args, **kwargs)

    nlp.update = timed_update  # type: ignore[method-assign]
    nlp.evaluate = evaluate  # type: ignore[method-assign]
    nlp.to_disk = untimed_to_disk  # type: ignore[method-assign]
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
