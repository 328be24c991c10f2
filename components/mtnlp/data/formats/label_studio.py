"""Label Studio's exports: JSON (tasks and their annotations) and JSON-MIN (a row each)."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from ...errors import DataError, Errors
from ...types import Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .entry import Format
from .json_rows import Row, first_values, read_rows
from .label_studio_min import is_min, read_min
from .label_studio_results import (
    CHOICES,
    SPANS,
    TAXONOMY,
    Item,
    Result,
    name_of_person,
    text_field_of,
    to_records,
)

# The list of a task's annotations; versions before 1.0 wrote `completions`.
ANNOTATIONS = ("annotations", "completions")


def read_label_studio(
    path: Path,
    on_bad: BadInput,
    text_field: Optional[str] = None,
    label_field: str = "label",
    spans_key: Optional[str] = None,
) -> Iterator[Record]:
    """Reads one file of either export, a Record per text and annotator.

    Regions with labels are spans. Choices and taxonomies are categories `from_name/LABEL`; the
    label of a taxonomy is its path, joined by " > ". A task of which an annotation says nothing is
    missing there.
    text_field: the field of the text; None finds it, see `text_field_of`.
    label_field: JSON-MIN alone, a field with a choice.
    Raises: DataError through `on_bad`.
    """
    rows = list(read_rows(path, on_bad))
    try:
        if is_min([row.value for row in rows]):
            items = read_min(rows, path, on_bad, label_field)
            field = text_field or text_field_of(items)
        else:
            tasks = _tasks(rows, path, on_bad)
            referred = _referred(tasks)
            # Regions of a second object (another text, an image) have no place in the Records.
            of = text_field if text_field in referred else next(iter(referred), None)
            items = [item for task in tasks for item in _items(task, of, path, on_bad)]
            others = [name for name in referred if name != of]
            field = text_field or text_field_of(items, of, others)
    except DataError as error:
        on_bad.report(DataError(str(error), path))
        return
    yield from to_records(items, field, spans_key, path, on_bad)


def recognise(path: Path) -> bool:
    """Whether the first values are tasks, or rows of JSON-MIN."""
    values = first_values(path)
    return bool(values) and (all(_is_task(value) for value in values) or is_min(values))


def _is_task(value: Any) -> bool:
    is_mapping = isinstance(value, dict) and isinstance(value.get("data"), dict)
    return is_mapping and any(isinstance(value.get(name), list) for name in ANNOTATIONS)


def _tasks(rows: Sequence[Row], path: Path, on_bad: BadInput) -> List[Row]:
    """The rows that are tasks."""
    tasks = []
    for row in rows:
        if _is_task(row.value):
            tasks.append(row)
            continue
        form = "a mapping, beside a list of annotations, as Label Studio exports tasks"
        on_bad.report(DataError(Errors.E136.format(field="data", form=form), path, row.line))
    return tasks


def _annotations(task: Mapping[str, Any]) -> List[Any]:
    return next(task[name] for name in ANNOTATIONS if isinstance(task.get(name), list))


def _regions(annotation: Any) -> List[Mapping[str, Any]]:
    """Raises: DataError (E136) where there is no list of regions."""
    regions = annotation.get("result") if isinstance(annotation, dict) else None
    if not isinstance(regions, list) or not all(isinstance(region, dict) for region in regions):
        raise DataError(Errors.E136.format(field="result", form="a list of regions"))
    return regions


def _is_cancelled(annotation: Any) -> bool:
    names = ("was_cancelled", "skipped")
    return isinstance(annotation, dict) and any(annotation.get(name) for name in names)


def _referred(tasks: Sequence[Row]) -> List[str]:
    """The objects that labels, choices and taxonomies refer to: first those of labels, and the most
    frequent first."""
    counts: Dict[bool, Counter] = {True: Counter(), False: Counter()}
    for _, task in tasks:
        for annotation in _annotations(task):
            try:
                regions = _regions(annotation)
            except DataError:  # it is reported where it is read
                continue
            for region in regions:
                if region.get("type") in (*SPANS, CHOICES, TAXONOMY) and "to_name" in region:
                    counts[region["type"] in SPANS][str(region["to_name"])] += 1
    both = [name for is_span in (True, False) for name, _ in counts[is_span].most_common()]
    return list(dict.fromkeys(both))


def _items(task: Row, of: Optional[str], path: Path, on_bad: BadInput) -> Iterator[Item]:
    """The annotations of a task that count.

    of: the object whose regions are read; None where nothing names any.
    """
    line, value = task
    for what in ("predictions", "drafts"):
        found = value.get(what)
        on_bad.note(f"{what} left out", len(found) if isinstance(found, list) else 0)
    annotations = _annotations(value)
    done = [annotation for annotation in annotations if not _is_cancelled(annotation)]
    on_bad.note("cancelled annotations left out", len(annotations) - len(done))
    on_bad.note("tasks without an annotation left out", not done)
    for annotation in done:
        try:
            result = _result(annotation, of, on_bad)
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        made = str(annotation.get("updated_at") or annotation.get("created_at") or "")
        yield Item(
            line=line,
            data=value["data"],
            task_id=value.get("id"),
            annotator=name_of_person(annotation.get("completed_by")),
            rank=(bool(annotation.get("ground_truth")), made),
            result=result,
        )


def _result(annotation: Mapping[str, Any], of: Optional[str], on_bad: BadInput) -> Result:
    result = Result()
    for region in _regions(annotation):
        kind = str(region.get("type"))
        if kind == "relation":
            on_bad.note("relations left out")
        elif kind in (*SPANS, CHOICES, TAXONOMY) and region.get("to_name", of) != of:
            on_bad.note(f"regions of '{region['to_name']}' left out: the text is '{of}'")
        else:
            result.add(kind, str(region.get("from_name") or kind), region.get("value"), on_bad)
    return result


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    label = options.label_field or "label"
    return read_label_studio(path, on_bad, options.text_field, label, options.spans_key)


LABEL_STUDIO = Format("label_studio", _read_own, options=("spans_key",), recognise=recognise)
