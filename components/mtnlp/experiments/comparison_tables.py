"""Tables of a side-by-side run, from the results of its runs."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..errors import Errors, MtnlpError
from ..files import write_csv, write_text
from ..reports.tables import Table, show

Result = Mapping[str, Any]
Row = Dict[str, Any]

# Scored on which split, the one that counts first.
SPLITS = ("test", "dev")
# What a run measured, and how it is called in the Markdown table.
MEASURES = {
    "seconds": "training seconds",
    "words_per_second": "words/s",
    "predict_words_per_second": "words/s predicting",
    "peak_memory_mb": "peak MB",
    "peak_gpu_memory_mb": "peak GPU MB",
}
TITLE = "{name}: mean ± half of the 95% t-interval (standard deviation) over seeds"


@dataclass(frozen=True)
class Spread:
    """A mean over runs with other seeds.

    n: the runs. sd: the sample standard deviation (n - 1 in its denominator). half_width: of the
    interval of the mean after Student's t, mean ± half_width. Both are None for a single run.
    """

    n: int
    mean: float
    sd: Optional[float] = None
    half_width: Optional[float] = None


def spread(values: Sequence[float], level: float = 0.95) -> Spread:
    """Mean, standard deviation and interval of at least one value."""
    n, mean = len(values), fmean(values)
    if n == 1:
        return Spread(n, mean)
    from scipy.stats import t as student  # comes with the extra `reports`

    sd = stdev(values)
    quantile = float(student.ppf(0.5 + level / 2, n - 1))
    return Spread(n, mean, sd, quantile * sd / n**0.5)


def run_rows(results: Sequence[Result]) -> List[Row]:
    """One row per run: its axis values, seed, measures, and all of its scores by `split_key`."""
    rows = []
    for result in results:
        measures = result["measures"]
        found = {name: measures[name] for name in MEASURES if measures.get(name) is not None}
        scores = {
            f"{split}_{key}": value
            for split in SPLITS
            for key, value in flat_scores(result["scores"].get(split, {})).items()
        }
        rows.append({**result["cell"], "seed": result["seed"], **found, **scores})
    return rows


def flat_scores(scores: Mapping[str, Any]) -> Dict[str, float]:
    """spaCy's scores as numbers: what is kept by type or label becomes `key.LABEL`, its F1."""
    flat: Dict[str, float] = {}
    for key, value in scores.items():
        if isinstance(value, Mapping):
            numbers = {
                label: item.get("f") if isinstance(item, Mapping) else item
                for label, item in value.items()
            }
        else:
            numbers = {"": value}
        for label, number in numbers.items():
            if isinstance(number, (int, float)):
                flat[f"{key}.{label}" if label else key] = float(number)
    return flat


class ComparisonTable:
    """One row per cell, the numbers as means over seeds.

    results: of the runs (`result.json`). axes: their names. metrics: score keys, the main one
    first; one kept by type stands for each of its types. A score that only some seeds have counts
    where it is; what no run has is left out.
    """

    def __init__(self, results: Sequence[Result], axes: Sequence[str], metrics: Sequence[str]):
        self.axes = list(axes)
        self.runs = run_rows(results)
        known = dict.fromkeys(key for row in self.runs for key in row if key not in self.axes)
        self.scores = [
            key
            for split in SPLITS
            for metric in metrics
            for key in known
            if key == f"{split}_{metric}" or key.startswith(f"{split}_{metric}.")
        ]
        self.measures = [name for name in MEASURES if name in known]
        self.cells: List[Tuple[Tuple[str, ...], Dict[str, Spread]]] = []
        for values in dict.fromkeys(self._values(row) for row in self.runs):
            rows = [row for row in self.runs if self._values(row) == values]
            self.cells.append((values, self._spreads(rows)))

    @property
    def main(self) -> str:
        """The score that is drawn: the first metric, on test where there is one."""
        return self.scores[0]

    def check(self, metrics: Iterable[str]) -> None:
        """Raises: MtnlpError (E427) for a metric that no run has."""
        for metric in metrics:
            keys = [f"{split}_{metric}" for split in SPLITS]
            if not any(key == s or s.startswith(f"{key}.") for key in keys for s in self.scores):
                dev = [key for row in self.runs for key in row if key.startswith("dev_")]
                names = dict.fromkeys(key.removeprefix("dev_").split(".")[0] for key in dev)
                raise MtnlpError(Errors.E427.format(metric=metric, known=", ".join(names)))

    def to_rows(self) -> List[Row]:
        """For a CSV file: of each score mean, sd and half_width, of each measure the mean."""
        rows = []
        for values, spreads in self.cells:
            row: Row = dict(zip(self.axes, values, strict=True))
            row["seeds"] = self._seeds(values)
            for key in self.scores:
                item = spreads.get(key)
                for number in ("mean", "sd", "half_width"):
                    row[f"{key}_{number}"] = getattr(item, number) if item else None
            for key in self.measures:
                row[key] = spreads[key].mean if key in spreads else None
            rows.append(row)
        return rows

    def to_table(self, name: str) -> Table:
        """For readers: scores on the first split there is and, where that is test, the main one on
        dev, too. name: of the comparison."""
        split, _, main = self.main.partition("_")
        shown = [key for key in self.scores if key.startswith(f"{split}_") or key == f"dev_{main}"]
        measures = [MEASURES[key] for key in self.measures]
        columns = [*self.axes, "seeds", *map(heading, shown), *measures]
        table = Table(TITLE.format(name=name), columns)
        for values, spreads in self.cells:
            scores = [show_spread(spreads[key]) if key in spreads else "–" for key in shown]
            means = [spreads[key].mean if key in spreads else None for key in self.measures]
            table.rows.append([*values, self._seeds(values), *scores, *map(_rounded, means)])
        return table

    def _seeds(self, values: Tuple[str, ...]) -> int:
        return sum(self._values(row) == values for row in self.runs)

    def _values(self, row: Row) -> Tuple[str, ...]:
        return tuple(row[axis] for axis in self.axes)

    def _spreads(self, rows: Sequence[Row]) -> Dict[str, Spread]:
        spreads = {}
        for key in (*self.scores, *self.measures):
            values = [row[key] for row in rows if key in row]
            if values:
                spreads[key] = spread(values)
        return spreads


def heading(key: str) -> str:
    """`test_ents_f` as "test ents_f", `test_ents_per_type.LOC` as "test ents LOC"."""
    return key.replace("_per_type.", " ").replace("_", " ", 1)


def show_spread(item: Spread) -> str:
    """`0.7512 ± 0.0123 (0.0050)`; the mean alone for a single run."""
    if item.sd is None:
        return show(item.mean)
    return f"{show(item.mean)} ± {show(item.half_width)} ({show(item.sd)})"


def write_tables(folder: Path, name: str, table: ComparisonTable) -> None:
    """Write `runs.csv`, `table.csv` and `table.md`."""
    write_csv(folder / "runs.csv", table.runs)
    write_csv(folder / "table.csv", table.to_rows())
    write_text(folder / "table.md", table.to_table(name).to_markdown())


def _rounded(value: Any) -> Any:
    return value if value is None or value < 10 else round(value)
