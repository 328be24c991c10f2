"""Docs to wordpiece windows: one call of the tokenizer a batch, no text cut or dropped."""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple, Union, cast

import numpy as np
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc, Span

from ..annotation.pairs import SIDE_SEPARATOR, side_stops
from ..errors import Errors, MtnlpError
from ..types import Ints
from .doc_data import DocLayout, join_layouts
from .windows import SpecialTokens, align, cut_points, pack, token_ranges


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
        """Tokenize, align and cut. The sides of a Doc with separators (see `annotation.pairs`) are
        read as Docs of their own: no window has wordpieces of two of them.

        docs: any Docs; those without tokens are left out of the result's layouts.
        """
        indices, full = cut_at_separators(docs)
        encodings = self.tokenizer(
            [read_text(part) for part in full],
            add_special_tokens=False,
            truncation=False,
            padding=False,
            return_attention_mask=False,
            verbose=False,
        ).encodings
        ids, offsets, strings = self._read(encodings)
        pieces = np.array([len(part) for part in strings])
        tokens = np.array([len(doc) for doc in full])
        first, last = token_ranges(full, offsets, pieces)
        alignment = align(first, last, tokens, pieces)
        windows = self._cut(first, last, pieces)
        batch_ids, places = self._insert_special(ids, np.concatenate(windows))
        # A Doc's pairs lie behind those of the Docs before it, and so do its wordpieces.
        sizes = pieces + len(self.special) * np.array([len(part) for part in windows])
        begins = np.cumsum(sizes) - sizes
        pair_ends = np.cumsum(alignment.lengths)[np.cumsum(tokens) - 1]
        pairs = places[alignment.wordpieces] - np.repeat(begins, np.diff(pair_ends, prepend=0))
        parts = zip(
            np.split(batch_ids, begins[1:]),
            np.split(pairs, pair_ends[:-1]),
            np.split(alignment.lengths, np.cumsum(tokens)[:-1]),
            strict=True,
        )
        layouts = [
            DocLayout(
                index=indices[i],
                ids=own_ids,
                strings=self._around(strings[i], windows[i]),
                window_lengths=(windows[i] + len(self.special)).tolist(),
                wordpieces=own_pairs,
                lengths=own_lengths,
                # Byte-level tokenizers make wordpieces of white space, too.
                has_text=bool(len(encodings[i])) and not is_blank(full[i]),
            )
            for i, (own_ids, own_pairs, own_lengths) in enumerate(parts)
        ]
        lengths = np.concatenate(windows) + len(self.special)
        by_doc = groupby(layouts, key=lambda layout: layout.index)
        joined = [join_layouts(list(parts)) for _, parts in by_doc]
        return WindowBatch(batch_ids, lengths, joined)

    def _read(self, encodings: Sequence[Any]) -> Tuple[Ints, Ints, List[List[str]]]:
        """Wordpiece ids, `[wordpieces]`, their characters, `[wordpieces, 2]`, and their strings by
        Doc. Text the tokenizer knows nothing of (white space, control characters) is one wordpiece
        that stands for all tokens."""
        fallback = [self.special.fallback]
        ids = [encoding.ids or fallback for encoding in encodings]
        strings = [
            encoding.tokens or self.tokenizer.convert_ids_to_tokens(fallback)
            for encoding in encodings
        ]
        offsets = [encoding.offsets or [(0, 0)] for encoding in encodings]
        characters = chain.from_iterable(chain.from_iterable(offsets))
        return (
            np.fromiter(chain.from_iterable(ids), dtype=np.int64),
            np.fromiter(characters, dtype=np.int64).reshape(-1, 2),
            strings,
        )

    def _cut(self, first: Ints, last: Ints, pieces: Ints) -> List[Ints]:
        """`[windows]` wordpieces of each window, by Doc; special tokens not counted. Arguments as
        for `align`."""
        windows = [np.array([count]) for count in pieces.tolist()]
        ends = np.cumsum(pieces)
        for i in np.flatnonzero(pieces > self.capacity).tolist():
            own = slice(ends[i] - pieces[i], ends[i])
            cuts = pack(cut_points(first[own], last[own]), self.capacity)
            windows[i] = np.array([stop - start for start, stop in cuts])
        return windows

    def _insert_special(self, ids: Ints, windows: Ints) -> Tuple[Ints, Ints]:
        """Put the special tokens around every window.

        ids: `[wordpieces]`. windows: `[windows]` wordpieces of each. Returns: the ids of all, and
        `[wordpieces]` where those of the text are among them.
        """
        prefix, suffix = self.special.prefix, self.special.suffix
        count = len(windows)
        shift = np.arange(count) * len(self.special) + len(prefix)
        places = np.arange(len(ids)) + np.repeat(shift, windows)
        all_ids = np.empty(len(ids) + count * len(self.special), dtype=np.int64)
        all_ids[places] = ids
        ends = np.cumsum(windows + len(self.special))
        begins = ends - windows - len(self.special)
        all_ids[begins[:, None] + np.arange(len(prefix))] = prefix
        all_ids[ends[:, None] + np.arange(-len(suffix), 0)] = suffix
        return all_ids, places

    def _around(self, strings: List[str], windows: Ints) -> List[str]:
        """The strings of a Doc's wordpieces with those of the special tokens around each window."""
        prefix, suffix = self._special_strings
        parts = []
        for end, count in zip(np.cumsum(windows).tolist(), windows.tolist(), strict=True):
            parts += [*prefix, *strings[end - count : end], *suffix]
        return parts

    @cached_property
    def _special_strings(self) -> Tuple[List[str], List[str]]:
        """Of what stands in front of a window and behind it."""
        around = self.special.prefix, self.special.suffix
        prefix, suffix = (self.tokenizer.convert_ids_to_tokens(list(ids)) for ids in around)
        return prefix, suffix


def cut_at_separators(docs: Sequence[Doc]) -> Tuple[List[int], List[Union[Doc, Span]]]:
    """The Docs that have tokens; of one with separators, its sides, each with the separator behind
    it. Returns: the place of the Doc of each, and these."""
    indices: List[int] = []
    parts: List[Union[Doc, Span]] = []
    for i, doc in enumerate(docs):
        stops = side_stops(doc) if len(doc) else []
        indices += [i] * len(stops)
        starts = [0, *stops[:-1]]
        is_whole = len(stops) == 1 and doc[-1].text != SIDE_SEPARATOR
        parts += [doc] if is_whole else [doc[a:b] for a, b in zip(starts, stops, strict=False)]
    return indices, parts


def read_text(part: Union[Doc, Span]) -> str:
    """What the tokenizer reads: the text without the separator behind it. Byte-level tokenizers
    would make a wordpiece of that."""
    return part.text if isinstance(part, Doc) else part.text.removesuffix(SIDE_SEPARATOR)


def is_blank(part: Union[Doc, Span]) -> bool:
    """Whether there is nothing but white space."""
    return bool(cast(Any, part).to_array([IS_SPACE]).all())


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
    positions = find_positions(transformer)
    if positions:
        limits.append(positions)
    return min(limits, default=512)


def find_positions(transformer: Any) -> int:
    """The wordpieces that an encoder has positions for; 0 where its config does not say."""
    positions = getattr(transformer.config, "max_position_embeddings", None)
    if not positions or positions < 0:
        return 0
    padding_index = find_padding_index(transformer)
    return int(positions) - (0 if padding_index is None else padding_index + 1)


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
