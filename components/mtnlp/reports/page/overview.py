"""The first section: what the pipeline is, how good it is, and what matters most."""

from dataclasses import dataclass
from typing import Any, ClassVar, Dict, List, Mapping, Sequence, Tuple

from ..tables import Table
from .blocks import Block, Facts, Figure, Section
from .cells import number
from .charts import intervals
from .training import training_figures

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Findings(Block):
    """What matters most, in sentences. items: each with the place on the page that says more."""

    template: ClassVar[str] = "findings.html"
    title: str
    items: Sequence[Tuple[str, str, str]]


@dataclass(frozen=True)
class Scores(Block):
    """The score of each task, large. items: task, metric, score, interval and baseline."""

    template: ClassVar[str] = "scores.html"
    items: Sequence[Tuple[str, str, str, str, str]]


def overview_section(numbers: Numbers, places: Mapping[str, Tuple[str, str]]) -> Section:
    """The overview.

    places: the name and the title of the part of the page on a section or a task.
    """
    blocks: List[Block] = []
    if numbers["findings"]:
        items = [_finding(found, places) for found in numbers["findings"]]
        blocks.append(Findings("What matters most", items))
    if numbers["tasks"]:
        blocks.append(Scores([_score(task) for task in numbers["tasks"]]))
        blocks.append(_tasks(numbers["tasks"]))
    blocks.append(Facts(facts(numbers["about"])))
    blocks += training_figures(numbers["training"])
    return Section("overview", "Overview", blocks)


def facts(about: Numbers) -> List[Tuple[str, str]]:
    """What there is to say of the pipeline and the corpus, term by term."""
    corpus, train, encoder = about["corpus"], about.get("train"), about["encoder"]
    found = {"Pipeline": f"{about['pipeline']} {about['version']} ({about['lang']})"}
    if about.get("components"):
        found["Components"] = ", ".join(about["components"])
    if encoder:
        found["Encoder"] = _encoder(encoder)
    if about["engine"]:
        found["Runs on"] = str(about["engine"])
    if about["size_mb"] is not None:
        found["Size on disk"] = f"{about['size_mb']:,.0f} MB"
    found["Scored on"] = (
        f"{', '.join(corpus['files'])} ({corpus['split']}): {corpus['documents']:,} documents, "
        f"{corpus['words']:,} words"
        if corpus["split"]
        else f"{', '.join(corpus['files'])}: {corpus['documents']:,} documents, "
        f"{corpus['words']:,} words"
    )
    if train:
        found["Trained on"] = f"{', '.join(train['files'])}: {train['documents']:,} documents"
    found["Licences"] = "; ".join(about["licences"]) or "not given"
    found["Versions"] = ", ".join(f"{name} {at}" for name, at in about["packages"].items())
    found["Made"] = about["created"].replace("T", " ").replace("+00:00", " UTC")
    return list(found.items())


def _encoder(encoder: Numbers) -> str:
    # Of a folder its name: where it lay is of no interest.
    says = [str(encoder["name"]).rstrip("/").rpartition("/")[2]]
    if encoder["layers"]:
        says.append(f"{encoder['layers']} layers")
    if encoder["width"]:
        says.append(f"width {encoder['width']}")
    if encoder["parameters"]:
        says.append(f"{encoder['parameters'] / 1e6:,.1f} million parameters")
    return ", ".join(says)


def _finding(found: Numbers, places: Mapping[str, Tuple[str, str]]) -> Tuple[str, str, str]:
    place = places.get(found.get("task") or "") or places.get(found["section"]) or ("", "")
    return (found["text"], *place)


def _score(task: Numbers) -> Tuple[str, str, str, str, str]:
    interval = ""
    if task["low"] is not None:
        interval = f"95%: {number(task['low'])}–{number(task['high'])}"
    beside = "" if task["baseline"] is None else f"baseline {number(task['baseline'])}"
    return task["name"], task["metric"], number(task["score"]), interval, beside


def _tasks(tasks: Sequence[Numbers]) -> Figure:
    columns = ["task", "metric", "score", "low", "high", "baseline", "the baseline"]
    table = Table("Score of each task", [*columns, "documents", "gold"])
    keys = ("name", "metric", "score", "low", "high", "baseline", "baseline_says")
    table.rows = [[task[key] for key in (*keys, "documents", "gold")] for task in tasks]
    values: List[Dict[str, Any]] = [
        {
            "label": task["name"],
            "value": task["score"],
            "low": task["low"],
            "high": task["high"],
            "tick": task["baseline"],
            "text": " ".join(part for part in _score(task)[1:] if part),
        }
        for task in tasks
        if task["score"] is not None
    ]
    return Figure(
        "How good is it?",
        "The point is the score, the bar its 95% interval: with other documents of this kind, the "
        "score would mostly fall within it. The tick is a simple baseline: the table "
        "says how it answers.",
        "A task whose interval reaches down to its tick has learned nothing yet. To tell two "
        "pipelines apart, compare them with `--versus` rather than by these intervals.",
        table,
        "tasks",
        intervals(values, "score"),
        wide=True,
    )
