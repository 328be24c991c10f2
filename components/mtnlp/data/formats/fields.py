"""Which fields or columns hold the text and the label where nobody says so: told by their names, or
else by what is in them."""

import re
from typing import AbstractSet, Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from ...errors import DataError, Errors
from .sniff import mostly

TEXT, LABEL = "text", "label"
# What people call the two, in lower case.
USUAL: Mapping[str, Sequence[str]] = {
    TEXT: (
        *("text", "texts", "sentence", "review", "review text", "content", "body", "comment"),
        *("message", "utterance", "description", "tweet", "post", "document", "question", "query"),
        "title",
    ),
    LABEL: (
        *("label", "labels", "category", "categories", "class", "intent", "sentiment", "emotion"),
        *("topic", "target", "polarity", "stars", "rating"),
    ),
}
# What people call the two texts of a pair whose similarity is given, and how similar they are.
PAIRS = (("text1", "text2"), ("sentence1", "sentence2"))
SIMILARITY = ("similarity", "similarity_score", "similarity score", "score")
# What they call two texts that belong together.
POSITIVES = (("anchor", "positive"),)
# A title is the text only where there is nothing longer.
_TITLE = "title"
# Letters that running text has on average, more than a name or a date.
_LETTERS = 15
_SHOWN = 40


class Column(NamedTuple):
    """A field over several rows. name: "" where nobody named it. values: without missing ones."""

    name: str
    values: Sequence[str]


class PairFields(NamedTuple):
    """What is called what in a table of pairs. similarity: None where the texts belong together."""

    first: str
    second: str
    similarity: Optional[str]


def pair_fields(names: Sequence[str]) -> Optional[PairFields]:
    """Which fields hold the two texts of a pair, and their similarity; None where there are no
    two, or where texts are to be compared and nothing says how similar they are."""
    plain = {name.strip().lower(): name for name in reversed(names)}
    similarity = next((plain[name] for name in SIMILARITY if name in plain), None)
    for first, second in PAIRS:
        if first in plain and second in plain and similarity is not None:
            return PairFields(plain[first], plain[second], similarity)
    for first, second in POSITIVES:
        if first in plain and second in plain:
            return PairFields(plain[first], plain[second], similarity)
    return None


def find_columns(columns: Sequence[Column], known: Mapping[str, int]) -> Dict[str, int]:
    """Where text and label are, by index.

    known: indices that are settled already, by what they hold.
    Returns: these, and what was found: the only column with a usual name, or else the only one
        whose values look like it. What is not clear is left out.
    """
    found = dict(known)
    for what in (TEXT, LABEL):
        if what not in found:
            free = [index for index in range(len(columns)) if index not in found.values()]
            named = usually_called([columns[index].name for index in free], what)
            pool = [free[at] for at in named] or free
            index = pool[0] if len(named) == 1 else _by_content(columns, pool, what)
            if index is not None:
                found[what] = index
    return found


def find_fields(
    rows: Sequence[Mapping[str, Any]], usual: Mapping[str, str], sought: AbstractSet[str]
) -> Dict[str, str]:
    """As `find_columns`, by name, for rows that are mappings.

    usual: what text and label are called otherwise. sought: which of the two to look for.
    Raises: DataError (E188) where it is not clear which field holds the text, or which of several
        with a usual name the label: rows may have none.
    """
    if not sought:
        return {}
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [Column(name, _scalars(row.get(name) for row in rows)) for name in names]
    known = {
        what: names.index(name) if name in names else -1
        for what, name in usual.items()
        if what not in sought
    }
    found = find_columns(columns, known)
    for what in (TEXT, LABEL):
        is_there = what == TEXT or len(usually_called(names, LABEL)) > 1
        if what in sought and what not in found and is_there:
            raise DataError(unclear(columns, [what], "field"))
    return {what: names[found[what]] for what in usual if what in sought and what in found}


def usually_called(names: Sequence[str], what: str) -> List[int]:
    """The indices of the names that say that they are it: one alone, if it says so plainly."""
    if what in names:
        return [names.index(what)]
    plain = [re.sub(r"[\s_-]+", " ", name).strip().lower() for name in names]
    named = [index for index, name in enumerate(plain) if name in USUAL[what]]
    longer = [index for index in named if plain[index] != _TITLE]
    return longer or named


def described(columns: Sequence[Column]) -> str:
    """Each column's name, or its number where it has none, and an example of what is in it."""
    return ", ".join(
        f"{column.name or number} ({_example(column)})" for number, column in enumerate(columns)
    )


def unclear(columns: Sequence[Column], missing: Sequence[str], kind: str) -> str:
    """The message (E188) that it is not clear which of the columns are the ones missing.

    kind: what they are called, "column" or "field".
    """
    flags = " ".join(f"--{what}-field NAME" for what in missing)
    return Errors.E188.format(
        kind=kind, what=" and the ".join(missing), columns=described(columns), flags=flags
    )


def is_running_text(values: Sequence[str]) -> bool:
    """Whether cells hold texts: long, mostly of several words or in a script beyond ASCII, and
    different ones."""
    letters = sum(char.isalpha() for value in values for char in value)
    return (
        letters >= _LETTERS * max(1, len(values))
        and mostly(len(value.split()) > 1 or not value.isascii() for value in values)
        and 2 * len(set(values)) > len(values)
    )


def _by_content(columns: Sequence[Column], candidates: Sequence[int], what: str) -> Optional[int]:
    if what == TEXT:
        fitting = [index for index in candidates if is_running_text(columns[index].values)]
    else:
        values = {index: columns[index].values for index in candidates}
        repeated = [i for i, cells in values.items() if 0 < 2 * len(set(cells)) <= len(cells)]
        # What is the same in all rows tells nothing apart.
        fitting = [index for index in repeated if len(set(values[index])) > 1] or repeated
    return fitting[0] if len(fitting) == 1 else None


def _scalars(values: Iterable[Any]) -> List[str]:
    """The values that are texts or numbers, as texts."""
    texts = [str(value).strip() for value in values if isinstance(value, (str, int, float))]
    return [text for text in texts if text]


def _example(column: Column) -> str:
    value = " ".join(next(iter(column.values), "").split())
    return f"'{value[:_SHOWN]}{'…' * (len(value) > _SHOWN)}'" if value else "empty"
