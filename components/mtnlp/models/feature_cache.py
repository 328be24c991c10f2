"""A frozen encoder's features, computed once and reused over the epochs of a training."""

import hashlib
import threading
from dataclasses import replace
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from spacy.tokens import Doc

from .doc_data import DocLayout
from .wordpieces import WindowBatch

# What a wordpiece's text takes beside its row of numbers, about.
STRING_BYTES = 64
# One for all caches: a lock cannot be copied with the model that has the cache.
CACHE_LOCK = threading.Lock()


class DocFeatures(NamedTuple):
    """What the encoder says about a Doc.

    layout: of its wordpieces. states: `[wordpieces, width]` of the last layer, then of those that
    are handed out besides.
    """

    layout: DocLayout
    states: Sequence[torch.Tensor]

    @property
    def n_bytes(self) -> int:
        """The memory this takes."""
        layout = self.layout
        arrays = sum(array.nbytes for array in (layout.ids, layout.wordpieces, layout.lengths))
        numbers = sum(states.nbytes for states in self.states)
        return arrays + numbers + STRING_BYTES * len(layout.strings)


class FeatureCache:
    """Features by text, in memory.

    What came first stays until the encoder changes. Epochs visit each text once, in another order
    each time: whatever is thrown out for a newer text is likely to be asked for before that one.
    Where half of a corpus fits, the least recently used rule finds 15% of it, this one 50%.

    capacity: bytes it may hold, on the device of the encoder.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.n_bytes = 0
        self._features: Dict[bytes, DocFeatures] = {}
        self._source: Any = None

    def __len__(self) -> int:
        return len(self._features)

    def bind(self, source: Any) -> None:
        """Forget everything if the features do not come from here.

        source: what they depend on beside the text, comparable.
        """
        with CACHE_LOCK:
            if source != self._source:
                self._features.clear()
                self.n_bytes = 0
                self._source = source

    def get(self, key: bytes) -> Optional[DocFeatures]:
        """The features of a text; None where they have to be computed."""
        return self._features.get(key)

    def put(self, key: bytes, features: DocFeatures) -> None:
        """Keep a copy of the features of a new text, if there is room."""
        with CACHE_LOCK:
            is_full = self.n_bytes + features.n_bytes > self.capacity
            if is_full or key in self._features:  # another thread may have put it there
                return
            # A view would keep the whole batch alive.
            states = [states.clone() for states in features.states]
            self._features[key] = DocFeatures(features.layout, states)
            self.n_bytes += features.n_bytes


def encode_through(
    cache: FeatureCache,
    docs: Sequence[Doc],
    encode: Callable[[List[Doc]], Tuple[WindowBatch, List[torch.Tensor]]],
) -> Tuple[List[DocLayout], List[torch.Tensor]]:
    """Layouts and hidden states of a batch; only texts that the cache has not are encoded, each
    once.

    docs: at least one with tokens. encode: windows and hidden states `[wordpieces, width]` of Docs,
    by the encoder. Returns: the layouts of the Docs with tokens, and the hidden states in their
    order. They differ from those of the whole batch at once by rounding alone: texts are padded
    with others.
    """
    keys = {i: text_key(doc) for i, doc in enumerate(docs) if len(doc)}
    found: Dict[bytes, DocFeatures] = {}
    missing: Dict[bytes, Doc] = {}
    for i, key in keys.items():
        features = cache.get(key)
        if features is None:
            missing[key] = docs[i]
        else:
            found[key] = features
    if missing:
        windows, hidden = encode(list(missing.values()))
        sizes = [len(layout.ids) for layout in windows.layouts]
        parts = zip(*(states.split(sizes) for states in hidden), strict=True)
        for key, layout, states in zip(missing, windows.layouts, parts, strict=True):
            found[key] = DocFeatures(layout, states)
            cache.put(key, found[key])
    layouts = [replace(found[key].layout, index=i) for i, key in keys.items()]
    by_layer = zip(*(found[key].states for key in keys.values()), strict=True)
    return layouts, [torch.cat(states) for states in by_layer]


def text_key(doc: Doc) -> bytes:
    """The identity of a Doc's tokens and of the spaces between them."""
    return hashlib.blake2b(doc.to_array(["ORTH", "SPACY"]).tobytes(), digest_size=16).digest()


def weights_version(module: torch.nn.Module) -> Tuple[Tuple[int, int], ...]:
    """Differs when the weights have been replaced or changed in place, without reading them."""
    return tuple((weights.data_ptr(), weights._version) for weights in module.parameters())
