"""Pooling in numpy: one vector per Doc, as `models.poolers` makes it."""

from typing import Any, Dict, List, Optional

import numpy as np

from ..models.doc_data import DocLayout
from ..types import Floats
from .encoding import EncodedDocs

WORDPIECES = "wordpieces"


class DocPooler:
    """Vectors of Docs.

    settings: `rows`, "wordpieces" or "tokens", what is pooled; `pooling`, "mean", "max",
    "mean_max", "cls" or "attention"; `layers`, the places of the layers pooled beside the last one
    among those that the encoder hands out. query: of attention, `[width]`.
    """

    def __init__(self, settings: Dict[str, Any], query: Optional[Floats]):
        self.settings = settings
        self.query = query

    def __call__(self, encoded: EncodedDocs) -> Floats:
        """`[docs, pooled width]`, zeros for those that hold nothing to read."""
        full = [layout for layout in encoded.layouts if layout.has_text]
        parts = self.parts(encoded, full)
        of_wordpieces = self.settings["rows"] == WORDPIECES
        windows = [
            layout.window_lengths if of_wordpieces else [len(part)]
            for layout, part in zip(full, parts, strict=True)
        ]
        pooled = np.zeros((len(encoded.docs), self.width(encoded)), dtype=np.float32)
        for layout, part, lengths in zip(full, parts, windows, strict=True):
            pooled[layout.index] = self.pool(part, np.asarray(lengths))
        return pooled

    def width(self, encoded: EncodedDocs) -> int:
        """Of what comes out."""
        width = encoded.width * (1 + len(self.settings["layers"]))
        return 2 * width if self.settings["pooling"] == "mean_max" else width

    def parts(self, encoded: EncodedDocs, layouts: List[DocLayout]) -> List[Floats]:
        """`[positions, width]` of each of the layouts: what is pooled."""
        if self.settings["rows"] != WORDPIECES:
            rows = encoded.by_doc(encoded.token_vectors)
            return [rows[layout.index] for layout in layouts]
        sizes = {layout.index: len(layout.ids) for layout in encoded.layouts}
        ends = dict(zip(sizes, np.cumsum(list(sizes.values())), strict=True))
        states = [encoded.states[0], *(encoded.states[i] for i in self.settings["layers"])]
        return [
            np.concatenate(
                [
                    layer[ends[layout.index] - sizes[layout.index] : ends[layout.index]]
                    for layer in states
                ],
                axis=1,
            )
            for layout in layouts
        ]

    def pool(self, part: Floats, windows: Any) -> Floats:
        """`[positions, width]` to `[pooled width]`. windows: `[windows]`, positions of each."""
        pooling = self.settings["pooling"]
        if pooling == "mean":
            found: Floats = part.mean(0)
        elif pooling == "max":
            found = part.max(0)
        elif pooling == "mean_max":
            found = np.concatenate([part.mean(0), part.max(0)])
        elif pooling == "cls":
            found = part[np.cumsum(windows) - windows].mean(0)
        else:
            scores = part @ (np.zeros(part.shape[1]) if self.query is None else self.query)
            weights = np.exp(scores - scores.max())
            found = (weights @ part) / weights.sum()
        return found

    def token_rows(self, encoded: EncodedDocs) -> List[Floats]:
        """`[tokens, pooled width]` per Doc, as `models.poolers.token_vectors`; the mean of a Doc's
        rows is its mean-pooled vector."""
        if self.settings["rows"] != WORDPIECES:
            rows = encoded.by_doc(encoded.token_vectors)
            texts = zip(rows, encoded.has_text, strict=True)
            rows = [part if has_text else np.zeros_like(part) for part, has_text in texts]
        else:
            width = encoded.width * (1 + len(self.settings["layers"]))
            rows = [np.zeros((len(doc), width), dtype=np.float32) for doc in encoded.docs]
            full = [layout for layout in encoded.layouts if layout.has_text]
            for layout, part in zip(full, self.parts(encoded, full), strict=True):
                rows[layout.index] = share_out(part, layout)
        if self.settings["pooling"] == "mean_max":
            return [np.concatenate([part, part], axis=1) for part in rows]
        return rows


def share_out(hidden: Floats, layout: DocLayout) -> Floats:
    """`[wordpieces, width]` to `[tokens, width]`, as `models.wordpiece_rows.wordpiece_rows`."""
    n_tokens, wordpieces = len(layout.lengths), layout.wordpieces
    tokens = np.repeat(np.arange(n_tokens), layout.lengths)
    owners = np.bincount(wordpieces, minlength=len(hidden))
    # Nobody's wordpieces go to the last token that begins before them.
    orphans = np.flatnonzero(owners == 0)
    firsts = wordpieces[np.searchsorted(tokens, np.arange(n_tokens))]
    starts = np.maximum.accumulate(firsts)
    adopters = np.maximum(np.searchsorted(starts, orphans, side="right") - 1, 0)
    shared = hidden / np.maximum(owners, 1)[:, None].astype(np.float32)
    rows = np.zeros((n_tokens, hidden.shape[1]), dtype=np.float32)
    np.add.at(
        rows, np.concatenate([tokens, adopters]), shared[np.concatenate([wordpieces, orphans])]
    )
    return rows * np.float32(n_tokens / len(hidden))
