"""Tag schemes: tags to spans, how a span is spelled, and which tag may follow which.

Tag indices are arithmetic, so that decoding needs no look-up in strings: `O` is 0 and the tag of
label `l` with the `p`-th prefix of the scheme is `1 + l * len(prefixes) + p`.
"""

from typing import ClassVar, Dict, List, Tuple

import torch

from ..errors import Errors, MtnlpError
from .array_scheme import Scheme


class TagScheme:
    """What the schemes have in common. A scheme sets the class attributes below.

    name: the name in configs.
    prefixes: the prefixes in index order.
    continuing: prefixes that go on with an entity opened before.
    unfinished: prefixes after which an entity may go on.
    complete: prefixes after which an entity may be over.
    coarser: prefixes of a scheme that says more, and what they are in this one: each spelling of
        entities there is one here.
    """

    name: str
    prefixes: str
    continuing: str
    unfinished: str
    complete: str
    coarser: ClassVar[Dict[str, str]] = {}

    def tags(self, labels: List[str]) -> List[str]:
        """The tags over `labels` in index order: `O`, then each label's with all prefixes."""
        return ["O", *(f"{prefix}-{label}" for label in labels for prefix in self.prefixes)]

    def spans(self, tags: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The entities in a batch of tag sequences.

        tags: int64 `[batch, seq]`, tag indices. mask: bool `[batch, seq]`, True for real tokens.
        Returns int64 `[n, 4]`: document, start, end (half-open), label index; ordered by
        document and start. A sequence that breaks the scheme is read as conlleval does: a
        continuing tag that continues nothing opens an entity.
        """
        inside = (tags > 0) & mask
        label, prefix = self._split(tags)
        opening = ~self._prefix_in(prefix, self.continuing)
        unfinished = self._prefix_in(prefix, self.unfinished)
        starts = inside.clone()
        starts[:, 1:] &= (
            opening[:, 1:] | ~inside[:, :-1] | ~unfinished[:, :-1] | (label[:, 1:] != label[:, :-1])
        )
        ends = inside.clone()
        ends[:, :-1] &= ~inside[:, 1:] | starts[:, 1:]
        # Every start has its end before the next start, so row-major order pairs them.
        doc, start = starts.nonzero(as_tuple=True)
        end = ends.nonzero(as_tuple=True)[1] + 1
        return torch.stack([doc, start, end, label[doc, start]], dim=1)

    def allowed_transitions(self, labels: List[str]) -> torch.Tensor:
        """Bool `[tags, tags]`: whether the second tag may follow the first."""
        tag = torch.arange(1 + len(labels) * len(self.prefixes))
        label, prefix = self._split(tag)
        outside = tag == 0
        continuing = ~outside & self._prefix_in(prefix, self.continuing)
        unfinished = ~outside & self._prefix_in(prefix, self.unfinished)
        goes_on = unfinished[:, None] & continuing & (label[:, None] == label)
        return goes_on | (self.allowed_end(labels)[:, None] & ~continuing)

    def allowed_start(self, labels: List[str]) -> torch.Tensor:
        """Bool `[tags]`: whether a sequence may begin with the tag."""
        tag = torch.arange(1 + len(labels) * len(self.prefixes))
        return (tag == 0) | ~self._prefix_in(self._split(tag)[1], self.continuing)

    def allowed_end(self, labels: List[str]) -> torch.Tensor:
        """Bool `[tags]`: whether a sequence may end with the tag."""
        tag = torch.arange(1 + len(labels) * len(self.prefixes))
        return (tag == 0) | self._prefix_in(self._split(tag)[1], self.complete)

    def refine(self, tags: torch.Tensor, missing: torch.Tensor, labels: List[str]) -> torch.Tensor:
        """Gold tags as constraints: the tags each token may have.

        tags: int64 `[batch, seq]`, gold tag indices (anything where missing).
        missing: bool `[batch, seq]`, True where the token's tag is not annotated.
        Returns bool `[batch, seq, tags]`: the gold tag alone, or every tag where missing. A
        missing token right behind an annotated entity cannot belong to it, since the entity's
        end is known: the tags that would extend it are left out.
        """
        n_tags = 1 + len(labels) * len(self.prefixes)
        tags = tags.masked_fill(missing, 0)
        allowed = torch.nn.functional.one_hot(tags, n_tags).bool() | missing[..., None]
        extended = self.extending(tags[:, :-1], n_tags)
        allowed[:, 1:] &= ~(extended & missing[:, 1:, None] & ~missing[:, :-1, None])
        return allowed

    def extending(self, last: torch.Tensor, n_tags: int) -> torch.Tensor:
        """The tags that would lengthen an entity.

        last: int64 `[...]`, the tag of the entity's last token.
        Returns bool `[..., tags]`; all False where `last` closes the entity or is `O`.
        """
        tag = torch.arange(n_tags, device=last.device)
        label, prefix = self._split(tag)
        last_label, last_prefix = self._split(last)
        continuing = (tag > 0) & self._prefix_in(prefix, self.continuing)
        open_end = (last > 0) & self._prefix_in(last_prefix, self.unfinished)
        return open_end[..., None] & continuing & (last_label[..., None] == label)

    def excludes_label(self, allowed: torch.Tensor) -> torch.Tensor:
        """Whether a token is known to be in no entity of some label, bool `[...]`: all tags of it
        are left out. allowed: bool `[..., tags]`, the tags each token may have."""
        by_label = allowed[..., 1:].unflatten(-1, (-1, len(self.prefixes))).any(-1)
        return ~by_label.all(-1)

    def path(self, spans: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The tags that spell each span.

        spans: int64 `[n, 4]`, as from `spans`.
        Returns int64 `[n]` three times: the tag of the first token, of those between, and of
        the last (the same as the first where the span is one token long).
        """
        base = 1 + spans[:, 3] * len(self.prefixes)
        single = self.prefixes.index(self._spell(1))
        first, inside, last = (self.prefixes.index(prefix) for prefix in self._spell(3))
        is_single = spans[:, 2] - spans[:, 1] == 1
        return (
            torch.where(is_single, base + single, base + first),
            base + inside,
            torch.where(is_single, base + single, base + last),
        )

    def arrays(self) -> Scheme:
        """The same scheme in numpy."""
        return Scheme(
            prefixes=len(self.prefixes),
            continuing=[prefix in self.continuing for prefix in self.prefixes],
            unfinished=[prefix in self.unfinished for prefix in self.prefixes],
            single=self.prefixes.index(self._spell(1)),
            first=self.prefixes.index(self._spell(3)[0]),
            inside=self.prefixes.index(self._spell(3)[1]),
            last=self.prefixes.index(self._spell(3)[2]),
        )

    def _spell(self, length: int) -> str:
        """The prefixes of an entity of `length` tokens."""
        raise NotImplementedError

    def _split(self, tags: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Tag indices to label index and prefix index; both meaningless for `O`."""
        inside = (tags - 1).clamp(min=0)
        size = len(self.prefixes)
        return torch.div(inside, size, rounding_mode="floor"), inside % size

    def _prefix_in(self, prefix: torch.Tensor, group: str) -> torch.Tensor:
        member = torch.tensor([p in group for p in self.prefixes], device=prefix.device)
        return member[prefix]


class BIO(TagScheme):
    """`B` begins every entity, `I` goes on (IOB2)."""

    name = "bio"
    prefixes = "BI"
    continuing = "I"
    unfinished = "BI"
    complete = "BI"
    coarser: ClassVar[Dict[str, str]] = {"U": "B", "L": "I"}

    def _spell(self, length: int) -> str:
        return "B" + "I" * (length - 1)


class BILUO(TagScheme):
    """`B`egin, `I`nside, `L`ast; `U`nit for an entity of one token."""

    name = "biluo"
    prefixes = "BILU"
    continuing = "IL"
    unfinished = "BI"
    complete = "LU"

    def _spell(self, length: int) -> str:
        return "U" if length == 1 else "B" + "I" * (length - 2) + "L"


SCHEMES: Dict[str, TagScheme] = {scheme.name: scheme for scheme in (BIO(), BILUO())}


def get_scheme(name: str) -> TagScheme:
    """The scheme of that name. Raises: MtnlpError (E210) where there is none."""
    if name not in SCHEMES:
        raise MtnlpError(Errors.E210.format(name=name, names=", ".join(SCHEMES)))
    return SCHEMES[name]
