"""One line per evaluation for the eye: `mtnlp.EpochLogger.v1`."""

import sys
from timeit import default_timer as timer
from typing import IO, Any, Callable, Dict, List, Optional, Tuple

from spacy.language import Language
from wasabi import Printer

from .best_checkpoints import steps_since_evaluation

Log = Callable[[Optional[Dict[str, Any]]], None]
# The narrowest columns in which the numbers still stand apart.
WIDTH = 7


def create_epoch_logger_v1() -> Callable[..., Tuple[Log, Callable[[], None]]]:
    """Creates the logger `mtnlp.EpochLogger.v1`: a line at each evaluation.

    E and #: epochs and steps done. LOSS: each component's training loss, the mean over the steps
    since the last line. Then each score of `[training.score_weights]` that is not null (a dev loss
    as it is, scores of quality in percent), the weighted score that decides which weights are the
    best, marked with * where they are the best so far, and the words trained on per second,
    evaluations not counted. For one line per epoch, see `evaluations` of `mtnlp.FitSchedule.v1`.
    """

    def start(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> Tuple[Log, Callable[[], None]]:
        return EpochLogger(nlp, stdout), lambda: None

    return start


class EpochLogger:
    """The logger behind `mtnlp.EpochLogger.v1`. Calling it is spaCy's `log_step`."""

    def __init__(self, nlp: Language, stdout: IO) -> None:
        weights = nlp.config["training"]["score_weights"]
        self.scores = [name for name, weight in weights.items() if weight is not None]
        self.pipes = [name for name, pipe in nlp.pipeline if getattr(pipe, "is_trainable", False)]
        self.stdout = stdout
        self.words = Words()
        titles = ["E", "#", *map(loss_title, self.pipes), *map(str.upper, self.scores)]
        titles += ["SCORE", "WORDS/S"]
        self.widths = [max(WIDTH, len(title)) for title in titles]
        self.write(titles)
        self.write(["-" * width for width in self.widths])

    def __call__(self, info: Optional[Dict[str, Any]]) -> None:
        """Take notice of a step. info: what the loop says of an evaluated one, None of another."""
        speed = self.words.step(info)
        if info is None:
            return
        steps = steps_since_evaluation(info)
        losses = [info["losses"].get(pipe, 0.0) / steps for pipe in self.pipes]
        best = max(score for score, _ in info["checkpoints"])
        self.write(
            [
                str(info["epoch"] + 1),
                str(info["step"] + 1),
                *(f"{loss:.3f}" for loss in losses),
                *(show_score(name, info["other_scores"].get(name)) for name in self.scores),
                f"{info['score']:.3f}" + ("*" if info["score"] == best else ""),
                "-" if speed is None else f"{speed:,.0f}",
            ]
        )

    def write(self, cells: List[str]) -> None:
        """One line of the table."""
        aligns = ["r"] * len(cells)
        line = Printer(no_print=True).row(cells, widths=self.widths, aligns=aligns, spacing=2)
        print(line, file=self.stdout, flush=True)


class Words:
    """Counts words per second between evaluations."""

    def __init__(self) -> None:
        self._steps = 0
        self._words: Optional[int] = None
        self._start = self._last = timer()

    def step(self, info: Optional[Dict[str, Any]]) -> Optional[float]:
        """Count a step. Returns: after an evaluation, where known, the words per second since the
        one before it."""
        self._steps += 1
        if info is None:
            self._last = timer()
            return None
        # The last step has the evaluation in it, so its time is not known: that of the others is.
        timed = (self._steps - 1) / self._steps
        seconds = self._last - self._start
        speed = None
        if self._words is not None and timed and seconds > 0:
            speed = (info["words"] - self._words) * timed / seconds
        self._steps, self._words = 0, info["words"]
        self._start = self._last = timer()
        return speed


def loss_title(pipe: str) -> str:
    """The column of a component's training loss."""
    return f"LOSS {pipe}"


def show_score(name: str, score: Any) -> str:
    """A score for the eye: losses and speed as they are, the others in percent."""
    if not isinstance(score, (int, float)):
        return "-"
    if name == "speed":
        return f"{score:,.0f}"
    return f"{score:.3f}" if name.endswith("_loss") else f"{100 * score:.2f}"
