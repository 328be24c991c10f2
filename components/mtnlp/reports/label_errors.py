"""What `mtnlp find-label-errors` found: a page to look at, and lines for the terminal."""

from collections import Counter
from typing import Any, List, Mapping, Sequence, Tuple, Union

from .page.blocks import Block, Example, Examples, Facts, Figure, LabelledText, Section
from .page.cells import percent
from .page.charts import bars
from .page.frame import render_page
from .tables import Table

Row = Mapping[str, Any]

# Categories have no place within a text.
CATEGORIES = "cats/"
# An entity of two Docs: the layer it is in follows.
SENTENCES = "sentences/"
# From here on the other reading is the more probable one.
LIKELY = 0.5
# How many of a layer are in view; the others are folded away.
AT_ONCE = 20

LEAD = (
    "The corpus was judged by pipelines that were not trained on what they judged. The most "
    "probable errors come first."
)
SHOWS = (
    "What is annotated, and what the pipeline finds in its place. The percentage says how sure it "
    "is that the annotation is wrong. An error that the whole corpus makes again and again is not "
    "among them: the pipeline learnt it."
)
DO = (
    'Write "answer": "accept" or "reject" into the line of suggestions.jsonl with the same rank, '
    "or import an export (--export) into your annotation tool. mtnlp find-label-errors --apply "
    "then writes the corrected corpus."
)

CUT_SHOWS = (
    "Two sentences of a text that follow each other. Read as one they have an entity across the "
    "place where the first ends. The percentage says how sure the pipeline is of that."
)
CUT_DO = (
    "Join the sentences where the corpus comes from, and convert it again: a correction within a "
    "sentence cannot mend that, and --apply leaves these as they are."
)


def label_error_page(
    rows: Sequence[Row], total: int, left_out: Mapping[str, int], about: Sequence[Tuple[str, str]]
) -> str:
    """The page as HTML.

    rows: the first suggestions, as `suggestions.jsonl` has them. total: of all. left_out: what
    could not be judged, counted. about: what there is to say of the run, term by term.
    Raises: ModuleNotFoundError without vl_convert (extra `reports`), where there is a suggestion.
    """
    facts = [
        *about,
        ("Suggestions", f"{total:,}, of which {len(rows):,} are on this page"),
        ("More probable than the annotation", f"{sum(map(is_likely, rows)):,} of these"),
        *((f"Left out: {what}", f"{count:,}") for what, count in left_out.items() if count),
    ]
    blocks: List[Block] = [Facts(facts)]
    if rows:
        blocks.append(kinds_figure(rows))
    sections = [Section("overview", "Overview", blocks)]
    for layer in dict.fromkeys(row["layer"] for row in rows):
        sections.append(layer_section(layer, [row for row in rows if row["layer"] == layer]))
    return render_page("Errors in the labels", sections, lead=LEAD)


def is_likely(row: Row) -> bool:
    """Whether the other reading is the more probable one."""
    return bool(row["score"] >= LIKELY)


def kinds_figure(rows: Sequence[Row]) -> Figure:
    """What is wrong, by kind and label: where a guideline is unclear, its label stands out.

    Suggestions that are less probable than the annotation would hide that; they count where there
    are no others.
    """
    likely = [row for row in rows if is_likely(row)]
    counts = Counter((row["layer"], row["kind"], change(row)) for row in likely or rows)
    table = Table("What is wrong", ["layer", "kind", "annotated → suggested", "suggestions"])
    table.rows = [[*key, count] for key, count in counts.most_common()]
    values = [
        {"label": f"{labels}\n{kind}", "value": count, "text": str(count)}
        for (_, kind, labels), count in counts.most_common(15)
    ]
    shows = "Which label is changed to which other one, and how often"
    shows += (
        f": the {len(likely):,} suggestions that are more probable than the annotation."
        if likely
        else ". No suggestion is more probable than the annotation: these are all of them."
    )
    return Figure(
        "What is wrong",
        shows,
        "Where one pair stands out, the guideline is probably unclear: decide it once, and look at "
        "all entities of these labels.",
        table,
        "kinds",
        bars(values, "suggestions", domain=None),
        wide=True,
    )


