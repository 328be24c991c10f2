"""Prodigy's JSONL, as `prodigy db-out` writes it: a line per judgement, so that a text may have
several, of one person or of many."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ...errors import DataError, Errors
from ...types import Annotation, Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .categories import label_name
from .entry import Format
from .json_rows import first_values, read_rows
from .jsonl import REFUSED, REFUSED_NOTE
from .offsets import parse_spans, set_spans
from .unread import is_annotated

# Keys that Prodigy alone writes.
_OWN = ("_input_hash", "_task_hash", "_view_id")
# Interfaces in which people mark spans: an accepted line without any has none.
_MANUAL = ("ner_manual", "spans_manual")
# Interfaces that ask whether the spans shown are right, and nothing about the rest of the text.
_BINARY = ("ner", "spans")
# Interfaces that may hold marked spans. Others (choice, classification, pos) only show some.
_WITH_SPANS = ("", *_MANUAL, *_BINARY, "relations", "blocks")
# What is counted and left out.
_LEFT_OUT = ("relations", "arcs", "audio_spans")
# The session of somebody who gave no name is the time it began.
_TIME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
UNNAMED = "unnamed"


@dataclass
class _Judged:
    """What one annotator says of one text, over all its lines.

    spans: all there are; None where nobody marked any. accepted: spans that are right, where the
    rest of the text was not asked about. cats: judged labels. judged: tasks of which every label
    that holds is named.
    """

    text: str
    line: int
    spans: Optional[List[Annotation]] = None
    accepted: List[Annotation] = field(default_factory=list)
    cats: Dict[str, float] = field(default_factory=dict)
    judged: List[str] = field(default_factory=list)
    stratum: Optional[str] = None


def read_prodigy(
    path: Path, on_bad: BadInput, task: str = "category", spans_key: Optional[str] = None
) -> Iterator[Record]:
    """Reads one file, a Record per text and annotator, with all that its lines say together.

    `meta["document"]` is the `_input_hash` (the text where there is none), `meta["annotator"]` the
    annotator's or the session's id. Categories become `task/LABEL`.
    Raises: DataError through `on_bad`.
    """
    found: Dict[Tuple[str, str], _Judged] = {}
    fields: Dict[str, None] = {}
    for line, row in read_rows(path, on_bad):
        try:
            text = _text(row)
            fields.update(dict.fromkeys(row))
            identity = (str(row.get("_input_hash", text)), _annotator(row))
            judged = found.get(identity) or _Judged(text, line)
            if _add_row(judged, row, task, on_bad):
                found[identity] = judged
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
    any_annotated = False
    for (document, annotator), judged in found.items():
        record = _to_record(judged, spans_key, on_bad)
        any_annotated = any_annotated or is_annotated(record)
        record.meta.update(path=str(path), line=judged.line)
        record.meta.update(document=document, annotator=annotator)
        yield record
    if found and not any_annotated:
        on_bad.warn(Errors.E172.format(fields=", ".join(fields)), path)


def recognise(path: Path) -> bool:
    """Whether the first lines have keys that Prodigy alone writes."""
    rows = first_values(path)
    return bool(rows) and all(isinstance(row, dict) and _is_own(row) for row in rows)


def _is_own(row: Mapping[str, Any]) -> bool:
    return any(name in row for name in _OWN)


def _text(row: Any) -> str:
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise DataError(Errors.E135.format(field="text"))
    return text


def _annotator(row: Mapping[str, Any]) -> str:
    name = str(row.get("_annotator_id") or row.get("_session_id") or UNNAMED)
    return UNNAMED if _TIME.fullmatch(name) else name


def _add_row(judged: _Judged, row: Mapping[str, Any], task: str, on_bad: BadInput) -> bool:
    """Adds what a line says. Returns: whether it says anything that can be kept."""
    answer, view = str(row.get("answer", "accept")).lower(), _view(row)
    is_refused = answer in REFUSED
    if _is_binary_label(row) and answer != "ignore":
        # The interface of a single label: a refusal says that it does not hold.
        key = f"{task}/{label_name(row['label'], 'label')}"
        _add_cats(judged, {key: float(not is_refused)}, on_bad)
    elif is_refused:
        asked = _asks_about_spans(row, view) and answer != "ignore"
        what = "rejected spans left out: they only say what is no entity" if asked else REFUSED_NOTE
        on_bad.note(what, max(_count(row.get("spans")), 1) if asked else 1)
        return False
    if row.get("accept") is not None:
        _add_choices(judged, row, task, on_bad)
    if not is_refused:
        _add_spans(judged, row, view, on_bad)
        for name in _LEFT_OUT:
            on_bad.note(f"{name.replace('_', ' ')} left out", _count(row.get(name)))
    return True


def _view(row: Mapping[str, Any]) -> str:
    """The interface a line was judged in; of a review, that of what was reviewed."""
    view = str(row.get("_view_id") or "")
    return str(row.get("view_id") or "") if view == "review" else view


def _asks_about_spans(row: Mapping[str, Any], view: str) -> bool:
    """Whether the question was about the spans shown, and not which others there are."""
    return view in _BINARY or (row.get("_is_binary") is True and view in _WITH_SPANS)


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _is_binary_label(row: Mapping[str, Any]) -> bool:
    is_label = isinstance(row.get("label"), (str, int)) and row["label"] != ""
    return is_label and not row.get("options")


def _add_choices(judged: _Judged, row: Mapping[str, Any], task: str, on_bad: BadInput) -> None:
    """The chosen options hold, the others do not."""
    for name in ("accept", "options"):
        if not isinstance(row.get(name) or [], list):
            raise DataError(Errors.E136.format(field=name, form="a list"))
    chosen = [label_name(label, "accept") for label in row["accept"] or ()]
    shown = [
        label_name(option.get("id") if isinstance(option, dict) else option, "options")
        for option in row.get("options") or ()
    ]
    config = row.get("config")
    is_single = (config if isinstance(config, dict) else {}).get("choice_style") == "single"
    if is_single and not chosen:
        on_bad.note("choices of one option, without one: not annotated")
        return
    cats = {**dict.fromkeys(shown, 0.0), **dict.fromkeys(chosen, 1.0)}
    _add_cats(judged, {f"{task}/{label}": value for label, value in cats.items()}, on_bad)
    if not shown:  # which options there were only all texts together tell
        judged.judged = [task]
    if is_single:
        judged.stratum = chosen[0]


def _add_cats(judged: _Judged, cats: Mapping[str, float], on_bad: BadInput) -> None:
    changed = any(judged.cats.get(key, value) != value for key, value in cats.items())
    on_bad.note("judgements that the same annotator changed: the last one is kept", changed)
    judged.cats.update(cats)


def _add_spans(judged: _Judged, row: Mapping[str, Any], view: str, on_bad: BadInput) -> None:
    rows = row.get("spans")
    if view not in _WITH_SPANS:
        on_bad.note(f"spans that the interface '{view}' only shows, left out", _count(rows))
        return
    if rows is None and view not in _MANUAL:
        return
    kept = _with_characters(rows or [], row.get("tokens"))
    if isinstance(kept, list):  # old recipes ask about several spans in one line
        kept = [item for item in kept if not _is_refused(item)]
        on_bad.note("spans left out that the annotator rejected", _count(rows) - len(kept))
    spans = parse_spans(kept, judged.text, "spans")
    if _asks_about_spans(row, view):
        judged.accepted.extend(spans)
        return
    if judged.spans is not None and Counter(judged.spans) != Counter(spans):
        on_bad.note("texts that the same annotator marked again: the last time is kept")
    judged.spans = spans


def _is_refused(span: Any) -> bool:
    return isinstance(span, dict) and span.get("answer") in REFUSED


def _with_characters(rows: Any, tokens: Any) -> Any:
    """Spans with character offsets, where some have those of tokens alone. Prodigy's `token_end` is
    the last token, not the first one behind."""
    if not isinstance(rows, list) or not isinstance(tokens, list):
        return rows
    return [_with_offsets(row, tokens) if isinstance(row, dict) else row for row in rows]


def _with_offsets(row: Mapping[str, Any], tokens: List[Any]) -> Mapping[str, Any]:
    if row.get("start") is not None or row.get("token_start") is None:
        return row
    try:
        start, end = (tokens[row[name]] for name in ("token_start", "token_end"))
        return {**row, "start": start["start"], "end": end["end"]}
    except (IndexError, KeyError, TypeError):
        offsets = (row.get("token_start"), row.get("token_end"))
        raise DataError(Errors.E166.format(offsets=offsets, length=len(tokens))) from None


def _to_record(judged: _Judged, spans_key: Optional[str], on_bad: BadInput) -> Record:
    record = Record(text=judged.text)
    if judged.spans is not None:
        set_spans(record, judged.spans, spans_key)
        beside = set(judged.accepted) - set(judged.spans)
        on_bad.note("accepted spans that the same annotator did not mark, left out", len(beside))
    elif judged.accepted and spans_key is None:
        set_spans(record, judged.accepted, None)
        record.missing = _between(judged.accepted, len(judged.text))
        on_bad.note("texts in which only the accepted spans were judged, the rest is missing")
    elif judged.accepted:
        on_bad.note(
            "accepted spans left out: a layer of doc.spans cannot say that the rest is missing",
            len(judged.accepted),
        )
    if judged.cats or judged.judged:
        record.cats = dict(judged.cats)
    if judged.judged:
        record.meta["judged"] = judged.judged
    if judged.stratum is not None:
        record.meta["stratum"] = judged.stratum
    return record


def _between(spans: List[Annotation], length: int) -> List[Tuple[int, int]]:
    """The stretches of a text outside of all spans."""
    stretches, at = [], 0
    for span in sorted(spans):
        if span.start > at:
            stretches.append((at, span.start))
        at = max(at, span.end)
    return [*stretches, (at, length)] if at < length else stretches


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_prodigy(path, on_bad, options.task, options.spans_key)


PRODIGY = Format("prodigy", _read_own, options=("spans_key",), recognise=recognise)
