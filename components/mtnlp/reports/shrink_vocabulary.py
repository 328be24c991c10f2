"""Tables of `mtnlp shrink-vocabulary`, from what it did."""

from typing import Any, List

from .tables import Table

MEGABYTE = 1_000_000


def shrink_tables(done: Any) -> List[Table]:
    """What was kept and what for, the agreement on texts held out, and the size before and after.

    done: a `mtnlp.trainer.shrink_vocabulary.Shrunk`.
    """
    kept = Table("Pieces kept", ["for", "pieces"])
    kept.rows = [[reason, count] for reason, count in done.kept.items() if count]
    tables = [kept]
    if done.check is not None:
        check = done.check
        held_out = Table("Texts held out", ["", "before", "after", "share"])
        held_out.rows = [
            ["texts, and those cut alike", check.texts, check.same, share(check.same, check.texts)],
            [
                "pieces",
                check.pieces,
                check.new_pieces,
                share(check.new_pieces, check.pieces),
            ],
            ["pieces no longer there", None, check.lost, share(check.lost, check.pieces)],
            [
                "pieces unknown",
                check.unknown,
                check.new_unknown,
                share(check.new_unknown, check.new_pieces),
            ],
        ]
        tables.append(held_out)
    size = Table("Size", ["", "before", "after", "share"])
    for label, field, unit in (
        ("pieces", "pieces", 1),
        ("parameters", "parameters", 1),
        ("weights, MB", "weights", MEGABYTE),
        ("all files, MB", "files", MEGABYTE),
    ):
        before, after = getattr(done.before, field), getattr(done.after, field)
        numbers = [before, after] if unit == 1 else [before / unit, after / unit]
        size.rows.append([label, *numbers, share(after, before)])
    tables.append(size)
    return tables


def share(some: int, all: int) -> float:
    """A share as a number from 0 on; 0 of nothing."""
    return some / all if all else 0.0
