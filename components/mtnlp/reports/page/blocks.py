"""What a page is built of: sections, groups in them, and blocks of text, charts and examples.

A block names its template, a file under `templates/`, which gets the block as `block` and the level
of its heading as `level`. Templates escape what they are given.
"""

from dataclasses import dataclass, field
from typing import (
    Any,
    ClassVar,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from ..tables import Table
from .marks import Word, label_color, marked

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Block:
    """The base class of all blocks.

    template: the file that draws it. scripts: files of JavaScript under `templates/` that it needs;
        a page holds each of them once.
    """

    template: ClassVar[str]
    scripts: ClassVar[Tuple[str, ...]] = ()

    @property
    def spec(self) -> Optional[Spec]:
        """A chart of Vega-Lite, where the block has one."""
        return None

    @property
    def tables(self) -> Dict[str, Table]:
        """The tables behind it, by the name of their file without its ending."""
        return {}


@dataclass(frozen=True)
class Prose(Block):
    """Paragraphs."""

    template: ClassVar[str] = "prose.html"
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Facts(Block):
    """Terms, and what there is to say of each."""

    template: ClassVar[str] = "facts.html"
    items: Sequence[Tuple[str, str]]


@dataclass(frozen=True)
class Figure(Block):
    """A chart, or a table alone, with what it shows and what one could do about it.

    title: the heading. shows, do: a sentence or two in plain words.
    table: the numbers. name: the table's file, unique on the page.
    chart: a Vega-Lite spec, without its schema and config: the page sets the colours by the
        reader's scheme, and the width where the spec has none. A chart with a width of its own
        scrolls within itself where the screen is narrower. None shows the table by itself.
    wide: across the whole page, rather than beside another figure.
    more: tables that are only written as files, by name.
    """

    template: ClassVar[str] = "figure.html"
    scripts: ClassVar[Tuple[str, ...]] = ("tables.js",)
    title: str
    shows: str
    do: str
    table: Table
    name: str
    chart: Optional[Spec] = None
    wide: bool = False
    more: Mapping[str, Table] = field(default_factory=dict)

    @property
    def spec(self) -> Optional[Spec]:
        return self.chart

    @property
    def tables(self) -> Dict[str, Table]:
        return {self.name: self.table, **self.more}


@dataclass(frozen=True)
class Tables(Block):
    """Tables one below the other, folded away. named: by the name of their file."""

    template: ClassVar[str] = "tables.html"
    scripts: ClassVar[Tuple[str, ...]] = ("tables.js",)
    title: str
    named: Mapping[str, Table]
    wide: bool = True

    @property
    def tables(self) -> Dict[str, Table]:
        return dict(self.named)


class Reading(NamedTuple):
    """One way to read a text. name: whose it is. words: the text with its marks; empty where the
    reading is of labels alone. labels: those of the whole text, each with its colour."""

    name: str
    words: List[Word]
    labels: List[Tuple[str, str]]


@dataclass(frozen=True)
class Example:
    """A text with its entities as several read it.

    words, spaces: the tokens, and whether white space follows each.
    readings: whose reading it is, and its [start, end, label] in tokens, `end` behind the last one.
    note: what is said of it, such as the kind of the error.
    """

    words: Sequence[str]
    spaces: Sequence[bool]
    readings: Sequence[Tuple[str, Sequence[Sequence[Any]]]]
    note: str = ""

    @property
    def lines(self) -> List[Reading]:
        """Each reading with the marked text."""
        return [
            Reading(name, marked(self.words, self.spaces, spans), [])
            for name, spans in self.readings
        ]


@dataclass(frozen=True)
class LabelledText:
    """A text with its labels as several read it. readings: whose reading it is, and its labels."""

    text: str
    readings: Sequence[Tuple[str, Sequence[str]]]
    note: str = ""

    @property
    def lines(self) -> List[Reading]:
        """Each reading with its labels."""
        return [
            Reading(name, [], [(label, label_color(label)) for label in labels])
            for name, labels in self.readings
        ]


@dataclass(frozen=True)
class Examples(Block):
    """Texts in displaCy's style, one reading below the other, gold first.

    at_once: how many of them are in view; the others are folded away.
    """

    template: ClassVar[str] = "examples.html"
    title: str
    shows: str
    do: str
    items: Sequence[Union[Example, LabelledText]]
    at_once: int = 3
    wide: bool = True


@dataclass(frozen=True)
class Group:
    """A part of a section with a heading of its own.

    name: unique on the page; letters, digits and hyphens. lead: a sentence below the heading.
    """

    name: str
    title: str
    blocks: Sequence[Block]
    lead: str = ""


@dataclass(frozen=True)
class Section:
    """A chapter of the page: blocks, then groups.

    name: unique on the page; letters, digits and hyphens, as it stands behind the `#` of a link.
    """

    name: str
    title: str
    blocks: Sequence[Block] = ()
    groups: Sequence[Group] = ()
    lead: str = ""
    every: List[Block] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        blocks = [*self.blocks, *(block for group in self.groups for block in group.blocks)]
        object.__setattr__(self, "every", blocks)
