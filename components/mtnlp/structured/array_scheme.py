"""A tag scheme in numpy: `schemes` with what decoding needs."""

from typing import List, NamedTuple, Tuple

import numpy as np

from ..types import Bools, Ints


class Scheme(NamedTuple):
    """Tag indices: `O` is 0, that of label `l` with the `p`-th prefix `1 + l * prefixes + p`.

    prefixes: how many there are. continuing, unfinished: bool by prefix, as in
    `schemes.TagScheme`. single: the prefix of an entity of one token. first, inside,
    last: those of longer ones.
    """

    prefixes: int
    continuing: List[bool]
    unfinished: List[bool]
    single: int
    first: int
    inside: int
    last: int

    def split(self, tags: Ints) -> Tuple[Ints, Ints]:
        """Tag indices to label index and prefix index; both meaningless for `O`."""
        label, prefix = np.divmod(np.maximum(tags - 1, 0), self.prefixes)
        return label, prefix

    def spans(self, tags: Ints, mask: Bools) -> Ints:
        """The entities in a batch of tag sequences.

        tags: `[batch, seq]`. mask: `[batch, seq]`, True for real tokens.
        Returns: `[n, 4]`, document, start, end (half-open), label index, in this order.
        """
        inside = (tags > 0) & mask
        label, prefix = self.split(tags)
        opening = ~np.asarray(self.continuing)[prefix]
        unfinished = np.asarray(self.unfinished)[prefix]
        starts = inside.copy()
        starts[:, 1:] &= (
            opening[:, 1:] | ~inside[:, :-1] | ~unfinished[:, :-1] | (label[:, 1:] != label[:, :-1])
        )
        ends = inside.copy()
        ends[:, :-1] &= ~inside[:, 1:] | starts[:, 1:]
        # Every start has its end before the next start, so row-major order pairs them.
        doc, start = starts.nonzero()
        end = ends.nonzero()[1] + 1
        return np.stack([doc, start, end, label[doc, start]], axis=1)

    def path(self, spans: Ints) -> Tuple[Ints, Ints, Ints]:
        """The tags that spell each of `spans`, `[n, 4]`: `[n]` of the first token, of those
        between, and of the last."""
        base = 1 + spans[:, 3] * self.prefixes
        is_single = spans[:, 2] - spans[:, 1] == 1
        return (
            np.where(is_single, base + self.single, base + self.first),
            base + self.inside,
            np.where(is_single, base + self.single, base + self.last),
        )

    def extending(self, last: Ints, n_tags: int) -> Bools:
        """The tags that would lengthen an entity whose last token has the tag `last`: `[...]` to
        `[..., tags]`."""
        tag = np.arange(n_tags)
        label, prefix = self.split(tag)
        last_label, last_prefix = self.split(last)
        continuing = (tag > 0) & np.asarray(self.continuing)[prefix]
        open_end = (last > 0) & np.asarray(self.unfinished)[last_prefix]
        found: Bools = open_end[..., None] & continuing & (last_label[..., None] == label)
        return found
