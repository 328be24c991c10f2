"""What Label Studio calls a result: the regions, choices and taxonomies of one annotation."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate, product
from pathlib import Path
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)
from zlib import crc32

from ...errors import DataError, Errors
from ...types import Annotation, Record
from .bad_input import BadInput
from .categories import label_name
from .offsets import set_spans, trimmed

# The control tags whose regions are spans of a text; the region's value has labels by that name.
SPANS = ("labels", "hypertextlabels")
CHOICES, TAXONOMY = "choices", "taxonomy"
# Joins the steps of a taxonomy's path. No slash: keys of categories are `task/LABEL`.
PATH_SEPARATOR = " > "


class Region(NamedTuple):
    """A region with a label, as it stands there. quotation: the text it says that it covers."""

    start: Any
    end: Any
    quotation: Optional[str]
    label: str


@dataclass
class Result:
    """What one annotation says of its text.

    spans: its regions. chosen: the labels that hold, by task.
    """

    spans: List[Region] = field(default_factory=list)
    chosen: Dict[str, List[str]] = field(default_factory=dict)

    def add(self, kind: str, name: str, value: Any, on_bad: BadInput) -> None:
        """Adds what a region says.

        kind: the type of the region. name: that of its control tag, which is the task's.
        Raises: DataError (E136) for a region without its value.
        """
        if not isinstance(value, dict):
            raise DataError(Errors.E136.format(field="value", form="a mapping"))
        if kind in SPANS:
            labels = _names(value.get(kind) or [], kind)
            on_bad.note("regions without a label left out", not labels)
            quotation = value.get("text") if isinstance(value.get("text"), str) else None
            self.spans.extend(Region(*_offsets(value), quotation, label) for label in labels)
        elif kind in (CHOICES, TAXONOMY) and "start" in value:
            on_bad.note(f"{kind} of a single region left out")
        elif kind in (CHOICES, TAXONOMY):
            read = _paths if kind == TAXONOMY else _names
            self.chosen.setdefault(name.replace("/", "-"), []).extend(read(value.get(kind), kind))
        else:
            on_bad.note(f"regions of the type '{kind}' left out")


class Item(NamedTuple):
    """An annotation of a task.

    line: where it stands. data: the task's fields. task_id: the task's id, if it has one.
    annotator: who made it, "" where the export does not say. rank: of several by one person the one
        of the highest rank counts: whether it is the ground truth, and when it was made.
    result: what it says.
    """

    line: int
    data: Mapping[str, Any]
    task_id: Any
    annotator: str
    rank: Tuple[bool, str]
    result: Result


def to_records(
    items: Sequence[Item], text_field: str, spans_key: Optional[str], path: Path, on_bad: BadInput
) -> Iterator[Record]:
    """The Records of a project's annotations, one per text and annotator.

    Raises: DataError through `on_bad`.
    """
    # Only the whole project tells that a text has no regions because there are none.
    has_spans = any(item.result.spans for item in items)
    tasks = dict.fromkeys(task for item in items for task in item.result.chosen)
    found: Dict[Tuple[str, str], Tuple[Item, Record]] = {}
    counts: Counter = Counter()
    for item in items:
        try:
            record = _to_record(item, text_field, has_spans, spans_key, on_bad)
        except DataError as error:
            on_bad.report(DataError(str(error), path, item.line))
            continue
        document = _document(item, record.text or "")
        counts[document] += 1
        # Where nobody is named, each annotation is that of somebody else.
        annotator = item.annotator or f"annotation {counts[document]}"
        record.meta.update(path=str(path), line=item.line, document=document, annotator=annotator)
        other = found.get((document, annotator))
        on_bad.note("annotations replaced by a later one of the same annotator", other is not None)
        if other is None or item.rank >= other[0].rank:
            found[document, annotator] = (item, record)
    for item, record in found.values():
        for task in tasks:
            is_missing = task not in item.result.chosen
            on_bad.note(f"annotations without a choice for '{task}': not annotated", is_missing)
        yield record


def _document(item: Item, text: str) -> str:
    """Which text it is: an id is unique within a project only."""
    return text if item.task_id is None else f"{item.task_id}-{crc32(text.encode()):08x}"


def _to_record(
    item: Item, text_field: str, has_spans: bool, spans_key: Optional[str], on_bad: BadInput
) -> Record:
    """Raises: DataError for no text (E135), offsets outside of it (E122), and offsets that give
    something else than the quotation (E184)."""
    text = item.data.get(text_field)
    if not isinstance(text, str) or not text.strip():
        raise DataError(Errors.E135.format(field=text_field))
    record = Record(text=text)
    if has_spans:
        spans = [_to_span(text, text_field, region, on_bad) for region in item.result.spans]
        set_spans(record, spans, spans_key)
    chosen = item.result.chosen
    if chosen:
        keys = [f"{task}/{label}" for task, labels in chosen.items() for label in labels]
        record.cats = dict.fromkeys(keys, 1.0)
        record.meta["judged"] = list(chosen)
        if len(keys) == 1:
            record.meta["stratum"] = keys[0]
    return record


def text_field_of(
    items: Sequence[Item], of: Optional[str] = None, others: Sequence[str] = ()
) -> str:
    """The field that holds the text of a project's tasks.

    of: the object that regions refer to; a field may have its name. others: objects they refer to
        beside it.
    Returns: the field that has most of what the regions quote; or else that which is called `of`;
        `text`; the only one with strings.
    Raises: DataError (E180) where none of it tells.
    """
    fields = {name: 0 for item in items for name in item.data}
    strings = dict.fromkeys(
        name for item in items for name, value in item.data.items() if isinstance(value, str)
    )
    for item in items:
        for name in strings:
            text = str(item.data.get(name))
            fields[name] += sum((span.quotation or "\0") in text for span in item.result.spans)
    most = [name for name in strings if fields[name] == max(fields.values()) > 0]
    if len(most) == 1:
        return most[0]
    called = next((name for name in strings if name == of), "text")
    if called in strings or not items:
        return called
    left = [name for name in strings if name not in others]
    if len(left) != 1:
        raise DataError(Errors.E180.format(fields=", ".join(fields) or "none"))
    return left[0]


def name_of_person(value: Any) -> str:
    """An annotator's name: a number, or a mapping with an address and an id. "" for none."""
    if isinstance(value, dict):
        value = value.get("email") or value.get("id")
    return "" if value is None else str(value)


