"""Which pieces of a vocabulary texts and alphabets need, and whether fewer say the same."""

import string
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any, Iterable, Iterator, List, Sequence, Set

import numpy as np
import tokenizers

from ..errors import Errors, MtnlpError
from .tokenizer_json import Pieces

# Texts that are cut into pieces together.
BATCH = 32
# First words of Unicode names that say nothing of the alphabet.
NO_ALPHABET = {"", "combining", "modifier"}


@dataclass
class Agreement:
    """How far two tokenizers agree on texts.

    texts, same: all, and those that both cut alike. pieces, new_pieces: that the texts are for the
    first and for the second. lost: of the first's, those that the second does not have. unknown,
    new_unknown: those that stand for what is not in the vocabulary.
    """

    texts: int = 0
    same: int = 0
    pieces: int = 0
    new_pieces: int = 0
    lost: int = 0
    unknown: int = 0
    new_unknown: int = 0


def alphabets_of(text: str) -> Set[str]:
    """The alphabets of a text's letters: "latin", "cyrillic", "cjk" and so on, the first words of
    their Unicode names."""
    letters = (letter for letter in text if unicodedata.category(letter)[0] in "LM")
    names = {unicodedata.name(letter, "").partition(" ")[0].lower() for letter in letters}
    return names - NO_ALPHABET


def pieces_of_alphabets(pieces: Pieces, alphabets: Sequence[str]) -> Set[str]:
    """The pieces all of whose letters belong to the alphabets, with those that have no letters:
    digits, punctuation, signs.

    Raises: MtnlpError E465 for an alphabet of which the vocabulary has no piece.
    """
    written = {piece: pieces.text_of(piece) for piece in pieces.ids}
    found = {piece: alphabets_of(text) for piece, text in written.items()}
    counts = Counter(name for names in found.values() for name in names)
    for alphabet in alphabets:
        if alphabet not in counts:
            known = ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(10))
            raise MtnlpError(Errors.E465.format(alphabet=alphabet, known=known))
    allowed = set(alphabets)
    # Bytes that are no whole character may belong to any; merges keep those that are needed.
    broken = {piece for piece, text in written.items() if pieces.byte_level and not text}
    return {piece for piece, names in found.items() if names <= allowed} - broken


def pieces_of_texts(
    pieces: Pieces, tokenizer: tokenizers.Tokenizer, texts: Iterable[str]
) -> Set[str]:
    """The pieces that texts are cut into, and those of their single characters."""
    kept: Set[str] = set()
    characters: Set[str] = set()
    for batch in batched(texts):
        for text, encoding in zip(batch, encode(tokenizer, batch), strict=True):
            kept.update(encoding.tokens)
            characters.update(normalize(tokenizer, text))
            if pieces.kind == "WordPiece" and pieces.unknown in encoding.tokens:
                for piece, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
                    if piece == pieces.unknown:
                        kept.update(pieces.greedy_pieces(normalize(tokenizer, text[start:end])))
    kept.update(form for character in characters for form in pieces.forms_of(character))
    return kept & set(pieces.ids)


def basic_characters(pieces: Pieces) -> Set[str]:
    """ASCII's single letters, digits and punctuation: no text is without them for long."""
    characters = string.ascii_letters + string.digits + string.punctuation
    return {form for character in characters for form in pieces.forms_of(character)}


def compare_tokenizers(
    old: tokenizers.Tokenizer,
    new: tokenizers.Tokenizer,
    old_ids: Sequence[int],
    pieces: Pieces,
    texts: Iterable[str],
) -> Agreement:
    """Both tokenizers over the same texts. old_ids: for each id of the new one that of the old."""
    agreement = Agreement()
    translated, has = np.array(old_ids), np.zeros(max(pieces.ids.values()) + 1, dtype=bool)
    has[translated] = True
    unknown = -1 if pieces.unknown is None else pieces.ids[pieces.unknown]
    for batch in batched(texts):
        for one, other in zip(encode(old, batch), encode(new, batch), strict=True):
            ids = np.array(one.ids, dtype=int)
            new_ids = translated[np.array(other.ids, dtype=int)]
            agreement.texts += 1
            agreement.same += np.array_equal(ids, new_ids)
            agreement.pieces += len(ids)
            agreement.new_pieces += len(new_ids)
            agreement.lost += int((~has[ids]).sum())
            agreement.unknown += int((ids == unknown).sum())
            agreement.new_unknown += int((new_ids == unknown).sum())
    return agreement


def encode(tokenizer: tokenizers.Tokenizer, texts: List[str]) -> List[Any]:
    """The encodings of texts, without special tokens around them."""
    return tokenizer.encode_batch(texts, add_special_tokens=False)


def normalize(tokenizer: tokenizers.Tokenizer, text: str) -> str:
    """A text as the tokenizer's model sees it."""
    return tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text


def batched(texts: Iterable[str]) -> Iterator[List[str]]:
    """Texts in lists of `BATCH`, the last one shorter."""
    iterator = iter(texts)
    while batch := list(islice(iterator, BATCH)):
        yield batch
