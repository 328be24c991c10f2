"""Docs to wordpiece windows: one call of the tokenizer a batch, no text cut or dropped."""

from dataclasses import dataclass
from typing import Any, List, NamedTuple, Optional

import numpy as np
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc

from ..errors import Errors, MtnlpError
from ..types import Ints
from .doc_data import DocLayout
from .windows import Alignment, SpecialTokens, align, cut_points, pack, token_ranges


class WindowBatch(NamedTuple):
    """The windows of a batch.

    ids: the wordpiece ids of all windows, one behind the other. lengths: `[windows]`.
    layouts: where each non-empty Doc lies in `ids`.
    """

    ids: Ints
    lengths: Ints
    layouts: List[DocLayout]


@dataclass(frozen=True)
class Windower:
    """Turns Docs into windows for one tokenizer.

    tokenizer: a fast Hugging Face tokenizer. special: what it puts around a sequence.
    capacity: wordpieces of text a window holds.
    """

    tokenizer: Any
    special: SpecialTokens
    capacity: int

    def __call__(self, docs: List[Doc]) -> WindowBatch:
        """Tokenize, align and cut.

        docs: any Docs; those without tokens are left out of the result's layouts.
        """
        indices = [i for i, doc in enumerate(docs) if len(doc)]
        encodings = self.tokenizer(
            [docs[i].text for i in indices],
            add_special_tokens=False,
            truncation=False,
            padding=False,
            return_attention_mask=False,
            verbose=False,
        ).encodings
        layouts = []
        for i, encoding in zip(indices, encodings, strict=True):
            layouts.append(self._layout(i, docs[i], encoding))
        return WindowBatch(
            ids=np.concatenate([layout.ids for layout in layouts]),
            lengths=np.array([n for layout in layouts for n in layout.window_lengths]),
            layouts=layouts,
        )

    def _layout(self, index: int, doc: Doc, encoding: Any) -> DocLayout:
        ids = np.array(encoding.ids, dtype=np.int64)
        strings = list(encoding.tokens)
        if len(ids):
            offsets = np.array(encoding.offsets, dtype=np.int64)
            first, last = token_ranges(doc, offsets)
            alignment = align(first, last, len(doc))
            windows = pack(cut_points(first, last), self.capacity)
        else:
            # Text the tokenizer knows nothing of (white space, control characters): one
            # wordpiece stands for all tokens.
            ids = np.array([self.special.fallback])
            strings = self.tokenizer.convert_ids_to_tokens(ids.tolist())
            alignment = Alignment(np.zeros(len(doc), dtype=int), np.ones(len(doc), dtype=int))
            windows = [(0, 1)]
        layout = self._insert_special(index, ids, strings, alignment, windows)
        # Byte-level tokenizers make wordpieces of white space, too.
        layout.has_text = bool(len(encoding.ids)) and not doc.to_array(IS_SPACE).all()
        return layout

    def _insert_special(
        self, index: int, ids: Ints, strings: List[str], alignment: Alignment, windows: List[Any]
    ) -> DocLayout:
        """Put the special tokens around every window and shift the alignment accordingly."""
        prefix, suffix = list(self.special.prefix), list(self.special.suffix)
        prefix_strings = self.tokenizer.convert_ids_to_tokens(prefix)
        suffix_strings = self.tokenizer.convert_ids_to_tokens(suffix)
        starts = np.array([start for start, _ in windows])
        window_of = np.searchsorted(starts, np.arange(len(ids)), side="right")
        shift = window_of * len(prefix) + (window_of - 1) * len(suffix)
        return DocLayout(
            index=index,
            ids=np.concatenate([[*prefix, *ids[a:b], *suffix] for a, b in windows]),
            strings=[
                s for a, b in windows for s in (*prefix_strings, *strings[a:b], *suffix_strings)
            ],
            window_lengths=[b - a + len(self.special) for a, b in windows],
            wordpieces=alignment.wordpieces + shift[alignment.wordpieces],
            lengths=alignment.lengths,
        )


def find_special_tokens(tokenizer: Any) -> SpecialTokens:
    """Ask the tokenizer what it puts around a text.

    tokenizer: a fast tokenizer. Asked by encoding a text with and without special tokens, because
    `build_inputs_with_special_tokens` of many fast tokenizers does not know their template.
    """
    inner = tokenizer("a", add_special_tokens=False, truncation=False, padding=False)["input_ids"]
    outer = tokenizer("a", add_special_tokens=True, truncation=False, padding=False)["input_ids"]
    if not inner:
        raise MtnlpError(Errors.E202.format(name=tokenizer.name_or_path))
    begin = next((i for i in range(len(outer)) if outer[i : i + len(inner)] == inner), 0)
    fallback = next(
        (
            token
            for token in (tokenizer.unk_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id)
            if token is not None
        ),
        inner[0],
    )
    return SpecialTokens(
        prefix=tuple(outer[:begin]), suffix=tuple(outer[begin + len(inner) :]), fallback=fallback
    )


def find_limit(tokenizer: Any, transformer: Any) -> int:
    """The wordpieces, special tokens included, that the encoder has positions for.

    RoBERTa and its kin begin counting behind the padding index, so 514 positions are 512
    wordpieces. A limit that neither tokenizer nor config states is 512.
    """
    limits = []
    if tokenizer.model_max_length and tokenizer.model_max_length < 10**6:
        limits.append(int(tokenizer.model_max_length))
    positions = getattr(transformer.config, "max_position_embeddings", None)
    if positions and positions > 0:
        padding_index = find_padding_index(transformer)
        limits.append(positions - (0 if padding_index is None else padding_index + 1))
    return min(limits, default=512)


def find_padding_index(transformer: Any) -> Optional[int]:
    """The position from behind which RoBERTa and its kin begin counting; None for others."""
    embeddings = getattr(transformer, "embeddings", None)
    table = getattr(embeddings, "position_embeddings", None)
    return getattr(table, "padding_idx", None)


def make_windower(tokenizer: Any, transformer: Any, window: int) -> Windower:
    """window: wordpieces a window holds at most, special tokens included; 0 for what the encoder
    allows. Raises: MtnlpError E201 for a tokenizer without offsets and E203 for a window that
    holds nothing beside the special tokens."""
    if not tokenizer.is_fast:
        raise MtnlpError(Errors.E201.format(name=tokenizer.name_or_path))
    special = find_special_tokens(tokenizer)
    limit = find_limit(tokenizer, transformer)
    capacity = (min(window, limit) if window > 0 else limit) - len(special)
    if capacity < 1:
        raise MtnlpError(Errors.E203.format(window=window, special=len(special)))
    return Windower(tokenizer, special, capacity)
