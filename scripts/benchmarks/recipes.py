"""How good are the recipes of `mtnlp init`? Each beside the best of a grid, on ten data sets.

    python scripts/benchmarks/recipes.py --data FOLDER --output training/recipes --only conll_200

Per data set: the corpus is converted, the recipe is chosen by the rule, and a grid of rates and
batch sizes is trained for as many epochs (one seed). The cell that is best on dev and the recipe
are then trained with three seeds and scored on test. What is done is not done again. The last
thing printed, and written to `OUTPUT/table.md` and `OUTPUT/table.json`, is a row per data set.
"""

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from thinc.api import Config
from wasabi import msg

from mtnlp.cli.progress import run_progress
from mtnlp.data.convert import convert
from mtnlp.data.options import ConvertOptions
from mtnlp.data.statistics import WordpieceCounter
from mtnlp.experiments.comparison import Comparison, make_comparison
from mtnlp.experiments.comparison_report import write_results
from mtnlp.experiments.grid import Cell, Grid, override_settings
from mtnlp.experiments.runs import Result
from mtnlp.files import write_json, write_text
from mtnlp.recipes.config import write_config
from mtnlp.recipes.overrides import Overrides
from mtnlp.recipes.profiling import profile_corpus, profile_encoder
from mtnlp.recipes.rule import choose_recipe
from mtnlp.recipes.tables import data_tables
from mtnlp.reports.tables import print_tables

RATES = (1e-4, 2e-4, 4e-4)
BATCHES = (300, 1200)
SEEDS = (0, 1, 2)
RECIPE = "recipe"
RATE = "training.optimizer.learn_rate"
BATCH = "training.batcher.size"


@dataclass(frozen=True)
class DataSet:
    """A data set of the comparison.

    metrics: score keys; their mean is the score. options: of the conversion, paths below the
    folder of the data. multilingual: read by the multilingual encoder.
    """

    name: str
    metrics: Tuple[str, ...]
    options: Mapping[str, Any]
    multilingual: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def convert_options(self, data: Path, out: Path) -> ConvertOptions:
        """The conversion into `out`."""
        values = dict(self.options)
        for key in ("path", "train", "dev", "test", "label_names"):
            if key in values:
                values[key] = data / values[key]
        return ConvertOptions(name=self.name, out=out, **values)


def conll(limit: int) -> DataSet:
    """CoNLL-2003 with so many sentences for training; 0 is all."""
    options = {"format": "conll", "source": "local", "path": "conll2003", "limit": (limit, 500, 0)}
    return DataSet(f"conll_{limit or 'all'}", ("ents_f",), options)


def crossner(domain: str) -> DataSet:
    """A domain of CrossNER. A fifth of its training sentences is dev; its dev file is test."""
    files = {"train": f"crossner/{domain}/train.txt", "test": f"crossner/{domain}/dev.txt"}
    return DataSet(f"crossner_{domain}", ("ents_f",), {"format": "columns", **files})


def utterances(name: str, limit: int = 0) -> DataSet:
    """ATIS or SNIPS: slots and an intent of the same utterance."""
    files = {"train": f"{name}/train.jsonl", "test": f"{name}/dev.jsonl"}
    options = {"format": "jsonl", "task": "intent", "dev_share": 0.1, "limit": (limit, 500, 0)}
    return DataSet(name, ("ents_f", "cats_intent_acc"), {**files, **options})


DATA_SETS = (
    *(conll(limit) for limit in (200, 500, 2000, 0)),
    DataSet(
        "wikineural",
        ("spans_multinerd_f",),
        {
            "format": "multinerd",
            "source": "local",
            "path": "wikineural_en",
            "limit": (500, 500, 0),
        },
    ),
    *(crossner(domain) for domain in ("politics", "science", "music", "literature", "ai")),
    utterances("atis", 500),
    utterances("snips", 500),
    DataSet(
        "goemotions",
        ("cats_emotion_macro_f",),
        {
            "format": "csv",
            "train": "goemotions/train.tsv",
            "test": "goemotions/dev.tsv",
            "text_field": "0",
            "label_field": "1",
            "label_separator": ",",
            "label_names": "goemotions/labels.txt",
            "task": "emotion",
            "dev_share": 0.1,
            "limit": (1500, 1000, 0),
        },
    ),
    DataSet(
        "imdb",
        ("cats_sentiment_acc",),
        {"format": "imdb", "source": "local", "path": ".", "limit": (300, 500, 1000)},
    ),
    DataSet(
        "nerel",
        ("spans_nerel_f", "cats_event_micro_f"),
        {"format": "nerel", "source": "local", "path": "NEREL-v1.1", "limit": (30, 0, 0)},
        multilingual=True,
    ),
)


def score_of(result: Result, split: str, metrics: Sequence[str]) -> float:
    """The mean of the data set's metrics, in points."""
    return 100 * mean(float(result["scores"][split][key]) for key in metrics)


def make_cells(
    config: Path, overrides: Mapping[str, Any], rates: Sequence[float] = RATES
) -> List[Cell]:
    """The recipe as it is, and the grid around it, of as many epochs."""
    cells = [Cell({RECIPE: "chosen"}, config, tuple(override_settings(overrides)))]
    for rate in rates:
        for batch in BATCHES:
            values = {"rate": f"{rate:g}", "batch": str(batch)}
            settings = override_settings({**overrides, RATE: rate, BATCH: batch})
            cells.append(Cell(values, config, tuple(settings)))
    return cells


