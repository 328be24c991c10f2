"""spaCy's training loop, able to begin in the middle."""

from itertools import count
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from spacy.language import Language
from spacy.training import Example
from spacy.training.loop import (
    create_evaluation_callback,
    create_train_batches,
    train_while_improving,
)

from .checkpoint import Checkpoint
from .distributed import Processes, WithSummedGradients
from .optimizer_state import get_optimizer_state, set_optimizer_state
from .random_state import ReadingRandom, get_random_state, set_random_state
from .weights_state import get_weights, set_weights


class ResumableLoop:
    """`spacy.training.loop.train_while_improving`, fast-forwarded to where a checkpoint was made.

    The steps that are done are gone through again with empty batches: nothing is computed, but the
    corpus is read and cut into batches, the schedules are stepped, callbacks are called, and the
    loop counts. Then the weights, the optimizer's memory, the random numbers and the scores are
    those of the checkpoint, and the next step is the one that would have followed.

    Reading has random numbers of its own (`ReadingRandom`), so that it goes the same way without
    the training in between. The order of the documents is still spaCy's.

    nlp: the initialised pipeline. training: the resolved `[training]` block. corpora: the readers
    of the training and the dev corpus. checkpoint: where to go on.
    """

    def __init__(
        self,
        nlp: Language,
        training: Dict[str, Any],
        corpora: Tuple[Callable, Callable],
        processes: Processes,
        checkpoint: Optional[Checkpoint] = None,
    ) -> None:
        self.nlp = nlp
        self.training = training
        self.optimizer = training["optimizer"]
        self.processes = processes
        self.info: Dict[str, Any] = {}
        self._checkpoint = checkpoint
        self._start = checkpoint.steps if checkpoint else 0
        self._steps = 0
        self._restored = checkpoint is None
        self._train_corpus, self._dev_corpus = corpora
        self._unscored = set(checkpoint.unscored if checkpoint else [])
        self._evaluate_dev = self._make_evaluation()
        self._reading = ReadingRandom()

    @property
    def is_replaying(self) -> bool:
        """Whether the step at hand is one that the checkpoint has behind it."""
        return self._steps < self._start

    def __iter__(self) -> Iterator[Tuple[Dict[str, Any], Optional[bool]]]:
        """Train. Yields: after each step what spaCy's loop says of it, and whether its evaluation
        was the best, None where there was none.

        In data-parallel training losses and words are those of this process, but those of all
        together after an evaluation.
        """
        training = self.training
        alone = self.processes.count == 1
        view: Any = (
            self.nlp if alone else WithSummedGradients(self.nlp, lambda: not self.is_replaying)
        )
        loop = train_while_improving(
            view,
            self.optimizer,
            self._batches(),
            self._evaluate,
            dropout=training["dropout"],
            accumulate_gradient=training["accumulate_gradient"],
            patience=training["patience"],
            max_steps=training["max_steps"],
            eval_frequency=training["eval_frequency"],
            exclude=training["frozen_components"],
            annotating_components=training["annotating_components"],
            before_update=self._before_update if training["before_update"] else None,
        )
        for _, info, is_best in loop:
            replayed = self.is_replaying
            self._steps += 1
            if not replayed:
                yield self._complete(info, is_best), is_best
            elif not self.is_replaying:
                self._restore(info)
        if not self._restored:  # shortened since: there is nothing left to do
            self._restore({"losses": {}, "checkpoints": []})

    def make_checkpoint(self, config: Dict[str, Any]) -> Checkpoint:
        """The state after the step just yielded; every process must ask. config: of the run."""
        parts = self.processes.gather(
            {
                "random": get_random_state(),
                "words": self.info["own_words"],
                "losses": self.info["own_losses"],
            }
        )
        return Checkpoint(
            config=config,
            steps=self._steps,
            scores=[(float(score), step) for score, step in self.info["checkpoints"]],
            unscored=sorted(self._unscored),
            losses=add_up([part["losses"] for part in parts]),
            words=sum(part["words"] for part in parts),
            seconds=self.info["seconds"],
            weights=get_weights(self.nlp),
            optimizer=get_optimizer_state(self.optimizer, self.nlp),
            random=[part["random"] for part in parts],
        )

    def _restore(self, info: Dict[str, Any]) -> None:
        """Take the checkpoint's values.

        info: of the last step gone through; its losses and its list of scores are the loop's own
        objects.
        """
        assert self._checkpoint is not None
        set_weights(self.nlp, self._checkpoint.weights)
        set_optimizer_state(self.optimizer, self.nlp, self._checkpoint.optimizer)
        set_random_state(self._checkpoint.random[self.processes.rank])
        if self.processes.is_first:  # those of all processes
            info["losses"].update(self._checkpoint.losses)
        info["checkpoints"][:] = self._checkpoint.scores
        self._restored = True
        # What is large need not be kept twice.
        self._checkpoint.weights, self._checkpoint.optimizer = {}, {}

    def _batches(self) -> Iterator[Tuple[int, List[Example]]]:
        batches = iter(
            create_train_batches(
                self.nlp,
                self._train_corpus,
                self.training["batcher"],
                self.training["max_epochs"],
            )
        )
        for step in count():
            with self._reading.in_force():
                epoch, batch = next(batches, (0, None))
            if batch is None:
                return
            yield epoch, [] if step < self._start else self.processes.deal(list(batch))

    def _before_update(self, nlp: Any, args: Dict[str, Any]) -> None:
        self.training["before_update"](self.nlp, args)

    def _make_evaluation(self) -> Callable[[], Tuple[float, Dict[str, Any]]]:
        # spaCy forgets a weight for good once its score is missing.
        weights = self.training["score_weights"]
        left = {name: value for name, value in weights.items() if name not in self._unscored}
        return create_evaluation_callback(self.nlp, self._dev_corpus, left)

    def _evaluate(self) -> Tuple[float, Dict[str, Any]]:
        if self.is_replaying:
            if hasattr(self._dev_corpus, "epoch"):
                self._dev_corpus.epoch += 1
            # Rising, lest the loop's patience end before it has the scores of that time.
            return float(self._steps), {}
        score, scores = self.processes.broadcast(self._evaluate_dev)
        self._unscored |= {name for name in self.training["score_weights"] if name not in scores}
        return score, scores

    def _complete(self, info: Dict[str, Any], is_best: Optional[bool]) -> Dict[str, Any]:
        """The loop's information, with what came before the checkpoint and from other processes."""
        before = self._checkpoint
        # The words before the checkpoint, of all processes, are on the first one's account.
        own = info["words"] + (before.words if before and self.processes.is_first else 0)
        seconds = info["seconds"] + (before.seconds if before else 0)
        losses = dict(info["losses"])
        self.info = {**info, "seconds": seconds, "words": own, "own_words": own}
        # spaCy's loop begins anew to add up after an evaluation.
        self.info["own_losses"] = losses if is_best is None else {}
        if is_best is not None:
            self.info["losses"] = self.processes.sum(losses)
            self.info["words"] = sum(self.processes.gather(own))
        return self.info


def add_up(parts: List[Dict[str, float]]) -> Dict[str, float]:
    """The sums by name."""
    names = {name: None for part in parts for name in part}
    return {name: sum(part.get(name, 0.0) for part in parts) for name in names}
