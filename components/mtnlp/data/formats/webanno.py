"""WebAnno TSV 3, the export of WebAnno and INCEpTION: a document per file, a token per line, a
column per feature of each layer."""

from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ...errors import DataError
from ...types import Annotation, Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .entry import Format
from .offsets import set_spans, trimmed
from .sniff import beginning
from .webanno_file import FORMAT, Document, Layer, read_document

# What INCEpTION calls the file without annotations beside those of the annotators.
_INITIAL = "INITIAL_CAS"
# Layers that say something about every token, such as its part of speech or its lemma.
_OF_TOKENS = (".lexmorph.", ".segmentation.", ".transform.")
# The features that hold labels, where a layer has several.
_LABELS = ("value", "label")


class Source(NamedTuple):
    """A file; where several people annotated a document, its name and who this one was."""

    path: Path
    document: Optional[str] = None
    annotator: Optional[str] = None


class Choice(NamedTuple):
    """What is read: a layer, and one of its features; None takes the layer's name as label."""

    layer: Layer
    feature: Optional[str]


def read_webanno(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    """Reads a file; a folder, a document per file; or a folder per document with a file per
    annotator, as INCEpTION exports them.

    Of several span layers the first one with annotations is read, and of its features `value`,
    `label` or the first one with values. Other layers, features, relations, chains and links of
    slots are counted and left out.
    Raises: DataError through `on_bad`.
    """
    documents: List[Tuple[Source, Document]] = []
    sources = _sources(path)
    for source in sources:
        try:
            documents.append((source, read_document(source.path)))
        except DataError as error:
            on_bad.report(error)
    choice = _choice([document for _, document in documents])
    for source, document in documents:
        _count_others(document, choice, on_bad)
        spans = _annotations(document, choice, on_bad)
        for record in _records(document, spans, options, on_bad):
            record.meta["path"] = str(source.path)
            if source.annotator is not None:
                record.meta["annotator"] = source.annotator
                record.meta["document"] = f"{source.document}:{record.meta['line']}"
            if len(sources) > 1:
                record.meta["group"] = source.document or str(source.path)
            yield record


def is_webanno(path: Path) -> bool:
    """Whether a file begins with the format's mark, or a folder holds such a file."""
    if path.is_dir():
        return any(is_webanno(source.path) for source in _sources(path))
    return beginning(path).lstrip().startswith(FORMAT)


def _sources(path: Path) -> List[Source]:
    if not path.is_dir():
        return [Source(path)]
    files = [file for file in sorted(path.glob("[!.]*.tsv")) if file.is_file()]
    if files:
        return [Source(file) for file in files]
    files = [file for file in sorted(path.glob("*/[!.]*.tsv")) if file.stem != _INITIAL]
    return [Source(file, file.parent.name, file.stem) for file in files]


def _choice(documents: Sequence[Document]) -> Optional[Choice]:
    """None where nothing at all is annotated."""
    layers = dict.fromkeys(layer for document in documents for layer in document.spans)
    for layer in layers:
        spans = [span for document in documents for span in document.spans.get(layer, ())]
        if spans and not any(word in layer.name for word in _OF_TOKENS):
            names = [layer.columns[index] for index in layer.features]
            valued = [name for name in names if any(name in span.values for span in spans)]
            best = sorted(valued, key=lambda name: name not in _LABELS)
            return Choice(layer, best[0] if best else None)
    return None


def _count_others(document: Document, choice: Optional[Choice], on_bad: BadInput) -> None:
    for layer, spans in document.spans.items():
        if choice is None or layer != choice.layer:
            on_bad.note(f"annotations of {layer.name} left out", len(spans))
            continue
        for name in {name for span in spans for name in span.values} - {choice.feature}:
            values = sum(name in span.values for span in spans)
            on_bad.note(f"values of {layer.name}|{name} left out", values)
    for what, count in document.others.items():
        on_bad.note(f"{what} left out", count)


def _annotations(
    document: Document, choice: Optional[Choice], on_bad: BadInput
) -> List[Annotation]:
    annotations: List[Annotation] = []
    if choice is None:
        return annotations
    name = (
        choice.layer.name
        if choice.feature is None
        else "|".join((choice.layer.name, choice.feature))
    )
    for span in document.spans.get(choice.layer, ()):
        # A layer without features says what it marks by its name alone.
        own_name = choice.layer.name.rpartition(".")[2]
        label = own_name if choice.feature is None else span.values.get(choice.feature)
        if label is None:
            on_bad.note(f"annotations of {name} without a value left out")
            continue
        annotation = trimmed(document.text, span.start, span.end, label)
        if annotation is None:
            on_bad.note(f"annotations of {name} without a text left out")
        else:
            on_bad.note(f"annotations of {name} read")
            annotations.append(annotation)
    return annotations


def _records(
    document: Document, spans: Sequence[Annotation], options: ConvertOptions, on_bad: BadInput
) -> Iterator[Record]:
    units = document.sentences
    if (options.unit or WEBANNO.units[0]) == "document":
        units = [(0, len(document.text), units[0][2])] if units else []
    kept = 0
    for start, end, line in units:
        text = document.text[start:end]
        inside = [
            span._replace(start=span.start - start, end=span.end - start)
            for span in spans
            if start <= span.start and span.end <= end
        ]
        kept += len(inside)
        if text.strip():
            record = Record(text=text, meta={"line": line})
            set_spans(record, inside, options.spans_key)
            yield record
    on_bad.note(
        "annotations across sentences left out (--unit document keeps them)", len(spans) - kept
    )


WEBANNO = Format(
    "webanno",
    read_webanno,
    units=("sentence", "document"),
    options=("spans_key",),
    recognise=is_webanno,
)
