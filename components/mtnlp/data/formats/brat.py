"""brat's files, `NAME.txt` with the text and `NAME.ann` with entities and relations; and NEREL,
which comes as such."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ...errors import DataError, Errors
from ...types import Annotation, Record
from ..labels import (
    EVENT_TASK,
    NEREL_ENTITY_LABELS,
    NEREL_KEY,
    NEREL_RELATION_LABELS,
)
from .bad_input import BadInput, decode, read_bytes, read_lines
from .entry import Card, Dataset, SplitFiles
from .offsets import trimmed

_ENTITY = re.compile(r"(T\d+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")
_RELATION = re.compile(r"(R\d+)\t(\S+) Arg1:(T\d+) Arg2:(T\d+)\s*")
# A line that means to be an entity or a relation, well-formed or not.
_ENTITY_LIKE = re.compile(r"T\d+(\s|$)")
_RELATION_LIKE = re.compile(r"R\d+(\s|$)")
# brat's other lines, by the mark they begin with: not used here.
_IGNORED = re.compile(r"[EAMN#]\w*\d|\*\t|#")
_OTHERS = {
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "normalisations",
    "#": "notes",
    "*": "equivalences",
    "R": "relations",
}

Fragment = Tuple[int, int]


@dataclass(frozen=True)
class Entity:
    """An entity line. `fragments` are character offsets, several for a discontinuous entity."""

    label: str
    fragments: Tuple[Fragment, ...]
    surface: str
    line: int


@dataclass(frozen=True)
class Relation:
    """A relation line. `head` and `tail` are the ids of its entities."""

    label: str
    head: str
    tail: str
    line: int


class Inventory(NamedTuple):
    """The types a corpus has."""

    entities: Collection[str]
    relations: Collection[str]


NEREL_INVENTORY = Inventory(NEREL_ENTITY_LABELS, NEREL_RELATION_LABELS)


@dataclass
class BratDocument:
    """A text with its annotation. `stray_lines` counts lines that are no brat at all, `others`
    the lines of other kinds, such as "notes"."""

    text: str = ""
    entities: Dict[str, Entity] = field(default_factory=dict)
    relations: List[Relation] = field(default_factory=list)
    stray_lines: int = 0
    others: Counter = field(default_factory=Counter)

    @property
    def discontinuous(self) -> int:
        """How many entities are in several pieces, with more than white space between them."""
        return sum(len(joined(self.text, e.fragments)) > 1 for e in self.entities.values())


def read_nerel(path: Path, on_bad: BadInput) -> Iterator[Record]:
    """Reads a folder of brat documents.

    Records: `text`; all continuous entities, nested and crossing ones too, in `spans["nerel"]`;
    `cats` with every one of the 49 relation types, 1.0 where the document has such a relation.
    An empty `.ann` is "annotated, nothing there". Fragments with nothing but white space between
    them are one entity: annotation tools break entities at line ends. Truly discontinuous entities
    cannot be a Span: they are counted and left out, while their relations still count. Stray lines
    are counted and ignored.
    Raises: DataError through `on_bad`.
    """
    stems = sorted({file.with_suffix("") for file in path.glob("*") if _is_brat(file)})
    if not stems:
        on_bad.report(DataError(Errors.E120, path))
        return
    for ann_path, document, spans in read_documents(stems, on_bad, NEREL_INVENTORY):
        yield Record(
            text=document.text,
            spans={NEREL_KEY: spans},
            cats=event_cats(document.relations),
            meta={"path": str(ann_path)},
        )


def read_documents(
    stems: Iterable[Path], on_bad: BadInput, inventory: Optional[Inventory] = None
) -> Iterator[Tuple[Path, BratDocument, List[Annotation]]]:
    """Each document: its `.ann` file, what that says, and the entities in one piece; the others,
    and stray lines, are counted.

    stems: paths without suffix. inventory: as in `read_brat`. Raises: DataError through `on_bad`.
    """
    for stem in stems:
        ann_path = with_suffix(stem, ".ann")
        try:
            document = read_brat(with_suffix(stem, ".txt"), ann_path, inventory)
            spans = continuous_spans(document, ann_path)
        except DataError as error:
            on_bad.report(error)
            continue
        on_bad.note("discontinuous entities left out", document.discontinuous)
        on_bad.note("stray lines ignored", document.stray_lines)
        yield ann_path, document, spans


def read_brat(
    text_path: Path, ann_path: Path, inventory: Optional[Inventory] = None
) -> BratDocument:
    """Reads and checks one document; relations may stand before their entities.

    inventory: the legal types. None allows any type of entity, and counts relations as `others`.
    Raises: DataError for a missing file or an empty text, bad UTF-8, a malformed line, an unknown
        type, two lines with one id, offsets that do not give the quoted text, a relation between
        unknown entities.
    """
    document = _read_annotation(ann_path, inventory)
    raw = decode(read_bytes(text_path), text_path)
    document.text = _text_of(raw, document.entities)
    for entity in document.entities.values():
        found = quoted(document.text, entity.fragments)
        if found is None:
            message = Errors.E122.format(offsets=entity.fragments, length=len(document.text))
            raise DataError(message, ann_path, entity.line)
        if not _same(found, entity.surface):
            message = Errors.E123.format(expected=entity.surface, found=found)
            raise DataError(message, ann_path, entity.line)
    for relation in document.relations:
        for argument in (relation.head, relation.tail):
            if argument not in document.entities:
                message = Errors.E124.format(argument=argument)
                raise DataError(message, ann_path, relation.line)
    return document


def quoted(text: str, fragments: Tuple[Fragment, ...]) -> Optional[str]:
    """The text of an entity as brat quotes it, or None where the offsets leave the text."""
    if any(not 0 <= start < end <= len(text) for start, end in fragments):
        return None
    return " ".join(text[start:end] for start, end in fragments)


def joined(text: str, fragments: Tuple[Fragment, ...]) -> Tuple[Fragment, ...]:
    """The fragments in order, those with nothing but white space between them as one."""
    result: List[Fragment] = []
    for start, end in sorted(fragments):
        last_start, last_end = result[-1] if result else (0, 0)
        if result and not text[last_end:start].strip():
            result[-1] = (last_start, max(last_end, end))
        else:
            result.append((start, end))
    return tuple(result)


def event_cats(relations: List[Relation]) -> Dict[str, float]:
    """`event/TYPE` for all 49 types: 1.0 where a relation of the type is there."""
    present = {relation.label for relation in relations}
    return {f"{EVENT_TASK}/{label}": float(label in present) for label in NEREL_RELATION_LABELS}


def _is_brat(path: Path) -> bool:
    return path.suffix in (".txt", ".ann") and not path.name.startswith(".")


def with_suffix(stem: Path, suffix: str) -> Path:
    """The file of a document. Its name may hold dots."""
    return stem.parent / (stem.name + suffix)


def _same(found: str, surface: str) -> bool:
    """brat quotes line breaks as spaces; editors strip a quotation's trailing blanks."""
    return found.split() == surface.split()


