"""Suggestions for annotation tools: a task per Doc, with the suggestions filled in."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple
from xml.sax.saxutils import quoteattr

from spacy.tokens import Doc, Span

from ...annotation.categories import annotated_keys, split_key
from ...files import fresh_folder
from .corrected import annotations, categories, correct
from .suggestions import CATS, ENTS, Suggestion

# How exported Docs are called, of which brat and `--apply` tell the file and the number.
NAME = "{stem}-{number:06d}"


@dataclass
class Task:
    """A Doc to look at.

    number: of the task, from 1. file, doc_number: where the Doc is. doc: with the suggestions.
    suggestions: of one layer.
    """

    number: int
    file: str
    doc_number: int
    doc: Doc
    suggestions: List[Suggestion]

    @property
    def layer(self) -> str:
        return self.suggestions[0].layer

    @property
    def spans(self) -> List[Span]:
        """The entities of the layer."""
        found = annotations(self.doc, self.layer)
        return [Span(self.doc, start, end, label=label) for start, end, label in found]

    @property
    def why(self) -> str:
        """What was changed, in a line."""
        return "; ".join(describe(item) for item in self.suggestions)


def describe(item: Suggestion) -> str:
    """A suggestion in a few words."""
    given = _named(item.given, item.given_texts) or "nothing"
    suggested = _named(item.suggested, item.suggested_texts) or "nothing"
    return f"{item.kind} ({item.score:.0%}): {given} → {suggested}"


def _named(entries: Sequence[Any], texts: Sequence[str]) -> str:
    if entries and isinstance(entries[0], str):
        return ", ".join(entries)
    return ", ".join(f"{text} {entry[2]}" for entry, text in zip(entries, texts, strict=True))


def make_tasks(
    docs: Mapping[Tuple[str, int], Doc], suggestions: Iterable[Suggestion]
) -> Dict[str, List[Task]]:
    """By layer, a task for each Doc, in the order of the highest suggestions. docs: by file and
    number, as their files have them; what is suggested is put into them."""
    found: Dict[str, Dict[Tuple[str, int], Task]] = {}
    for item in suggestions:
        place = item.file, item.number
        doc = docs[place]
        correct(doc, item)
        tasks = found.setdefault(item.layer, {})
        if place not in tasks:
            tasks[place] = Task(len(tasks) + 1, *place, doc, [])
        tasks[place].suggestions.append(item)
    return {layer: list(tasks.values()) for layer, tasks in found.items()}


def labels_of(docs: Iterable[Doc], layers: Iterable[str]) -> Dict[str, List[str]]:
    """The labels that the Docs have in each of these layers, sorted."""
    found: Dict[str, Set[str]] = {layer: set() for layer in layers}
    for doc in docs:
        for layer, labels in found.items():
            if layer.startswith(CATS):
                keys = annotated_keys(doc.cats, layer.removeprefix(CATS))
                labels.update(split_key(key)[1] for key in keys)
            else:
                labels.update(span.label for span in annotations(doc, layer))
    return {layer: sorted(labels) for layer, labels in found.items()}


def export(
    tool: str, folder: Path, tasks: Mapping[str, List[Task]], labels: Mapping[str, List[str]]
) -> List[Path]:
    """Write the tasks of all layers for a tool.

    tool: one of TOOLS. folder: replaced where it exists. labels: of each layer.
    Returns: what was written, a file or folder for each layer. brat has no categories: their layers
    are left out.
    """
    names: List[str] = []
    with fresh_folder(folder) as fresh:
        for layer, each in tasks.items():
            if not (tool == BRAT and layer.startswith(CATS)):
                names.append(WRITERS[tool](fresh, layer.replace("/", "-"), each, labels[layer]))
    return [folder / name for name in names]


def write_prodigy(folder: Path, name: str, tasks: Sequence[Task], labels: Sequence[str]) -> str:
    """JSONL for `ner.manual`, `spans.manual` or `choice`."""
    rows = [_prodigy_row(task, labels) for task in tasks]
    path = folder / f"{name}.jsonl"
    path.write_text(_lines(rows), encoding="utf8")
    return path.name


def _prodigy_row(task: Task, labels: Sequence[str]) -> Dict[str, Any]:
    row: Dict[str, Any] = {
        "text": task.doc.text,
        "meta": {
            "file": task.file,
            "number": task.doc_number,
            "layer": task.layer,
            "why": task.why,
        },
        "_input_hash": task.number,
        "_task_hash": task.number,
    }
    if task.layer.startswith(CATS):
        options = [{"id": label, "text": label} for label in labels]
        accept = categories(task.doc, task.layer.removeprefix(CATS))
        return {**row, "_view_id": "choice", "options": options, "accept": accept}
    tokens = [
        {
            "text": token.text,
            "start": token.idx,
            "end": token.idx + len(token),
            "id": token.i,
            "ws": bool(token.whitespace_),
        }
        for token in task.doc
    ]
    spans = [
        {
            "start": span.start_char,
            "end": span.end_char,
            "token_start": span.start,
            "token_end": span.end - 1,
            "label": span.label_,
        }
        for span in task.spans
    ]
    view = "ner_manual" if task.layer == ENTS else "spans_manual"
    return {**row, "_view_id": view, "tokens": tokens, "spans": spans}


def write_label_studio(
    folder: Path, name: str, tasks: Sequence[Task], labels: Sequence[str]
) -> str:
    """JSON to import, with the suggestions as predictions; and the labelling interface, an XML
    beside it."""
    path = folder / f"{name}.json"
    rows = [_label_studio_row(task) for task in tasks]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf8")
    layer = tasks[0].layer
    if layer.startswith(CATS):
        task, tag, child = layer.removeprefix(CATS), "Choices", "Choice"
    else:
        task, tag, child = "label", "Labels", "Label"
    inner = "".join(f"    <{child} value={quoteattr(label)}/>\n" for label in labels)
    choice = ' choice="multiple"' if tag == "Choices" else ""
    xml = (
        '<View>\n  <Text name="text" value="$text"/>\n  <Header value="$why"/>\n'
        f'  <{tag} name={quoteattr(task)} toName="text"{choice}>\n{inner}  </{tag}>\n</View>\n'
    )
    path.with_suffix(".xml").write_text(xml, encoding="utf8")
    return path.name


def _label_studio_row(task: Task) -> Dict[str, Any]:
    if task.layer.startswith(CATS):
        name = task.layer.removeprefix(CATS)
        value: Dict[str, Any] = {"choices": categories(task.doc, name)}
        regions = [{"from_name": name, "to_name": "text", "type": "choices", "value": value}]
    else:
        regions = [
            {
                "id": f"{task.number}-{index}",
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": {
                    "start": span.start_char,
                    "end": span.end_char,
                    "text": span.text,
                    "labels": [span.label_],
                },
            }
            for index, span in enumerate(task.spans)
        ]
    data = {
        "text": task.doc.text,
        "file": task.file,
        "number": task.doc_number,
        "layer": task.layer,
        "why": task.why,
    }
    score = task.suggestions[0].score
    prediction = {"model_version": "mtnlp", "score": score, "result": regions}
    return {"id": task.number, "data": data, "predictions": [prediction]}


def write_brat(folder: Path, name: str, tasks: Sequence[Task], labels: Sequence[str]) -> str:
    """A folder of pairs, and what brat must know of the labels."""
    target = folder / name
    target.mkdir()
    for task in tasks:
        stem = NAME.format(stem=Path(task.file).stem, number=task.doc_number)
        (target / f"{stem}.txt").write_text(task.doc.text, encoding="utf8", newline="")
        lines = []
        for index, span in enumerate(task.spans, 1):
            quotation = " ".join(span.text.splitlines())
            lines.append(f"T{index}\t{span.label_} {span.start_char} {span.end_char}\t{quotation}")
        if lines:
            lines.append(f"#1\tAnnotatorNotes T1\t{task.why}")
        (target / f"{stem}.ann").write_text("".join(line + "\n" for line in lines), "utf8")
    conf = "[entities]\n" + "".join(f"{label}\n" for label in labels)
    conf += "[relations]\n[events]\n[attributes]\n"
    (target / "annotation.conf").write_text(conf, encoding="utf8")
    return name


Writer = Callable[[Path, str, Sequence[Task], Sequence[str]], str]
LABEL_STUDIO, PRODIGY, BRAT = "label-studio", "prodigy", "brat"
WRITERS: Dict[str, Writer] = {
    LABEL_STUDIO: write_label_studio,
    PRODIGY: write_prodigy,
    BRAT: write_brat,
}
TOOLS = tuple(WRITERS)


def _lines(rows: Iterable[Mapping[str, Optional[Any]]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
