"""Docs through the encoder: wordpieces, windows, states, and the vectors of tokens."""

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Dict, List, Sequence

import numpy as np
from spacy.tokens import Doc
from tokenizers import Tokenizer

from ..models.doc_data import DocLayout
from ..models.window_groups import padded_groups
from ..models.windows import SpecialTokens
from ..models.wordpieces import WindowBatch, Windower
from ..types import Bools, Floats
from .networks import LoadedNetwork


class PlainTokenizer:
    """What `Windower` asks of a tokenizer. text: a tokenizer.json."""

    def __init__(self, text: str):
        self.inner = Tokenizer.from_str(text)
        self.inner.no_truncation()
        self.inner.no_padding()

    def __call__(self, texts: List[str], **_: Any) -> Any:
        """The encodings of texts, without special tokens."""
        return SimpleNamespace(encodings=self.inner.encode_batch(texts, add_special_tokens=False))

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> List[str]:
        return [self.inner.id_to_token(i) or "" for i in ids]


@dataclass
class EncodedDocs:
    """A batch that has been through the encoder.

    layouts: of the Docs with tokens, in order. states: `[wordpieces, width]` of the last layer,
    then of those handed out beside it; the Docs' one behind the other. width: of the encoder.
    """

    docs: Sequence[Doc]
    layouts: List[DocLayout]
    states: List[Floats]
    width: int

    @cached_property
    def token_vectors(self) -> Floats:
        """`[tokens, width]`, the Docs' one behind the other: the means of tokens' wordpieces."""
        if not self.layouts:
            return np.zeros((0, self.width), dtype=np.float32)
        sizes = np.array([len(layout.ids) for layout in self.layouts])
        begins = np.cumsum(sizes) - sizes
        pairs = [
            layout.wordpieces + begin for layout, begin in zip(self.layouts, begins, strict=True)
        ]
        lengths = np.concatenate([layout.lengths for layout in self.layouts])
        rows = self.states[0][np.concatenate(pairs)]
        sums = np.add.reduceat(rows, np.cumsum(lengths) - lengths, axis=0)
        return (sums / lengths[:, None]).astype(np.float32)

    @cached_property
    def token_lengths(self) -> Any:
        """`[docs]`: tokens of each."""
        return np.array([len(doc) for doc in self.docs], dtype=np.int64)

    @cached_property
    def has_text(self) -> Bools:
        """`[docs]`: False for those that hold nothing to read."""
        found = np.zeros(len(self.docs), dtype=bool)
        for layout in self.layouts:
            found[layout.index] = layout.has_text
        return found

    def by_doc(self, rows: Floats) -> List[Floats]:
        """`[tokens, ...]`, the Docs' one behind the other, as one array per Doc."""
        return np.split(rows, np.cumsum(self.token_lengths)[:-1])


class DocEncoder:
    """A tokenizer and the encoder's network.

    settings: `special`, the arguments of `SpecialTokens`; `capacity`, wordpieces of text in a
    window; `width`; `layers`, how many are handed out beside the last.
    """

    def __init__(self, settings: Dict[str, Any], tokenizer: str, network: LoadedNetwork):
        self.settings = settings
        self.network = network
        around = settings["special"]
        special = SpecialTokens(
            tuple(around["prefix"]), tuple(around["suffix"]), around["fallback"]
        )
        self.windower = Windower(PlainTokenizer(tokenizer), special, settings["capacity"])

    def __call__(self, docs: Sequence[Doc]) -> EncodedDocs:
        """Encode a batch."""
        width = self.settings["width"]
        if not any(len(doc) for doc in docs):
            empty = np.zeros((0, width), dtype=np.float32)
            return EncodedDocs(docs, [], [empty] * (1 + self.settings["layers"]), width)
        windows = self.windower(list(docs))
        return EncodedDocs(docs, windows.layouts, self.encode(windows), width)

    def encode(self, windows: WindowBatch) -> List[Floats]:
        """The states of windows, as in `EncodedDocs`."""
        flats = [
            np.empty((len(windows.ids), self.settings["width"]), dtype=np.float32)
            for _ in range(1 + self.settings["layers"])
        ]
        for ids, real, positions in padded_groups(windows):
            found = self.network.run(input_ids=ids, attention_mask=real.astype(np.int64))
            for flat, states in zip(flats, found, strict=True):
                flat[positions] = states[real]
        return flats
