"""Spacing for tokens whose text is lost: where an English writer would put the spaces.

The conventions are the Penn Treebank's, read backwards: clitics and closing punctuation join
the word before, opening punctuation the word after, and quotation marks take turns.
"""

import re
from typing import List, Sequence, Tuple

_CLOSING = frozenset(
    [",", ".", ":", ";", "!", "?", "%", ")", "]", "}", "''", "”", "…", "...", "-RRB-", "-RSB-"]
)
_CLITICS = frozenset(["n't", "'s", "'m", "'re", "'ve", "'ll", "'d"])
_JOINS_RIGHT = frozenset(["(", "[", "{", "$", "£", "€", "``", "“", "#", "-LRB-", "-LSB-"])
_JOINS_BOTH = frozenset(["/"])
_QUOTES = frozenset(['"', "'"])
_DASHES = frozenset(["-", "–"])
_NUMBER = re.compile(r"\d[\d.,:]*")


def spaces(words: Sequence[str]) -> List[bool]:
    """Whether a space follows each word; the last has none.

    words: the tokens of a sentence or of several. Made for `Doc(vocab, words=words,
        spaces=spaces(words))`, whose text a tokenizer can then read as raw text.
    """
    after = [True] * len(words)
    open_quotes: List[str] = []
    for index in range(len(words)):
        left, right = _joins(words, index, open_quotes)
        if left and index:
            after[index - 1] = False
        if right:
            after[index] = False
    if after:
        after[-1] = False
    return after


def _joins(words: Sequence[str], index: int, open_quotes: List[str]) -> Tuple[bool, bool]:
    """Whether a word joins the one on its left and the one on its right. Opens and closes
    `open_quotes` on the way."""
    word = words[index]
    if word in _QUOTES:
        if word in open_quotes:
            open_quotes.remove(word)
            return True, False
        if word == "'" and index and words[index - 1].endswith("s"):
            return True, False  # the players ' union
        open_quotes.append(word)
        return False, True
    if word in _DASHES:
        between_numbers = 0 < index < len(words) - 1 and all(
            _NUMBER.fullmatch(words[neighbour]) for neighbour in (index - 1, index + 1)
        )
        return between_numbers, between_numbers
    if word in _JOINS_BOTH:
        return True, True
    joins_left = word in _CLOSING or word.lower().replace("’", "'") in _CLITICS
    return joins_left, word in _JOINS_RIGHT
