"""The scores of trained heads for annotated documents, so that the encoder runs once whatever is
fitted to them."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Protocol, Sequence, Tuple

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..annotation.layers import CategoriesLayer
from ..data.reading import bare_copy, copy_tokens
from ..errors import Errors, MtnlpError
from ..gold.targets import Target
from ..log import logger
from ..models.listener import require_encoder_output
from ..pipes.run_encoders import encode
from ..types import LossBatch

CHUNK_SIZE = 32  # documents that are encoded at a time
MEMORY = 512 * 2**20  # bytes of scores collected for each entity pipe


class CollectedScores(Protocol):
    """The scores of one pipe."""

    @property
    def pipe(self) -> Any: ...

    @property
    def is_full(self) -> bool:
        """Whether further documents are left out."""

    @property
    def documents(self) -> int:
        """How many annotated documents there are scores for."""

    def wants(self, reference: Doc) -> bool:
        """Whether a document is annotated for the pipe, so that something can be fitted to it."""

    def add(self, examples: Sequence[Example]) -> None:
        """Take up a chunk whose predicted Docs have been through the encoder."""


class EntityScores:
    """The scores of an entity pipe.

    batches: of annotated documents. examples: these documents, batch by batch, without what the
        pipeline has made of them.
    memory: bytes of scores that are collected; documents after those are left out. A number or two
        do not need many.
    """

    def __init__(self, pipe: Any, memory: int = MEMORY) -> None:
        self.pipe = pipe
        self.memory = memory
        self.batches: List[LossBatch] = []
        self.examples: List[List[Example]] = []
        self.documents = 0
        self.units = 0.0
        self.is_full = False

    def wants(self, reference: Doc) -> bool:
        return self.pipe.is_annotated(reference)

    def add(self, examples: Sequence[Example]) -> None:
        target = self.pipe.get_target(examples)
        if not target.doc_indices or self.is_full:
            return
        scores = _scores(self.pipe, examples, target)
        if self.batches and scores.nbytes > self.memory:
            self.is_full = True
            numbers = self.pipe.name, self.documents
            logger.info("%s: fitted on the first %d documents alone", *numbers)
            return
        self.memory -= scores.nbytes
        self.batches.append(LossBatch(scores, None, target.target, target.mask))
        chosen = [examples[row] for row in target.doc_indices]
        self.examples.append([Example(copy_tokens(eg.predicted), eg.reference) for eg in chosen])
        self.documents += len(target.doc_indices)
        self.units += target.units

    def loss(self, temperature: float) -> float:
        """The negative log-likelihood of the gold, per annotated token."""
        head = self.pipe.module
        device = next(head.parameters()).device
        total = 0.0
        for batch in self.batches:
            parts = (part.to(device) for part in (batch.logits, batch.target, batch.mask))
            logits, target, mask = parts
            total += float(head.nll(LossBatch(logits, None, target, mask), temperature))
        return total / self.units


@dataclass(frozen=True)
class TaskScores:
    """One task of a classifier, on the documents that are annotated for it.

    keys: its labels, as `task/LABEL`. exclusive: whether exactly one of them holds. logits,
    gold, mask: float, bool and bool `[docs, labels]`.
    """

    keys: Sequence[str]
    exclusive: bool
    logits: torch.Tensor
    gold: NDArray[np.bool_]
    mask: NDArray[np.bool_]


class CategoryScores:
    """The scores of a classifier, of all documents: one number per label is not much."""

    is_full = False

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.documents = 0
        self._logits: List[torch.Tensor] = []
        self._targets: List[Tuple[torch.Tensor, torch.Tensor]] = []

    def wants(self, reference: Doc) -> bool:
        """Of labels alone that the classifier does not know nothing can be fitted."""
        return bool(self.pipe.layer.read([reference])[1].any())

    def add(self, examples: Sequence[Example]) -> None:
        target = self.pipe.get_target(examples)
        if target.doc_indices:
            output, mask = self.pipe.model.predict(
                [examples[row].predicted for row in target.doc_indices]
            )
            # Whatever the scores of a document without text: nothing is said of it.
            has_text = mask.cpu()
            self._logits.append(output.scores.cpu().float()[has_text])
            self._targets.append((target.target[has_text], target.mask[has_text]))
            self.documents += int(has_text.sum())

    def tasks(self) -> Dict[str, TaskScores]:
        """Those tasks of the classifier for which any document is annotated, by name."""
        if not self.documents:
            return {}
        logits = torch.cat(self._logits)
        gold = torch.cat([target for target, _ in self._targets]) > 0
        mask = torch.cat([mask for _, mask in self._targets])
        found = {}
        for name, part in self.pipe.columns.items():
            rows = mask[:, part].any(1)
            if rows.any():
                found[name] = TaskScores(
                    keys=self.pipe.labels[part],
                    exclusive=self.pipe.tasks[name]["exclusive"],
                    logits=logits[rows, part],
                    gold=(gold & mask)[rows, part].numpy(),
                    mask=mask[rows, part].numpy(),
                )
        return found

    def probabilities(
        self, temperatures: Optional[Mapping[str, float]] = None
    ) -> Dict[str, NDArray[np.float64]]:
        """What the classifier says of the documents of `tasks`, by task, `[docs, labels]`.

        temperatures: by task, 1.0 where it has none; those of the pipe by default.
        """
        device = next(self.pipe.module.parameters()).device
        scores = torch.cat(self._logits).to(device)
        every = self.pipe.probabilities(scores, temperatures).astype(np.float64)
        mask = torch.cat([mask for _, mask in self._targets]).numpy()
        parts = ((name, part, mask[:, part].any(1)) for name, part in self.pipe.columns.items())
        return {name: every[rows, part] for name, part, rows in parts if rows.any()}


def start_collection(pipe: Any, memory: int = MEMORY) -> CollectedScores:
    """An empty collection for the scores of a classifier, or else of an entity pipe."""
    if isinstance(pipe.layer, CategoriesLayer):
        return CategoryScores(pipe)
    return EntityScores(pipe, memory)


def collect(
    nlp: Language, collected: Sequence[CollectedScores], examples: Iterable[Example]
) -> None:
    """Fill all with the scores for annotated documents, which go through the encoder once.

    examples: with the tokens of their predicted Docs; neither these nor the references are changed.
    Raises: MtnlpError E415 where no document is annotated for one.
    """
    annotated = (eg for eg in examples if any(item.wants(eg.reference) for item in collected))
    for chunk in minibatch(annotated, CHUNK_SIZE):
        docs = encode(nlp, [bare_copy(nlp, eg.predicted) for eg in chunk])
        again = [Example(doc, eg.reference) for doc, eg in zip(docs, chunk, strict=True)]
        for item in collected:
            item.add(again)
        if all(item.is_full for item in collected):
            break
    for item in collected:
        if not item.documents:
            raise MtnlpError(Errors.E415.format(name=item.pipe.name, layer=item.pipe.layer))


def _scores(pipe: Any, examples: Sequence[Example], target: Target) -> torch.Tensor:
    docs = [examples[row].predicted for row in target.doc_indices]
    require_encoder_output(pipe.model, docs, pipe.name)
    output, _ = pipe.model.predict(docs)
    return output.scores.cpu()
