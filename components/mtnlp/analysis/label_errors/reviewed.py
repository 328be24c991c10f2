"""What reviewers made of an export for an annotation tool: whole layers of Docs, anew."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ...annotation.categories import is_positive, split_key
from ...data.formats.bad_input import BadInput
from ...data.formats.json_rows import read_rows
from ...data.formats.label_studio import LABEL_STUDIO
from ...data.formats.own_brat import BRAT
from ...data.formats.prodigy import PRODIGY
from ...data.options import ConvertOptions
from ...data.recognise import recognise
from ...errors import Errors, MtnlpError
from ...types import Annotation, Record
from .suggestions import CATS, ENTS, SPANS

TOOLS = {format.name: format for format in (PRODIGY, LABEL_STUDIO, BRAT)}
# As `exports.NAME` has it.
_NAME = re.compile(r"(.+)-(\d{6,})")


@dataclass(frozen=True)
class ReviewedDoc:
    """A layer of a Doc as a reviewer left it.

    file, number: where the Doc is. layer: as in a `Suggestion`. text: the Doc's. spans: in
    characters, none of a layer of categories. labels: those that hold, none of another layer.
    """

    file: str
    number: int
    layer: str
    text: str
    spans: List[Annotation]
    labels: List[str]


def read_reviewed(
    path: Path, files: List[str], layer: Optional[str], left_out: "Counter[str]"
) -> List[ReviewedDoc]:
    """Read an export of Prodigy or Label Studio, or a folder of brat's.

    files: names of the corpus' files. layer: where the file does not say which it is of. left_out:
    counts what the readers leave out.
    Raises: MtnlpError E155, E156 and E726 for something else, DataError for a malformed file,
    MtnlpError E726 for a row that does not say which Doc it is of, or a Doc that is there twice.
    """
    format = recognise(path)
    if format.name not in TOOLS:
        what = f"it is in the format {format.name}"
        raise MtnlpError(Errors.E726.format(path=path, what=what))
    on_bad = BadInput()
    found = _brat_places(path, files, layer) if format is BRAT else _row_places(path, format.name)
    reviewed: Dict[Tuple[str, int, str], ReviewedDoc] = {}
    for record in format.read(path, on_bad, ConvertOptions(format.name)):
        key = _key(record, format.name)
        place = found.get(key, {})
        name, number, own = place.get("file"), place.get("number"), place.get("layer", layer)
        if name not in files or type(number) is not int or not isinstance(own, str):
            raise MtnlpError(Errors.E726.format(path=path, what=f"'{key}' names no Doc and layer"))
        if (name, number, own) in reviewed:
            what = f"number {number} of {name} is there several times"
            raise MtnlpError(Errors.E726.format(path=path, what=what))
        reviewed[name, number, own] = _reviewed(record, name, number, own)
    left_out.update(on_bad.notes)
    return list(reviewed.values())


def _reviewed(record: Record, file: str, number: int, layer: str) -> ReviewedDoc:
    # A project in which nobody marked anything says nothing of spans.
    spans = [] if layer.startswith(CATS) else list(record.entities or ())
    labels = [split_key(key)[1] for key, value in (record.cats or {}).items() if is_positive(value)]
    held = labels if layer.startswith(CATS) else []
    return ReviewedDoc(file, number, layer, record.text or "", spans, held)


def _key(record: Record, tool: str) -> str:
    """What a Record and the place in its row have in common."""
    if tool == BRAT.name:
        return Path(record.meta["path"]).stem
    document = str(record.meta["document"])
    # Label Studio's reader adds a digest of the text to the task's id.
    return document.rpartition("-")[0] if tool == LABEL_STUDIO.name else document


def _row_places(path: Path, tool: str) -> Dict[str, Mapping[str, Any]]:
    """By the key of a Record: what its row says of where the Doc is."""
    places: Dict[str, Mapping[str, Any]] = {}
    for _, row in read_rows(path, BadInput(skip=True)):
        if not isinstance(row, dict):
            continue
        if tool == PRODIGY.name:
            key, data = row.get("_input_hash", row.get("text")), row.get("meta")
        else:
            # JSON-MIN has the task's fields beside the results.
            key, data = row.get("id"), row.get("data", row)
        if isinstance(data, dict):
            places[str(key)] = data
    return places


def _brat_places(
    folder: Path, files: List[str], layer: Optional[str]
) -> Dict[str, Mapping[str, Any]]:
    """By the name of a Doc's files: what it says of where the Doc is, and of the layer the name of
    the folder."""
    names = {Path(file).stem: file for file in files}
    own = layer or _layer_of(folder.name)
    places: Dict[str, Mapping[str, Any]] = {}
    for stem in _stems(folder):
        match = _NAME.fullmatch(stem)
        if match is not None and match[1] in names:
            place: Dict[str, Any] = {"file": names[match[1]], "number": int(match[2])}
            places[stem] = place if own is None else {**place, "layer": own}
    return places


def _stems(folder: Path) -> Iterator[str]:
    return (path.stem for path in folder.glob("[!.]*.ann"))


def _layer_of(name: str) -> Optional[str]:
    """The layer of a folder that `exports` wrote."""
    if name == ENTS:
        return name
    spans = SPANS.replace("/", "-")
    return SPANS + name.removeprefix(spans) if name.startswith(spans) else None