def change(row: Row) -> str:
    """The labels on both sides, once where they are the same."""
    sides = ((label_of(entry) for entry in row[side]) for side in ("given", "suggested"))
    given, suggested = (", ".join(dict.fromkeys(side)) or "nothing" for side in sides)
    return given if given == suggested else f"{given} → {suggested}"


def label_of(entry: Any) -> str:
    """Of a span its label, of a category itself."""
    return str(entry) if isinstance(entry, str) else str(entry[2])


def layer_section(layer: str, rows: Sequence[Row]) -> Section:
    """The suggestions of a layer."""
    items = [example(row) for row in rows]
    named = "entities" if layer == "ents" else layer
    shows, do = SHOWS, DO
    if layer.startswith(SENTENCES):
        named = f"ends of sentences ({layer.removeprefix(SENTENCES)})"
        shows, do = CUT_SHOWS, CUT_DO
    table = Table(f"Suggestions: {named}", ["rank", "kind", "probably wrong", "annotated"])
    table.columns += ["suggested", "component", "file", "number"]
    table.rows = [
        [
            *(row["rank"], row["kind"], row["score"], side_text(row, "given")),
            *(side_text(row, "suggested"), row["component"], row["file"], row["number"]),
        ]
        for row in rows
    ]
    name = "layer-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in layer.lower())
    blocks: List[Block] = [
        Examples(f"{len(rows):,} suggestions", shows, do, items, at_once=AT_ONCE),
        Figure("The same as a table", shows, do, table, name, wide=True),
    ]
    return Section(name, named[:1].upper() + named[1:], blocks)


def side_text(row: Row, side: str) -> str:
    """What one side says, in words."""
    texts = row[f"{side}_texts"] or [""] * len(row[side])
    parts = [f"{text} {label_of(entry)}" for entry, text in zip(row[side], texts, strict=True)]
    return ", ".join(part.strip() for part in parts) or "nothing"


def example(row: Row) -> Union[Example, LabelledText]:
    """A suggestion as a text that is read in two ways."""
    note = (
        f"{row['rank']}. {row['kind']}, {percent(row['score'])} sure to be wrong "
        f"({row['file']}, number {row['number']})"
    )
    if row["layer"].startswith(CATEGORIES):
        text = f"{row['before']}{row['words']}{row['behind']}"
        sides = [("annotated", row["given"]), ("suggested", row["suggested"])]
        return LabelledText(text, sides, note)
    first = row["first"]
    readings = [
        (name, [[start - first, end - first, label] for start, end, label in spans])
        for name, spans in (
            ("annotated", [*row["around"], *row["given"]]),
            ("suggested", [*row["around"], *row["suggested"]]),
        )
    ]
    return Example(row["tokens"], row["spaces"], readings, note)


def found_lines(total: int, rows: Sequence[Row], left_out: Mapping[str, int]) -> List[str]:
    """What a run found, for the terminal."""
    likely = sum(map(is_likely, rows))
    kinds = Counter(row["kind"] for row in rows if is_likely(row))
    shown = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    lines = [f"{total:,} suggestions; {likely:,} are more probable than the annotation ({shown})"]
    return lines + [f"Left out: {what}: {count:,}" for what, count in left_out.items() if count]


def applied_lines(
    answers: Mapping[str, int], docs: int, changed: int, left_out: Mapping[str, int]
) -> List[str]:
    """What became of reviewed corrections, for the terminal. answers: of suggestions, counted.
    left_out: what was not taken over as it is, and why, counted."""
    shown = ", ".join(f"{answer} {count:,}" for answer, count in answers.items())
    lines = [f"Answers: {shown}"] if shown else []
    lines.append(f"{docs:,} documents looked at, {changed:,} changed")
    return lines + [f"{what}: {count:,}" for what, count in left_out.items() if count]
