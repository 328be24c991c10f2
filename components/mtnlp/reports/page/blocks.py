"""What a page is built of: sections, groups in them, and blocks of text, charts and examples.

A block names its template, a file under `templates/`, which gets the block as `block` and the level
of its heading as `level`. Templates escape what they are given.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

from ..tables import Table
from .marks import Word, marked

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
    chart: a Vega-Lite spec, without its schema, config and size: the page sets the width, and the
        colours by the reader's scheme. None shows the table by itself.
    wide: across the whole page, rather than beside another figure.
    minimum: the least width of the chart in pixels; on narrower screens it scrolls within itself.
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
    minimum: int = 0

    @property
    def spec(self) -> Optional[Spec]:
        return self.chart

    @property
    def tables(self) -> Dict[str, Table]:
        return {self.name: self.table}

    @property
    def rows(self) -> List[List[Tuple[str, str, str]]]:
        """The table's cells: what is shown, the value to sort by, and the class of the cell."""
        return [[_cell(value) for value in row] for row in self.table.rows]

    @property
    def numeric(self) -> List[bool]:
        """Which columns hold numbers."""
        columns = range(len(self.table.columns))
        return [
            bool(self.table.rows)
            and not any(isinstance(row[column], str) for row in self.table.rows)
            for column in columns
        ]


@dataclass(frozen=True)
class Example:
    """A text with what is right and what was predicted.

    words, spaces: the tokens, and whether white space follows each.
    gold, predicted: [start, end, label] in tokens, `end` behind the last one. None: not given.
    note: what is said of it, such as the kind of the error.
    """

    words: Sequence[str]
    spaces: Sequence[bool]
    gold: Optional[Sequence[Sequence[Any]]] = None
    predicted: Optional[Sequence[Sequence[Any]]] = None
    note: str = ""
    names: Tuple[str, str] = ("gold", "predicted")

    @property
    def lines(self) -> List[Tuple[str, List[Word]]]:
        """Each reading by its name: the marked text, gold first."""
        readings = zip(self.names, (self.gold, self.predicted), strict=True)
        return [
            (name, marked(self.words, self.spaces, spans))
            for name, spans in readings
            if spans is not None
        ]


@dataclass(frozen=True)
class Examples(Block):
    """Texts in displaCy's style: gold above, predicted below."""

    template: ClassVar[str] = "examples.html"
    title: str
    shows: str
    do: str
    items: Sequence[Example]
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


def _cell(value: Any) -> Tuple[str, str, str]:
    from ..tables import show

    if isinstance(value, str):
        return value, value, "text"
    ordered = value[0] if isinstance(value, (list, tuple)) and value else value
    return show(value), "" if ordered is None else repr(ordered), "number"
