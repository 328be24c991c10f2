"""The labels of a pipe, and the layer of annotation that holds them."""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..annotation.layers import AnyLayer
from ..errors import Errors, MtnlpError
from ..log import logger


class Labelled:
    """What a trainable pipe does with its labels, `cfg["labels"]`, in the order of the head's
    scores. They are all the state it has."""

    name: str
    vocab: Vocab
    cfg: Dict[str, Any]

    @property
    def module(self) -> Any:
        """The head's torch module."""
        raise NotImplementedError

    def build(self) -> None:
        """Build the head from `cfg`."""
        raise NotImplementedError

    @property
    def is_built(self) -> bool:
        """Whether the head has its sizes."""
        raise NotImplementedError

    @property
    def layer(self) -> Optional[AnyLayer]:
        """Where the gold and the predictions are in a Doc; None for a pipe that has no gold."""
        return None

    def is_annotated(self, doc: Doc) -> bool:
        """Whether a reference Doc says anything about what this pipe predicts. One that does not
        trains nothing and counts for nothing."""
        layer = self.layer
        return layer is not None and layer.is_annotated(doc)

    @property
    def labels(self) -> Tuple[str, ...]:
        """The labels, in the order of the head's scores."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
        """What `spacy init labels` writes and `initialize` reads."""
        return list(self.labels)

    def add_label(self, label: str) -> int:
        """Add a label before the head is built. Returns: 1 if it is new, else 0.

        Raises: MtnlpError E301 afterwards: the scores of a built head have their places.
        """
        if label in self.labels:
            return 0
        if self.is_built:
            raise MtnlpError(Errors.E301.format(label=label, name=self.name))
        self.set_labels([*self.labels, label])
        return 1

    def grow(self, labels: Iterable[str]) -> List[str]:
        """Give a trained pipe further labels, behind those it has. What its head has learnt stays,
        bit for bit, and so does what it says, for now: new labels begin with a probability too low
        to be predicted. They are learnt from data that has them; without the old pipeline as a
        teacher beside it the old ones are forgotten meanwhile (`mtnlp extend` sees to that).

        Returns: the labels that are new. Raises: MtnlpError E776 where the head is not built, or
            cannot grow.
        """
        before = self.labels
        new = [label for label in dict.fromkeys(labels) if label not in before]
        if not self.is_built or not hasattr(self.module, "grow_from"):
            raise MtnlpError(Errors.E776.format(name=self.name, labels=", ".join(new)))
        if new:
            old = self.module
            self.set_labels([*before, *new])
            try:
                self.require_labels()
                self.build()
            except MtnlpError:
                self.set_labels(before)
                raise
            self.module.grow_from(old)
        return new

    def set_labels(self, labels: Iterable[str]) -> None:
        """Take these labels, each once, for a head that is still to be built."""
        self.cfg["labels"] = list(dict.fromkeys(labels))
        for label in self.cfg["labels"]:
            self.vocab.strings.add(label)

    def choose_labels(self, found: List[str]) -> List[str]:
        """The labels of a head that is to be built on data that holds `found`: these and what
        `add_label` has added. Where a head is there already, it goes, and its labels with it,
        unless the data holds none at all."""
        return (found or list(self.labels)) if self.is_built else [*self.labels, *found]

    def initialize_labels(
        self, get_examples: Callable[[], Iterable[Example]], labels: Optional[List[str]]
    ) -> None:
        """Take the labels that are given or, where that is None, those in the data and those that
        its teachers know. Raises
        MtnlpError E302 where there are none; the pipe then keeps those it had."""
        before = self.labels
        if labels is not None:
            self.set_labels(labels if self.is_built else [*before, *labels])
        else:
            self.set_labels(self.choose_labels(self.find_all_labels(get_examples())))
        try:
            self.require_labels()
        except MtnlpError:  # the head, where there is one, is that of the old labels
            self.set_labels(before)
            raise

    def find_labels(self, examples: Iterable[Example]) -> List[str]:
        """The labels in the data."""
        raise NotImplementedError

    def taught_labels(self, example: Example) -> List[str]:
        """The labels that the teachers of a Doc know, if any."""
        return []

    def find_all_labels(self, examples: Iterable[Example]) -> List[str]:
        """The labels in the data, and those that teachers know: a student needs them all."""
        taught: Set[str] = set()

        def watched() -> Iterator[Example]:
            for example in examples:
                taught.update(self.taught_labels(example))
                yield example

        found = self.find_labels(watched())
        return sorted({*found, *taught}) if taught - set(found) else found

    def require_labels(self) -> None:
        """Raises: MtnlpError E302 where no labels are known."""
        if not self.labels:
            raise MtnlpError(Errors.E302.format(name=self.name))

    def checked(self, examples: Iterable[Example]) -> Iterator[Example]:
        """The examples of the training data. Raises: MtnlpError as `layer.check` does."""
        layer = self.layer
        for index, example in enumerate(examples):
            if layer is not None:
                layer.check(example.reference, index)
            yield example


class SkippedLabels(Counter[str]):
    """Counts the gold labels that training met and that are none of a pipe's, in all epochs so far:
    entities, or documents of which a category holds."""

    def count(self, examples: Sequence[Example], pipe: Any) -> None:
        """Count those of a batch, and warn of new ones.

        A head has its labels when it is built. What is labelled otherwise is missing in the gold:
        neither it nor "nothing there" can be learnt. A label is told once, when it first comes.

        pipe: a `Labelled` one.
        """
        layer = pipe.layer
        if layer is None:
            return
        found: Counter[str] = Counter()
        for example in examples:
            found.update(layer.label_counts(example.reference))
        for label in pipe.labels:
            del found[label]
        new = sorted(found.keys() - self.keys())
        self.update(found)
        if new:
            counts = ", ".join(f"'{label}' ({found[label]})" for label in new)
            names = ", ".join(f"'{label}'" for label in new)
            logger.warning(
                Errors.E345.format(name=pipe.name, counts=counts, layer=layer, new=names)
            )