def _offsets(value: Mapping[str, Any]) -> Tuple[Any, Any]:
    """Regions of HTML have paths in `start` and `end`, and characters only here."""
    within = value.get("globalOffsets")
    source = within if isinstance(within, dict) else value
    return source.get("start"), source.get("end")


def _names(values: Any, field: str) -> List[str]:
    if not isinstance(values, list):
        raise DataError(Errors.E136.format(field=field, form="a list of labels"))
    return [label_name(value, field) for value in values]


def _paths(values: Any, field: str) -> List[str]:
    """The chosen paths of a taxonomy, each as one label."""
    if not isinstance(values, list) or not all(isinstance(path, list) and path for path in values):
        form = "a list of paths, each a list of names"
        raise DataError(Errors.E136.format(field=field, form=form))
    return [PATH_SEPARATOR.join(_names(path, field)) for path in values]


def _to_span(text: str, field: str, region: Region, on_bad: BadInput) -> Annotation:
    start, end, quotation, label = region
    # Browsers count UTF-16 units, and a Windows line end once. The quotation tells.
    for units, breaks in product((False, True), repeat=2):
        found = _within(text, start, end, units, breaks)
        span = None if found is None else trimmed(text, *found, label)
        if span and (quotation is None or _same(text[span.start : span.end], quotation)):
            on_bad.note("regions whose offsets count as browsers do, read so", units or breaks)
            return span
    plain = _within(text, start, end, False, False)
    found_text = "" if plain is None else text[slice(*plain)].strip()
    if not found_text:
        raise DataError(Errors.E122.format(offsets=(start, end), length=len(text)))
    message = Errors.E184.format(
        expected=quotation, offsets=(start, end), found=found_text, field=field
    )
    raise DataError(message)


def _within(
    text: str, start: Any, end: Any, units: bool, breaks: bool
) -> Optional[Tuple[int, int]]:
    """Offsets in characters, None where they are none of the text's.

    units: whether they count UTF-16 units. breaks: whether they count a Windows line end once.
    """
    if not (type(start) is int and type(end) is int and 0 <= start < end):
        return None
    if units or breaks:
        widths = [1 + (units and char > "\uffff") - (breaks and char == "\r") for char in text]
        at = [0, *accumulate(widths)]
        if start not in at or end not in at:
            return None
        start, end = at.index(start), at.index(end)
    return (start, end) if end <= len(text) else None


def _same(found: str, expected: str) -> bool:
    """Quotations write line ends as `\\n`, as blanks, or as they are."""
    return found.split() == expected.replace("\\n", " ").split()
