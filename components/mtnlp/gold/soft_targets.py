"""What teachers believe of the Docs of a batch, as a head's targets: see `gold.opinions`.

This file holds what all kinds have in common; see `soft_entities` and `soft_categories`.
"""

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Type

import torch
from spacy.training import Example

from ..errors import Errors, MtnlpError
from .entities import same_tokens
from .opinions import CategoryOpinion, Opinion, SpanOpinion, TagOpinion, opinions_of


@dataclass
class SoftTarget:
    """The opinions of one kind of teacher on some Docs, a row each.

    probabilities: float `[rows, ..., groups]`, at the temperature that was asked for.
    mask: bool `[rows, ...]`, of which units (tokens, spans) the teacher says something, or
        `[rows, ..., labels]`, where labels are taught each for itself.
    confidence: float, in the shape of the mask: the probability of what the teacher thinks most
        probable there, whatever the temperature.
    groups: int64 `[classes]`, the place among the teacher's classes of each class of the head; None
        where they are the same.
    """

    probabilities: torch.Tensor
    mask: torch.Tensor
    confidence: torch.Tensor
    groups: Optional[torch.Tensor] = None


# Rows, and the opinion on each.
Said = List[Tuple[int, Any]]


def labels_in(opinion: Opinion) -> List[str]:
    """The labels that a teacher knows: of entities, or the keys of categories."""
    if isinstance(opinion, TagOpinion):
        return [tag.partition("-")[2] for tag in opinion.tags if tag != "O"]
    if isinstance(opinion, SpanOpinion):
        return list(opinion.labels)
    return list(opinion.keys) if isinstance(opinion, CategoryOpinion) else []


def sharpened(probabilities: torch.Tensor, temperature: float) -> torch.Tensor:
    """`[..., classes]`, as a softmax gives them of scores over a temperature; zeros stay."""
    if temperature == 1.0:
        return probabilities
    powers = probabilities ** (1.0 / temperature)
    return powers / powers.sum(-1, keepdim=True).clamp(min=torch.finfo(powers.dtype).tiny)


def sharpened_yes(probabilities: torch.Tensor, temperature: float) -> torch.Tensor:
    """`[...]`, as a sigmoid gives them of scores over a temperature."""
    if temperature == 1.0:
        return probabilities
    yes, no = probabilities ** (1.0 / temperature), (1.0 - probabilities) ** (1.0 / temperature)
    return yes / (yes + no)


def by_teacher(
    examples: Sequence[Example], name: str, kind: Type, classes: Any
) -> Iterator[Tuple[Sequence[str], Said]]:
    """The opinions on some Docs by the teacher's classes, and those on one Doc apart. classes: of
    an opinion. Raises: MtnlpError E735 for another kind of opinion."""
    found: Dict[Tuple[int, Sequence[str]], Said] = {}
    for row, example in enumerate(examples):
        for turn, opinion in enumerate(opinions_of(example.reference, name)):
            check_kind(name, opinion, kind)
            found.setdefault((turn, classes(opinion)), []).append((row, opinion))
    for (_, names), said in found.items():
        yield names, said


def check_kind(name: str, opinion: Opinion, kind: Type) -> None:
    """Raises: MtnlpError E735 for another kind of opinion."""
    if not isinstance(opinion, kind):
        raise MtnlpError(
            Errors.E735.format(name=name, kind=kind.__name__, found=type(opinion).__name__)
        )


def check_labels(name: str, theirs: Sequence[str], labels: Sequence[str]) -> None:
    """Raises: MtnlpError E730 for labels of a teacher that the student lacks."""
    lacking = [label for label in dict.fromkeys(theirs) if label not in labels]
    if lacking:
        raise MtnlpError(
            Errors.E730.format(name=name, lacking=", ".join(lacking), own=", ".join(labels))
        )


def check_tokens(example: Example, name: str, tokens: int) -> None:
    """Raises: MtnlpError E734 where an opinion counts other tokens than the predicted Doc has.
    tokens: how many the opinion speaks of."""
    reference, predicted = example.reference, example.predicted
    if tokens != len(predicted) or not same_tokens(reference, predicted):
        raise MtnlpError(
            Errors.E734.format(
                name=name, text=predicted.text[:50], theirs=tokens, own=len(predicted)
            )
        )
