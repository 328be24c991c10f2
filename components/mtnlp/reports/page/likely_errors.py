"""What is probably annotated wrongly, on the page of a report."""

from typing import Any, List, Mapping, Optional, Sequence, Tuple

from ..tables import Table
from .blocks import Block, Examples, Figure, LabelledText, Prose
from .cells import percent

Numbers = Mapping[str, Any]

MOST = 50
HOW_TO_FIND_THEM = (
    "No likely annotation errors are listed here. `mtnlp find-label-errors` trains on parts of the "
    "data, predicts the others, and ranks what is probably annotated wrongly; `--label-errors` "
    "brings its suggestions onto this page."
)
DO = (
    "Look at them from the top. Accept or reject each in suggestions.jsonl or in an annotation "
    "tool, and let `mtnlp find-label-errors --apply` write the corrected corpus."
)


def likely_errors(found: Optional[Sequence[Numbers]]) -> List[Block]:
    """The first of the suggestions of `mtnlp find-label-errors`. found: its rows; None where it
    was not run."""
    if found is None:
        return [Prose([HOW_TO_FIND_THEM])]
    if not found:
        return [Prose(["The search for annotation errors found none."])]
    shown = list(found)[:MOST]
    columns = ["rank", "what is wrong", "probably wrong", "annotated", "suggested", "component"]
    table = Table("Likely annotation errors", [*columns, "file", "document"])
    items = []
    for row in shown:
        given, suggested = (_labels(row, side) for side in ("given", "suggested"))
        sides = ", ".join(given) or "nothing", ", ".join(suggested) or "nothing"
        place = [row["component"], row["file"], row["number"]]
        table.rows.append([row["rank"], row["kind"], row["score"], *sides, *place])
        note = f"{row['rank']}. {row['kind']}, {percent(row['score'])} sure to be wrong"
        text = f"{row['before']}{row['words']}{row['behind']}"
        items.append(LabelledText(text, [("annotated", given), ("suggested", suggested)], note))
    shows = (
        f"The first {len(shown)} of the places where the annotation is probably wrong, by "
        "pipelines that did not learn from the document."
    )
    return [
        Examples("Likely annotation errors", shows, DO, items, at_once=5),
        Figure("The same as a table", shows, DO, table, "label-errors", wide=True),
    ]


def _labels(row: Numbers, side: str) -> List[str]:
    """What one side says: labels of the text, or words with theirs."""
    pairs: Sequence[Tuple[Any, str]] = list(zip(row[side], row[f"{side}_texts"], strict=False))
    if len(pairs) < len(row[side]):
        return [str(label) for label in row[side]]
    return [f"{text}: {span[-1]}" if not isinstance(span, str) else span for span, text in pairs]
