"""The classes of a token head as tags of entities."""

from typing import Optional, Sequence

import torch

PREFIXES = "BILU"


class TagClasses(torch.nn.Module):
    """What the names of tags say: `O` first, then a prefix of BIO or BILUO, a hyphen and a label.

    classes: the tags. Use `tag_classes` where they may be something else.

    Buffers, which follow from the names: `label` int64 `[tags]` (-1 for O); `opens` and `closes`
    bool `[tags]`, whether an entity begins or ends with the tag for certain; `belongs` float
    `[tags, labels]`, 1 where a tag is one of the label; `goes_on`, the same for tags that go on
    with an entity.
    """

    label: torch.Tensor
    opens: torch.Tensor
    closes: torch.Tensor
    belongs: torch.Tensor
    goes_on: torch.Tensor

    def __init__(self, classes: Sequence[str]):
        super().__init__()
        labels = list(dict.fromkeys(name[2:] for name in classes[1:]))
        label = torch.tensor([-1, *(labels.index(name[2:]) for name in classes[1:])])
        opens = torch.tensor([name[0] in "BU" for name in classes])
        belongs = (label.unsqueeze(1) == torch.arange(len(labels))).float()
        self.register_buffer("label", label, persistent=False)
        self.register_buffer("opens", opens, persistent=False)
        closes = torch.tensor([name[0] in "LU" for name in classes])
        self.register_buffer("closes", closes, persistent=False)
        self.register_buffer("belongs", belongs, persistent=False)
        goes_on = belongs.masked_fill(opens.unsqueeze(1), 0.0)
        self.register_buffer("goes_on", goes_on, persistent=False)

    def entities(self, tags: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The entities, int64 `[n, 4]`: document, start, end (half-open), label index.

        tags: int64 `[batch, seq]`. mask: bool `[batch, seq]`; a token without annotation is in no
        entity. Tags that continue nothing open an entity, as conlleval reads them.
        """
        label = self.label[tags].masked_fill(~mask, -1)
        inside = label >= 0
        starts = inside.clone()
        starts[:, 1:] &= (
            self.opens[tags][:, 1:] | self.closes[tags][:, :-1] | (label[:, 1:] != label[:, :-1])
        )
        ends = inside.clone()
        ends[:, :-1] &= ~inside[:, 1:] | starts[:, 1:]
        doc, start = starts.nonzero(as_tuple=True)
        end = ends.nonzero(as_tuple=True)[1] + 1
        return torch.stack([doc, start, end, label[doc, start]], dim=1)


def tag_classes(classes: Sequence[str]) -> Optional[TagClasses]:
    """The classes as tags, None where they are not tags."""
    tags = classes[1:]
    if not tags or classes[0] != "O" or any(not is_tag(name) for name in tags):
        return None
    return TagClasses(classes)


def is_tag(name: str) -> bool:
    """Whether a class is called like an entity's tag, such as B-PER."""
    return len(name) > 2 and name[0] in PREFIXES and name[1] == "-"


def expand(spans: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Every token of every span.

    spans: int64 `[n, 4]`: document, start, end, label, not empty.
    Returns: int64 `[tokens]` twice: the row of the span, and the token's position.
    """
    _, start, end, _ = spans.unbind(1)
    length = end - start
    span = torch.arange(len(spans), device=spans.device).repeat_interleave(length)
    first = (length.cumsum(0) - length)[span]
    return span, torch.arange(len(span), device=spans.device) - first + start[span]