def _text_of(raw: str, entities: Dict[str, Entity]) -> str:
    """The text the offsets were counted on.

    A `.txt` with Windows line ends was either annotated so, or rewritten later (by a version
    control system, say); the quotations tell which.
    """
    unix = raw.replace("\r\n", "\n")
    for text in (unix, raw):
        quotations = ((quoted(text, e.fragments), e.surface) for e in entities.values())
        if all(found is not None and _same(found, surface) for found, surface in quotations):
            return text
    return unix


def _read_annotation(path: Path, inventory: Optional[Inventory]) -> BratDocument:
    document = BratDocument()
    lines_of: Dict[str, int] = {}
    for number, raw in read_lines(path, may_be_empty=True):
        line = decode(raw, path, number)
        if not line.strip():
            continue
        try:
            if _ENTITY_LIKE.match(line):
                name, entity = _parse_entity(line, number, inventory)
                _check_id("entity", name, number, lines_of)
                document.entities[name] = entity
            elif _RELATION_LIKE.match(line) and inventory is not None:
                name, relation = _parse_relation(line, number, inventory)
                _check_id("relation", name, number, lines_of)
                document.relations.append(relation)
            elif _RELATION_LIKE.match(line) or _IGNORED.match(line):
                document.others[_OTHERS[line[0]]] += 1
            else:
                document.stray_lines += 1
        except DataError as error:
            raise DataError(str(error), path, number) from None
    return document


def _check_id(what: str, name: str, number: int, lines_of: Dict[str, int]) -> None:
    """Takes note of an id and its line. Raises: DataError (E164) for a second line with it."""
    first = lines_of.setdefault(name, number)
    if first != number:
        raise DataError(Errors.E164.format(what=what, name=name, first=first))


def _parse_entity(line: str, number: int, inventory: Optional[Inventory]) -> Tuple[str, Entity]:
    match = _ENTITY.fullmatch(line)
    if match is None:
        raise DataError(Errors.E121.format(what="entity", form="T1<TAB>TYPE 0 5<TAB>quotation"))
    name, label, offsets, surface = match.groups()
    if inventory is not None and label not in inventory.entities:
        raise DataError(Errors.E125.format(what="entity", label=label))
    pairs = [pair.split(" ") for pair in offsets.split(";")]
    fragments = tuple((int(start), int(end)) for start, end in pairs)
    return name, Entity(label, fragments, surface, number)


def _parse_relation(line: str, number: int, inventory: Inventory) -> Tuple[str, Relation]:
    match = _RELATION.fullmatch(line)
    if match is None:
        raise DataError(Errors.E121.format(what="relation", form="R1<TAB>TYPE Arg1:T1 Arg2:T2"))
    name, label, head, tail = match.groups()
    if label not in inventory.relations:
        raise DataError(Errors.E125.format(what="relation", label=label))
    return name, Relation(label, head, tail, number)


def continuous_spans(document: BratDocument, path: Path) -> List[Annotation]:
    """The entities in one piece, sorted. Raises: DataError (E123) for one of white space alone."""
    spans: List[Annotation] = []
    for entity in document.entities.values():
        fragments = joined(document.text, entity.fragments)
        if len(fragments) == 1:
            span = trimmed(document.text, *fragments[0], entity.label)
            if span is None:
                message = Errors.E123.format(expected=entity.surface, found="")
                raise DataError(message, path, entity.line)
            spans.append(span)
    # A shorter span after the longer one it begins with, whatever the order of the file.
    spans.sort(key=lambda span: (span.start, -span.end, span.label))
    return spans


NEREL = Dataset(
    name="nerel",
    card=Card(
        title="NEREL",
        author="Loukachevitch et al., 2021",
        url="https://github.com/nerel-ds/NEREL",
        licence="none stated",
        notice="Russian Wikinews articles with annotations; the annotations state no licence.",
    ),
    read=lambda path, on_bad, unit: read_nerel(path, on_bad),
    find=SplitFiles(
        folders=("", "NEREL-v1.1", "NEREL/NEREL-v1.1", "NEREL", "nerel"),
        are_folders=True,
        wanted="the folders train, dev and test, which `spacy project assets . --extra` fetches",
    ),
    labels=NEREL_ENTITY_LABELS,
    language="ru",
    asset="NEREL",
)
