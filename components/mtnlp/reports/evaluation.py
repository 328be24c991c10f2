"""Tables of an evaluation, from the numbers of `mtnlp.evaluation.evaluator.evaluate`."""

from typing import Any, Dict, List, Mapping, Optional

from .tables import Table

Numbers = Mapping[str, Any]
PRF = ["P", "R", "F1"]
INTERVAL = "95% interval"


def evaluation_tables(results: Numbers) -> List[Table]:
    """The details of each task, and last, where a terminal's reader looks first, a summary.

    results: what `evaluate` or `evaluate_corpus` returns.
    """
    tables: List[Table] = []
    for name, metrics in results["pipes"].items():
        if metrics["kind"] == "entities":
            tables.append(_prf_table(f"{name}: entity types", metrics["per_type"], metrics))
            if metrics.get("per_tag"):
                tables.append(_prf_table(f"{name}: tags", metrics["per_tag"]))
        elif metrics["kind"] == "categories":
            for task, numbers in metrics["tasks"].items():
                tables.append(_prf_table(f"{name}: {task}", numbers["per_label"], numbers))
    return [table for table in (*tables, _summary(results)) if table.rows]


def _summary(results: Numbers) -> Table:
    title = " · ".join(
        str(part)
        for part in (
            results.get("model"),
            results.get("split"),
            ", ".join(results.get("corpora", [])),
            f"{results['documents']} documents",
        )
        if part
    )
    table = Table(title, ["task", "metric", "n", "value", INTERVAL, "baseline"])
    for name, metrics in results["pipes"].items():
        rows = _ROWS.get(metrics["kind"], _no_rows)(name, metrics)
        if "loss" in metrics:
            rows.append([name, "loss", int(metrics["loss_units"]), metrics["loss"], None, None])
        table.rows.extend(rows)
    return table


def _entity_rows(name: str, metrics: Numbers) -> List[List[Any]]:
    rows = [
        [name, "F1", metrics["entities"], metrics["micro"]["f"], metrics["f_interval"], None],
        [name, "macro F1", metrics["entities"], metrics["macro"]["f"], None, None],
    ]
    if "flattened_gold" in metrics:
        flat = metrics["flattened_gold"]
        numbers = flat["micro"]["f"], flat["f_interval"]
        rows.append([name, "F1 against flattened gold", flat["entities"], *numbers, None])
    if "token_accuracy" in metrics:
        numbers = metrics["token_accuracy"], metrics["token_accuracy_interval"]
        rows.append([name, "token accuracy", metrics["tokens"], *numbers, None])
    if "raw_text" in metrics:
        raw = metrics["raw_text"]
        numbers = raw["micro"]["f"], raw["f_interval"]
        rows.append([name, "F1 on raw text", raw["entities"], *numbers, None])
    return rows if metrics["documents"] else _unscored(rows)


def _category_rows(name: str, metrics: Numbers) -> List[List[Any]]:
    rows: List[List[Any]] = []
    for task, numbers in metrics["tasks"].items():
        n, baseline = numbers["documents"], numbers["baseline"] or {}
        exact = "accuracy" if numbers["exclusive"] else "exact match"
        accuracy = [exact, n, numbers["accuracy"], numbers["accuracy_interval"]]
        micro = ["micro F1", n, numbers["micro"]["f"], numbers["f_interval"]]
        # The main metric of the task comes first.
        first, second = (accuracy, micro) if numbers["exclusive"] else (micro, accuracy)
        macro = ["macro F1", n, numbers["macro"]["f"], None]
        scored = [
            [f"{name}: {task}", *row, _baseline_value(baseline, row[0])]
            for row in (first, second, macro)
        ]
        rare = numbers["rare"]
        if rare is not None:
            metric = f"macro F1, {len(rare['labels'])} rare labels"
            constant = (baseline.get("rare") or {}).get("macro", {}).get("f")
            scored.append([f"{name}: {task}", metric, n, rare["macro"]["f"], None, constant])
        rows += scored if n else _unscored(scored)
    return rows


def _unscored(rows: List[List[Any]]) -> List[List[Any]]:
    """Rows without their values: where no document is annotated, 0 would read as a bad score."""
    return [[task, metric, n, None, None, None] for task, metric, n, *_ in rows]


def _baseline_value(baseline: Numbers, metric: str) -> Any:
    if not baseline:
        return None
    if metric.endswith("F1"):
        return baseline[metric.split()[0]]["f"]
    return baseline["accuracy"]


def _vector_rows(name: str, metrics: Numbers) -> List[List[Any]]:
    interval = metrics["spearman_interval"]
    return [
        [name, "Spearman", metrics["pairs"], metrics["spearman"], interval, None],
        [name, "Pearson", metrics["pairs"], metrics["pearson"], None, None],
    ]


def _no_rows(name: str, metrics: Numbers) -> List[List[Any]]:
    return []


_ROWS = {"entities": _entity_rows, "categories": _category_rows, "vectors": _vector_rows}


def _prf_table(
    title: str, numbers: Mapping[str, Dict[str, Any]], averages: Optional[Numbers] = None
) -> Table:
    table = Table(title, ["label", "n", *PRF])
    for label, prf in numbers.items():
        table.rows.append([label, prf["support"], prf["p"], prf["r"], prf["f"]])
    if averages is not None and table.rows:
        for average in ("micro", "macro"):
            prf = averages[average]
            table.rows.append([average, None, prf["p"], prf["r"], prf["f"]])
    return table
