"""A group of entities that stays in step with the tokens of its Doc."""

from typing import Any, Iterator, List, Optional, Tuple

import numpy as np
import srsly
from spacy.tokens import Doc, Span, SpanGroup

# What an entity is told by. Characters stay what they are when tokens are merged or split.
EntityKey = Tuple[int, int, int]

# In the attrs of a group, one value per span: its probability, and whether the pipe that wrote the
# group found it there.
SCORES, GIVEN = "scores", "given"
PER_SPAN = (SCORES, GIVEN)

# A span of a group as `SpanGroup.to_bytes` packs it.
PACKED = np.dtype(
    [
        ("id", ">u8"),
        ("kb_id", ">u8"),
        ("label", ">u8"),
        ("start", ">i4"),
        ("end", ">i4"),
        ("start_char", ">i4"),
        ("end_char", ">i4"),
    ]
)


class ScoredSpans(SpanGroup):
    """A SpanGroup that follows the retokenizer, and counts the changes that its length does not
    show.

    spaCy leaves the spans of groups at the token indices they had when tokens were merged or split
    (`merge_entities`, `Doc.retokenize`): they then stand for other words or lie behind the end of
    the Doc, where reading them raises an IndexError. Here they move with their characters. A span
    that begins or ends within a merged token is no longer there, nor is its score.

    changes: how often a span was exchanged, deleted or moved. What spaCy makes of the group
    (`copy`, `to_bytes`, DocBin) is a plain SpanGroup, of what is there by then.
    """

    def __init__(self, doc: Doc, **kwargs: Any):
        super().__init__(doc, **kwargs)
        self.changes = 0
        self._length_of_doc = len(doc)

    def follow_tokens(self) -> None:
        """Move the spans to the tokens that now hold their characters."""
        doc = self.doc
        if len(doc) == self._length_of_doc:
            return
        self._length_of_doc = len(doc)
        rows = packed_rows(self)
        first, last = whole_tokens(doc, rows)
        rows["start"], rows["end"] = first, last
        self._keep(rows, first < last)

    def _keep(self, rows: np.ndarray, kept: np.ndarray) -> None:
        """Take over some of these spans, and what is known of each. rows: `[spans]` of `PACKED`,
        all that the group has. kept: bool `[spans]`."""
        attrs, packed = self.attrs, [row.tobytes() for row in rows[kept]]
        for name in PER_SPAN:
            values = attrs.get(name)
            # There are fewer where spans were appended: these have none.
            if values is not None and len(values) <= len(rows):
                attrs[name] = np.asarray(values)[kept[: len(values)]]
        self.from_bytes(srsly.msgpack_dumps({"name": self.name, "attrs": {}, "spans": packed}))
        self.attrs = attrs
        self.changes += 1

    def __len__(self) -> int:
        self.follow_tokens()
        return super().__len__()

    def __getitem__(self, i: int) -> Span:
        self.follow_tokens()
        return super().__getitem__(i)

    def __iter__(self) -> Iterator[Span]:
        self.follow_tokens()
        return super().__iter__()

    def __setitem__(self, i: int, span: Span) -> None:
        self.follow_tokens()
        super().__setitem__(i, span)  # type: ignore[misc]  # not in spaCy's stub
        self.changes += 1

    def __delitem__(self, i: int) -> None:
        """Delete a span and its score. The SpanGroup of spaCy 3.8 deletes the one before it."""
        self.follow_tokens()
        rows = packed_rows(self)
        kept = np.ones(len(rows), dtype=bool)
        kept[i] = False
        self._keep(rows, kept)

    def copy(self, doc: Optional[Doc] = None) -> SpanGroup:
        self.follow_tokens()
        return super().copy(doc)

    def to_bytes(self) -> bytes:
        self.follow_tokens()
        return super().to_bytes()


def entity_key(span: Span) -> EntityKey:
    """What an entity is told by: its first character, the one behind its last, its label."""
    return span.start_char, span.end_char, span.label


def entity_keys(group: SpanGroup) -> List[EntityKey]:
    """The keys of all entities of a group, in order."""
    try:
        return [entity_key(span) for span in group]
    except IndexError:  # the retokenizer has left spans behind the end of the Doc
        rows = packed_rows(group)
        columns = (rows[name].tolist() for name in ("start_char", "end_char", "label"))
        return list(zip(*columns, strict=True))


def packed_rows(group: SpanGroup) -> np.ndarray:
    """`[spans]` of `PACKED`: what a group holds, whatever has become of its Doc."""
    packed = srsly.msgpack_loads(SpanGroup.to_bytes(group))["spans"]
    return np.frombuffer(b"".join(packed), dtype=PACKED).copy()


def whole_tokens(doc: Doc, rows: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The tokens that begin and end where spans do.

    rows: `[spans]` of `PACKED`. Returns: int `[spans]` twice, the first token and the one behind
    the last; both 0 where a span begins or ends within a token.
    """
    starts = doc.to_array("IDX").astype(int)
    ends = starts + doc.to_array("LENGTH").astype(int)
    first = np.searchsorted(starts, rows["start_char"])
    last = np.searchsorted(ends, rows["end_char"])
    # One more, for what lies behind the last token.
    begins = np.append(starts, -1)[first] == rows["start_char"]
    stops = np.append(ends, -1)[last] == rows["end_char"]
    whole = begins & stops
    return np.where(whole, first, 0), np.where(whole, last + 1, 0)
