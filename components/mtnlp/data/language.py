"""The language of texts, by script and by spaCy's own lists of stop words."""

import re
import unicodedata
from collections import Counter
from functools import cache
from importlib import import_module
from typing import Dict, FrozenSet, Iterable, List, Optional, Tuple

# What is read at most, in characters. More changes nothing.
ENOUGH = 20_000
# Running words below which a text of a shared script says nothing, and the different stop words of
# two letters or more that the best language must have among them: initials are none.
FEWEST_WORDS = 5
FEWEST_STOP_WORDS = 3
# The share of running words that must be stop words of the language, and how far the second
# language must be behind.
SHARE = 0.1
LEAD = 1.25
# An edge to English: so many of the running words are stop words in English text alone.
ENGLISH = 0.35

# The languages of spaCy that have stop words, by the script they are written in. Only widely used
# ones: with more candidates, a short text is more easily taken for one of them.
_LANGUAGES: Dict[str, Tuple[str, ...]] = {
    "LATIN": (
        *("en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "pl", "cs", "sk", "sl"),
        *("hr", "ro", "hu", "tr", "ca", "et", "lt", "lv", "id", "is", "af", "sq", "vi"),
    ),
    "CYRILLIC": ("ru", "uk", "bg", "sr", "mk"),
    "ARABIC": ("ar", "fa", "ur"),
    "DEVANAGARI": ("hi", "mr", "ne"),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "ARMENIAN": ("hy",),
    "BENGALI": ("bn",),
    "GUJARATI": ("gu",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "SINHALA": ("si",),
    "THAI": ("th",),
    "HANGUL": ("ko",),
    "KANA": ("ja",),
    "CJK": ("zh",),
}
# Vowel signs of Indian scripts are no letters, so a word is what is between signs.
_WORD = re.compile(r"[^\s\d_.,;:!?()\[\]{}<>\"«»„“”…/\\|–—।*=+@#&%-]+")


def guess_language(texts: Iterable[str]) -> Optional[str]:
    """The language most of the texts are probably in.

    texts: read until there is enough.
    Returns: its code as spaCy has it, None where that is unsure: too few words, mixed scripts,
        names and numbers alone, two languages that are equally likely.
    """
    sample = _sample(texts)
    languages = _LANGUAGES.get(_script(sample) or "", ())
    if len(languages) < 2:
        return next(iter(languages), None)
    words = Counter(word.casefold().replace("’", "'") for word in _WORD.findall(sample))
    total = sum(words.values())
    if total < FEWEST_WORDS:
        return None
    if "en" in languages and _hits(words, stop_words("en")) >= ENGLISH * total:
        return "en"
    listed: Counter[str] = Counter()
    for language in languages:
        listed.update(stop_words(language))
    # A word that many languages list says little for each of them.
    evidence = {
        language: sum(
            count / listed[word] for word, count in words.items() if word in stop_words(language)
        )
        for language in languages
    }
    best, second = sorted(languages, key=lambda language: -evidence[language])[:2]
    found = {word for word in words if word in stop_words(best) and len(word) > 1}
    is_sure = (
        len(found) >= FEWEST_STOP_WORDS
        and _hits(words, stop_words(best)) >= SHARE * total
        and evidence[best] >= LEAD * evidence[second]
    )
    return best if is_sure else None


@cache
def stop_words(language: str) -> FrozenSet[str]:
    """spaCy's stop words of a language, in lower case."""
    words = import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS
    return frozenset(word.casefold().replace("’", "'") for word in words)


def _hits(words: Counter[str], listed: FrozenSet[str]) -> int:
    return sum(count for word, count in words.items() if word in listed)


def _sample(texts: Iterable[str]) -> str:
    """The texts' beginnings, until there is enough."""
    parts: List[str] = []
    length = 0
    for text in texts:
        parts.append(text[: ENOUGH - length])
        length += len(parts[-1])
        if length >= ENOUGH:
            break
    return "\n".join(parts)


def _script(sample: str) -> Optional[str]:
    """The script of most letters; None where no script has two thirds of them."""
    scripts: Counter[str] = Counter()
    for char, count in Counter(sample).items():
        if char.isalpha():
            scripts[_script_of(char)] += count
    letters = sum(scripts.values())
    # Japanese is written in Chinese characters, with kana between them.
    if scripts["KANA"] > 0.1 * scripts["CJK"]:
        scripts["KANA"] += scripts.pop("CJK", 0)
    script, count = max(scripts.items(), key=lambda item: item[1], default=("", 0))
    return script if 3 * count > 2 * letters else None


def _script_of(char: str) -> str:
    name = unicodedata.name(char, "").split(" ", 1)[0]
    return "KANA" if name in ("HIRAGANA", "KATAKANA") else name
