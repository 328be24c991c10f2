"""What was measured, as tables and as JSON."""

from typing import Any, Dict, List, Optional

from ..reports.tables import Table
from .candidates import Candidate
from .choosing import VECTORS, Verdict
from .measuring import LONG, SHORT, Measured

KINDS = (SHORT, LONG)


def optimization_tables(
    found: Dict[Candidate, Measured],
    verdicts: Dict[Candidate, Verdict],
    chosen: Optional[Candidate],
    left_out: Dict[Candidate, str],
) -> List[Table]:
    """Speed and size, scores, and what was left out and why."""
    tables = [speed_table(found, verdicts, chosen), score_table(found, verdicts)]
    reasons = {
        **{candidate: verdict.reason for candidate, verdict in verdicts.items()},
        **left_out,
    }
    rows = [[str(candidate), reason] for candidate, reason in reasons.items() if reason]
    if rows:
        tables.append(Table("Not chosen", ["engine", "because"], rows))
    return tables


def speed_table(
    found: Dict[Candidate, Measured],
    verdicts: Dict[Candidate, Verdict],
    chosen: Optional[Candidate],
) -> Table:
    """A row per candidate. Texts are in batches of 64."""
    first = next(iter(found.values()))
    kinds = [kind for kind in KINDS if kind in first.speeds]
    timed = [column for kind in kinds for column in (f"{kind}: ms per batch", "words/s")]
    columns = ["engine", "device", *timed, "times faster", "load s", "MB on disk", "MB of memory"]
    table = Table("Speed and size", columns)
    for candidate, measured in found.items():
        cells: List[Any] = []
        for kind in kinds:
            speed = measured.speeds[kind]
            cells += [1000 * speed.batch_seconds, round(speed.words_per_second)]
        name = f"{candidate} (chosen)" if candidate == chosen else str(candidate)
        table.rows.append(
            [
                *(name, f"CPU: {measured.engine.split(', ', 2)[-1]}", *cells),
                f"{verdicts[candidate].speed_up:.2f}",
                *(f"{measured.load_seconds:.1f}", round(measured.size_mb)),
                round(measured.memory_mb),
            ]
        )
    return table


def score_table(found: Dict[Candidate, Measured], verdicts: Dict[Candidate, Verdict]) -> Table:
    """A row per candidate: each task's score and its change in points."""
    tasks = list(next(iter(verdicts.values())).changes)
    table = Table("Scores", ["engine", *[name for task in tasks for name in (task, "change")]])
    for candidate, measured in found.items():
        cells: List[Any] = []
        for task in tasks:
            change = verdicts[candidate].changes[task]
            cells += [score_of(measured, task, change), f"{change:+.2f}"]
        table.rows.append([str(candidate), *cells])
    return table


def score_of(measured: Measured, task: str, change: float) -> float:
    """A task's score; of vectors Spearman's correlation, or the mean cosine to the baseline's."""
    if task != VECTORS:
        return measured.counts[task].score
    return 1 + change / 100 if measured.spearman is None else measured.spearman


def as_json(
    found: Dict[Candidate, Measured], verdicts: Dict[Candidate, Verdict]
) -> List[Dict[str, Any]]:
    """An entry per candidate, for meta.json."""
    return [
        {
            "engine": candidate.engine,
            "precision": candidate.precision,
            "runs": measured.engine,
            "speed_up": verdicts[candidate].speed_up,
            "speed": {
                kind: {
                    "batch_seconds": speed.batch_seconds,
                    "words_per_second": speed.words_per_second,
                }
                for kind, speed in measured.speeds.items()
            },
            "load_seconds": measured.load_seconds,
            "size_mb": measured.size_mb,
            "memory_mb": measured.memory_mb,
            "changes": verdicts[candidate].changes,
            "scores": {
                task: counts.score for task, counts in measured.counts.items() if len(counts.counts)
            },
        }
        for candidate, measured in found.items()
    ]
