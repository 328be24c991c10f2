"""One line per task: its score, how far it can be trusted, and what the constant answer scores."""

from typing import Any, Dict, List, Mapping, Optional

NO_TRAIN = "There is no train to take it from."
DICTIONARY = "the surface forms of train, each with its most frequent label"
NO_CONSTANT = "A constant similarity has no rank."


def entity_line(name: str, numbers: Mapping[str, Any], baseline: Optional[float]) -> Dict[str, Any]:
    """Of a component. numbers: of `EntityReport.result`. baseline: of the surface forms of
    train."""
    low, high = numbers["interval"]
    return {
        "name": name,
        "kind": "entities",
        "metric": "micro F1",
        "score": numbers["micro"]["f"],
        "low": low,
        "high": high,
        "baseline": baseline,
        "baseline_says": NO_TRAIN if baseline is None else DICTIONARY,
        "documents": numbers["documents"],
        "gold": numbers["entities"],
    }


def category_line(name: str, numbers: Mapping[str, Any]) -> Dict[str, Any]:
    """Of a task of a classifier. numbers: of `CategoryReport.result`."""
    is_exclusive = numbers["exclusive"]
    low, high = numbers["accuracy_interval"] if is_exclusive else numbers["f_interval"]
    constant = numbers["baseline"]
    baseline = None
    if constant is not None:
        baseline = constant["accuracy"] if is_exclusive else constant["micro"]["f"]
    return {
        "name": name,
        "kind": "exclusive" if is_exclusive else "multilabel",
        "metric": "accuracy" if is_exclusive else "micro F1",
        "score": numbers["accuracy"] if is_exclusive else numbers["micro"]["f"],
        "low": low,
        "high": high,
        "baseline": baseline,
        "baseline_says": NO_TRAIN if constant is None else f"always {_named(constant['labels'])}",
        "documents": numbers["documents"],
        "gold": sum(row["support"] for row in numbers["per_label"]),
    }


def vector_line(name: str, metrics: Mapping[str, Any]) -> Dict[str, Any]:
    """Of vectors that gold similarities are known for. metrics: of `VectorEvaluation.result`."""
    low, high = metrics["spearman_interval"]
    return {
        "name": name,
        "kind": "vectors",
        "metric": "Spearman",
        "score": metrics["spearman"],
        "low": low,
        "high": high,
        "baseline": None,
        "baseline_says": NO_CONSTANT,
        "documents": metrics["pairs"],
        "gold": metrics["pairs"],
    }


def _named(labels: List[str]) -> str:
    """Labels in a sentence, at most four of them."""
    shown = labels if len(labels) <= 4 else [*labels[:3], f"{len(labels) - 3} more"]
    return ", ".join(shown)
