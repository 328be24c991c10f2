"""What teachers believe of entities: tags of tokens, and labels of spans."""

from typing import Any, List, Sequence, Tuple

import numpy as np
import torch
from spacy.training import Example

from ..errors import Errors, MtnlpError
from ..structured.schemes import TagScheme
from ..structured.span_enumeration import span_mask
from ..types import Ints
from .opinions import SpanOpinion, TagOpinion
from .soft_targets import (
    SoftTarget,
    by_teacher,
    check_labels,
    check_tokens,
    sharpened,
    sharpened_yes,
)


def soft_tags(
    examples: Sequence[Example],
    name: str,
    labels: Sequence[str],
    scheme: TagScheme,
    temperature: float = 1.0,
) -> List[SoftTarget]:
    """Opinions on tags, `[rows, seq, tags of the teacher]`; the mask says which tokens are real,
    of rows with an opinion.

    Tags go by name, in whatever order the teacher has them. Those of a scheme that says more (BILUO
    to a student's BIO) are added up: of a tagging there, each token's tag says its tag here. Where
    the student has more labels, the teacher's O is its O and all tags of those that the teacher
    does not know.

    examples: a row each. name: of the component. labels, scheme: of the student.
    temperature: probabilities are raised to its inverse, and sum to 1 again.
    Returns: one for each set of tags that teachers have; several opinions on a Doc are apart, too.
    Raises: MtnlpError E730 for labels that the student lacks, E731 for a tag scheme that says less
        or is unknown, E734 where the opinion counts other tokens, E735 for an opinion on something
        else.
    """
    seq = max((len(example.predicted) for example in examples), default=0)
    found = []
    for theirs, said in by_teacher(examples, name, TagOpinion, lambda opinion: opinion.tags):
        tags, places = coarser_tags(theirs, scheme)
        groups = tag_groups(name, tags, list(labels), scheme)
        shape = len(examples), seq
        values, mask = np.zeros((*shape, len(tags)), np.float32), np.zeros(shape, bool)
        for row, opinion in said:
            size = len(opinion.starts) - 1
            check_tokens(examples[row], name, size)
            token = np.repeat(np.arange(size), np.diff(opinion.starts))
            entries: Any = (row, token, places[opinion.index])
            np.add.at(values, entries, opinion.probabilities)
            mask[row, :size] = True
        probabilities = torch.from_numpy(values)
        found.append(
            SoftTarget(
                sharpened(probabilities, temperature),
                torch.from_numpy(mask),
                probabilities.amax(-1),
                groups,
            )
        )
    return found


def coarser_tags(tags: Sequence[str], scheme: TagScheme) -> Tuple[List[str], Ints]:
    """A teacher's tags in a scheme that says less, and the place of each among these. Those that it
    has no word for stay."""
    read = [tag.partition("-") for tag in tags]
    names = [f"{scheme.coarser.get(first, first)}{dash}{label}" for first, dash, label in read]
    unique = list(dict.fromkeys(names))
    return unique, np.array([unique.index(name) for name in names], dtype=np.int64)


def tag_groups(
    name: str, tags: Sequence[str], labels: List[str], scheme: TagScheme
) -> torch.Tensor:
    """int64 `[tags of the student]`: the place of each among a teacher's tags. name: of the
    component. Raises: MtnlpError E730 for labels that the student lacks, E731 for another
    scheme."""
    known = {tag: place for place, tag in enumerate(tags)}
    parts = [tag.partition("-") for tag in tags if tag != "O"]
    prefixes = {prefix for prefix, _, _ in parts}
    if prefixes != set(scheme.prefixes) or "O" not in known:
        raise MtnlpError(
            Errors.E731.format(
                name=name,
                theirs=" ".join(tags[:6]),
                own=" ".join(scheme.tags(labels)[:6]),
                scheme=scheme.name,
            )
        )
    check_labels(name, [label for _, _, label in parts], labels)
    return torch.tensor([known.get(tag, known["O"]) for tag in scheme.tags(labels)])


def soft_spans(
    examples: Sequence[Example],
    name: str,
    labels: Sequence[str],
    max_width: int,
    exclusive: bool,
    temperature: float = 1.0,
) -> List[SoftTarget]:
    """Opinions on spans, laid out as `span_targets` does; spans wider than the teacher looks at are
    masked, and its wider ones left out.

    Exclusive: `[rows, seq, max_width, 1 + labels of the teacher]`, the first for no entity, to
    which labels that the teacher does not know belong. Else `[rows, seq, max_width, labels]`, where
    these are masked.

    Arguments, returns and raises (E730, E734, E735) as for `soft_tags`.
    """
    seq = max((len(example.predicted) for example in examples), default=0)
    shape = len(examples), seq, max_width
    found = []
    for theirs, said in by_teacher(examples, name, SpanOpinion, lambda opinion: opinion.labels):
        check_labels(name, theirs, labels)
        place = {label: i for i, label in enumerate(labels)}
        values = np.zeros((*shape, len(theirs)), np.float32)
        real, reach = np.zeros(shape[:2], bool), np.zeros(len(examples), np.int64)
        for row, opinion in said:
            size = len(examples[row].predicted)
            last = int(opinion.spans[:, 1].max(initial=0))
            check_tokens(examples[row], name, size if last <= size else last)
            narrow = opinion.spans[:, 1] - opinion.spans[:, 0] <= max_width
            start, end, label = opinion.spans[narrow].T
            values[row, start, end - start - 1, label] = opinion.probabilities[narrow]
            real[row, :size], reach[row] = True, opinion.max_width
        mask = span_mask(torch.from_numpy(real), max_width)
        mask &= torch.arange(max_width) < torch.from_numpy(reach).view(-1, 1, 1)
        each = torch.from_numpy(values)
        groups = None
        if exclusive:
            rest = (1.0 - each.sum(-1, keepdim=True)).clamp(min=0.0)
            each = torch.cat([rest, each], -1)
            # Labels that a teacher gives each for itself may sum to more than 1.
            each = each / each.sum(-1, keepdim=True)
            known = {label: 1 + i for i, label in enumerate(theirs)}
            groups = torch.tensor([0, *(known.get(label, 0) for label in labels)])
            made = SoftTarget(sharpened(each, temperature), mask, each.amax(-1), groups)
        else:
            columns = torch.tensor([place[label] for label in theirs], dtype=torch.long)
            own = each.new_zeros((*shape, len(labels))).index_copy_(-1, columns, each)
            is_known = torch.zeros(len(labels), dtype=torch.bool).index_fill_(0, columns, True)
            made = SoftTarget(
                sharpened_yes(own, temperature),
                mask.unsqueeze(-1) & is_known,
                torch.maximum(own, 1.0 - own),
            )
        found.append(made)
    return found
