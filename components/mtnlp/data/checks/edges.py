"""Entities whose first or last character is probably none of theirs."""

import unicodedata
from functools import cache
from typing import Dict, FrozenSet, List

from spacy.util import get_lang_class

from .unit import Finding, Mention, Places, Unit, quote

# No name begins or ends with these, but for the exceptions below.
_STARTS = frozenset(".,;:!?…%|/\\*-–—")
_ENDS = frozenset(",;:|/\\*-–—")
# Brackets, of which an entity has as many of one kind as of the other, and double quotes, of which
# it has an even number: where languages use one sign for both, nobody can tell which it is. An
# apostrophe may be a part of a word.
_BRACKETS = {char: pair for pair in ("()", "[]", "{}", "«»") for char in pair}
_QUOTES = ("“”„", '"')


class EdgeCheck:
    """Entities that begin or end in white space, or in punctuation that is not theirs.

    language: whose abbreviations end in a full stop, beside those of English.
    """

    def __init__(self, language: str) -> None:
        self._abbreviations = abbreviations("en") | abbreviations(language)
        self._blank = Places()
        self._starts = Places()
        self._ends = Places()

    def look(self, unit: Unit, split: str) -> None:
        """Take up a unit."""
        for layer in unit.layers.values():
            for mention in layer:
                place = f"{unit.place} {quote(mention.surface)}"
                if mention.is_blank:
                    self._blank.add(place)
                if bad_start(mention.surface):
                    self._starts.add(place)
                if self._is_bad_end(mention):
                    self._ends.add(place)

    def findings(self) -> List[Finding]:
        """A finding for white space, one for the first and one for the last character."""
        messages: Dict[str, Places] = {
            "Entities that begin or end in white space, which is left out": self._blank,
            "Entities that begin with punctuation": self._starts,
            "Entities that end with punctuation": self._ends,
        }
        kinds = ("white_space", "punctuation", "punctuation")
        return [
            Finding(kind, message, places.count, places.first)
            for kind, (message, places) in zip(kinds, messages.items(), strict=True)
            if places.count
        ]

    def _is_bad_end(self, mention: Mention) -> bool:
        surface = mention.surface
        if not surface or surface[-1].isalnum():
            return False
        last = surface[-1]
        if last == ".":
            return not (surface.endswith("..") or self._is_abbreviated(mention))
        return is_odd(surface, last, _ENDS)

    def _is_abbreviated(self, mention: Mention) -> bool:
        """Whether the full stop at the end belongs to the last word, as in "Inc." and "U.S."."""
        word = mention.surface.split()[-1]
        letters = [char for char in word[:-1].casefold() if char.isalpha()]
        if len(letters) < 2 or "." in word[:-1] or not set(letters) & _VOWELS:
            return True
        if word.casefold() in self._abbreviations:
            return True
        following = mention.following.lstrip()[:1]
        return following.islower() or following in (",", ";", ":", ")", "?", "!")


# Of the alphabets whose abbreviations drop them: a "word" without any is none.
_VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœаеёиоуыэюяіїє")


def bad_start(surface: str) -> bool:
    """Whether an entity begins with a character that is probably not its own."""
    if not surface or surface[0].isalnum():
        return False
    first, second = surface[0], surface[1:2]
    if first == ".":
        # ".NET" and ".com" are names, ".Anna" is a name behind a full stop.
        return not second.isalnum() or surface[1:].istitle()
    if first in "-–":
        return not second.isdigit()
    return is_odd(surface, first, _STARTS)


def is_odd(surface: str, edge: str, marks: FrozenSet[str]) -> bool:
    """Whether a character at the edge of an entity is one of the marks, invisible, or a bracket or
    quote without its other half."""
    if edge in _BRACKETS:
        pair = _BRACKETS[edge]
        return surface.count(pair[0]) != surface.count(pair[1])
    for quotes in _QUOTES:
        if edge in quotes:
            return sum(surface.count(char) for char in quotes) % 2 == 1
    return edge in marks or unicodedata.category(edge) == "Cf"


@cache
def abbreviations(language: str) -> FrozenSet[str]:
    """The words that spaCy's tokenizer of a language keeps together with a full stop, in lower
    case; none where spaCy has no such language."""
    try:
        exceptions = get_lang_class(language).Defaults.tokenizer_exceptions
    except ImportError:
        return frozenset()
    return frozenset(word.casefold() for word in exceptions or {} if word.endswith("."))