def run_cells(
    cells: Sequence[Cell], seeds: Sequence[int], data_set: DataSet, output: Path
) -> List[Result]:
    """Train and score; what is done is read."""
    grid = Grid(data_set.name, [], list(cells), list(seeds), list(data_set.metrics), "last")
    comparison: Comparison = make_comparison(grid, output)
    msg.info(f"{data_set.name}: {comparison.progress_summary()}")
    if comparison.left:
        with run_progress(len(comparison.runs)) as show:
            comparison.run(show, lambda: write_results(comparison))
    for failure in comparison.failures:
        msg.fail(failure)
    return comparison.results


def measure(
    data_set: DataSet, config: Path, output: Path, rates: Sequence[float] = RATES
) -> Dict[str, Any]:
    """The row of a data set: scores on test in points, three seeds each."""
    cells = make_cells(config, data_set.overrides, rates)
    first = run_cells(cells, SEEDS[:1], data_set, output)
    grid = [found for found in first if found["cell"] != cells[0].values]
    best = max(grid, key=lambda found: score_of(found, "dev", data_set.metrics))
    finalists = [cell for cell in cells if cell.values in (cells[0].values, best["cell"])]
    results = run_cells(finalists, SEEDS, data_set, output)
    row: Dict[str, Any] = {"data": data_set.name, "best": best["cell"]}
    for name, values in ((RECIPE, cells[0].values), ("grid", best["cell"])):
        scores = [
            score_of(found, "test", data_set.metrics)
            for found in results
            if found["cell"] == values
        ]
        row[name] = {"mean": mean(scores), "sd": stdev(scores), "runs": len(scores)}
        row[name]["seconds"] = mean(
            found["measures"]["seconds"] for found in results if found["cell"] == values
        )
    row["difference"] = row[RECIPE]["mean"] - row["grid"]["mean"]
    return row


def to_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a table."""
    lines = [
        "| data | recipe | best of the grid | its settings | difference |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        shown = [f"{row[name]['mean']:.1f} ± {row[name]['sd']:.1f}" for name in (RECIPE, "grid")]
        best = ", ".join(f"{key} {value}" for key, value in row["best"].items())
        lines.append(f"| {row['data']} | {' | '.join(shown)} | {best} | {row['difference']:+.1f} |")
    if rows:
        difference = mean(row["difference"] for row in rows)
        lines.append(f"| mean | | | | {difference:+.2f} |")
    return "\n".join(lines) + "\n"


def recipe_config(
    data_set: DataSet, data: Path, folder: Path, encoder: str, overrides: Overrides, most: int
) -> Path:
    """Convert a data set below `folder`, unless it is there, and write the config of its recipe.

    most: the wordpieces a run may train on, all epochs together; the epochs are cut to it.
    Returns: the config's path. Its corpora are named by absolute paths.
    """
    corpus, path = (folder / "corpus").resolve(), folder / "config.cfg"
    if not (corpus / "train" / f"{data_set.name}.spacy").exists():
        convert(data_set.convert_options(data, corpus))
    language = "ru" if data_set.multilingual else "en"
    profile = profile_corpus(corpus, data_set.name, WordpieceCounter(encoder), language)
    described = profile_encoder(encoder)
    recipe = choose_recipe({data_set.name: profile}, described, "cpu", overrides)
    affordable = max(1, round(most / profile.pieces))
    if recipe.epochs > affordable:
        overrides = replace(overrides, epochs=affordable)
        recipe = choose_recipe({data_set.name: profile}, described, "cpu", overrides)
    print_tables(data_tables({data_set.name: profile}, described, recipe))
    text = write_config(recipe, [data_set.name], described)
    config = Config().from_str(text, interpolate=False)
    config["paths"]["corpus"] = str(corpus)
    for split in ("dev", "test"):
        config["paths"][split] = str(corpus / split / f"{data_set.name}.spacy")
    config["corpora"]["dev"]["path"] = "${paths.dev}"
    config["training"]["eval_frequency"] = 100_000
    config["initialize"]["before_init"].pop("evaluations", None)
    write_text(path, config.to_str(interpolate=False))
    return path


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    first = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=first)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--output", type=Path, default=Path("training/recipes"))
    parser.add_argument("--only", nargs="+", choices=[item.name for item in DATA_SETS])
    parser.add_argument("--encoder", default="assets/backbone/all-MiniLM-L6-v2")
    parser.add_argument("--multilingual", help="the encoder for NEREL; left out without one")
    parser.add_argument("--most", type=int, default=100_000, help="wordpieces of a run, at most")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="of the grid")
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    return parser.parse_args()


def main() -> None:
    """Measure the data sets asked for."""
    arguments = parse_arguments()
    overrides = Overrides(precision=arguments.precision)
    rows: List[Dict[str, Any]] = []
    for data_set in DATA_SETS:
        encoder = arguments.multilingual if data_set.multilingual else arguments.encoder
        if encoder is None or (arguments.only and data_set.name not in arguments.only):
            continue
        folder = arguments.output / data_set.name
        folder.mkdir(parents=True, exist_ok=True)
        config = recipe_config(data_set, arguments.data, folder, encoder, overrides, arguments.most)
        rows.append(measure(data_set, config, folder, arguments.rates))
        write_json(arguments.output / "table.json", rows)
        write_text(arguments.output / "table.md", to_markdown(rows))
    print(to_markdown(rows))


if __name__ == "__main__":
    main()
