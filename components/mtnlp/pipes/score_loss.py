"""The loss on development data, without another pass of the encoder."""

from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple
from weakref import WeakKeyDictionary

import torch
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import Model

from ..gold.targets import Target
from ..types import HeadOutput, LossBatch

# Docs a batch of the head.
CHUNK = 32


class HeadInputs:
    """What a head was given for each Doc that is still alive.

    A pipe predicts before anyone shows it the gold, and by then a `trf_data_cleaner` has taken away
    the encoder's output. The head's inputs are less: a vector per token or Doc. They go with
    their Doc, and neither a copy of the pipe nor its pickle has them.
    """

    def __init__(self) -> None:
        self._rows: WeakKeyDictionary = WeakKeyDictionary()

    def __deepcopy__(self, memo: Any) -> "HeadInputs":
        return HeadInputs()

    def __reduce__(self) -> Tuple[Any, ...]:
        return HeadInputs, ()

    def watch(self, stream: Iterable[Doc], tok2vec: Model, batch_size: int) -> Iterator[Doc]:
        """The Docs of a stream, once what `tok2vec` makes of them is kept."""
        for batch in minibatch(stream, batch_size):
            docs = list(batch)
            for doc, row in zip(docs, tok2vec.predict(docs), strict=True):
                self._rows[doc] = row
            yield from docs

    def of(self, docs: Sequence[Doc]) -> Optional[List[Any]]:
        """The inputs of some Docs, None where one of them is not known."""
        rows = [self._rows.get(doc) for doc in docs]
        return None if any(row is None for row in rows) else rows


def make_loss_batch(target: Target, output: HeadOutput) -> LossBatch:
    """What a loss is computed from: the gold of some Docs and what the head says of them."""
    device = output.scores.device
    return LossBatch(
        logits=output.scores,
        features=output.features,
        target=target.target.to(device),
        mask=target.mask.to(device),
    )


@torch.no_grad()
def mean_loss(pipe: Any, examples: Iterable[Example]) -> Optional[float]:
    """The pipe's mean loss over the annotated units (tokens, documents) of some examples.

    pipe: a `TorchPipe` whose `head_inputs` have watched the predicted Docs.
    Returns: 0.0 where nothing is annotated; None where the head's inputs are not known.
    """
    # Like lengths together: a batch is padded to its longest Doc.
    ordered = sorted(examples, key=lambda example: len(example.predicted))
    total, units = 0.0, 0.0
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        target = pipe.get_target(chunk)
        if not target.doc_indices:
            continue
        rows = pipe.head_inputs.of([chunk[i].predicted for i in target.doc_indices])
        if rows is None:
            return None
        output, _ = pipe.model.get_ref("head").predict(join(pipe.model.ops, rows))
        total += float(pipe.head_loss(target, output))
        units += target.units
    return total / units if units else 0.0


def join(ops: Any, rows: List[Any]) -> Any:
    """A batch as a head takes it: `[tokens, width]` per Doc as a list, `[width]` per Doc as
    rows."""
    return ops.xp.stack(rows) if rows[0].ndim == 1 else rows
