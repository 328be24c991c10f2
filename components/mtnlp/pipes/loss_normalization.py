"""What is counted in the training data: the constant by which a pipe's summed loss is divided, and
the classes."""

import random
from typing import Callable, Iterable, List, Optional, Sequence, Tuple

import torch
from spacy import registry
from spacy.language import Language
from spacy.training import Example

from .taught import Lesson

# A share of units is known well after some thousands of examples; a corpus may have millions.
SAMPLE_SIZE = 5000
DEFAULT_BATCH = 32


def expected_units(
    get_examples: Callable[[], Iterable[Example]],
    count: Callable[[Sequence[Example]], float],
    nlp: Optional[Language],
) -> float:
    """The annotated units of an average batch of the training data.

    Losses are sums divided by this constant. Dividing each batch by its own units instead would
    make the step depend on how the batch is cut into sub-batches or spread over processes.

    count: the annotated units of a batch. nlp: its `[training.batcher]` makes the batches; batches
    of 32 where there is none.
    Returns: at least 1.0.
    """
    batches = make_batches(sample_examples(get_examples(), SAMPLE_SIZE), nlp)
    if not batches:
        return 1.0
    return max(1.0, sum(count(batch) for batch in batches) / len(batches))


def count_gold(
    get_examples: Callable[[], Iterable[Example]],
    get_lesson: Callable[[Sequence[Example]], Lesson],
    count_classes: Optional[Callable[[torch.Tensor, torch.Tensor], torch.Tensor]],
    nlp: Optional[Language],
) -> Tuple[float, Optional[torch.Tensor]]:
    """The expected units of a batch, and how often each class occurs, in one pass.

    get_lesson: the gold and the opinions of a batch. count_classes: counts in the gold's target and
    mask, None for heads that do not ask. nlp: as for `expected_units`.
    Returns: the units, and the summed counts, None where nothing was counted.
    """
    counts: List[torch.Tensor] = []

    def count(examples: Sequence[Example]) -> float:
        lesson = get_lesson(examples)
        if lesson.gold.doc_indices and count_classes is not None:
            counts.append(count_classes(lesson.gold.target, lesson.gold.mask))
        return sum(lesson.units) if lesson.soft else lesson.gold.units

    units = expected_units(get_examples, count, nlp)
    return units, torch.stack(counts).sum(0) if counts else None


def sample_examples(examples: Iterable[Example], size: int) -> List[Example]:
    """Up to `size` examples from all parts of a corpus: readers may give one file after another.

    All of them, in their order, where there are no more; else a random choice, always the same
    (algorithm R; Vitter 1985), in no order.
    """
    generator = random.Random(0)
    chosen: List[Example] = []
    for seen, example in enumerate(examples):
        if seen < size:
            chosen.append(example)
        elif (place := generator.randint(0, seen)) < size:
            chosen[place] = example
    return chosen


def make_batches(examples: List[Example], nlp: Optional[Language]) -> List[Sequence[Example]]:
    """Cut examples as training will."""
    block = {} if nlp is None else nlp.config.interpolate()["training"].get("batcher")
    if block:
        batcher = registry.resolve({"batcher": block})["batcher"]
        return [list(batch) for batch in batcher(examples)]
    return [examples[i : i + DEFAULT_BATCH] for i in range(0, len(examples), DEFAULT_BATCH)]
