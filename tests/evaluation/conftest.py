from typing import Any, Callable, Dict

import pytest

TOLERANCE = 1e-12


@pytest.fixture(scope="session")
def check_prf() -> Callable[..., None]:
    """Holds precision, recall and F1 to their bounds."""

    def check(prf: Dict[str, Any], harmonic: bool = True) -> None:
        p, r, f = prf["p"], prf["r"], prf["f"]
        assert all(0.0 <= value <= 1.0 for value in (p, r, f))
        assert f <= max(p, r) + TOLERANCE
        if harmonic:
            assert min(p, r) - TOLERANCE <= f

    return check


@pytest.fixture(scope="session")
def check_metrics(check_prf: Callable[..., None]) -> Callable[..., None]:
    """Holds micro and macro averages and the metrics of each label, type or tag to their bounds.

    A macro F1 is a mean of F1s: bounded above by the larger macro side, below by 0 alone.
    """

    def check(metrics: Dict[str, Any]) -> None:
        check_prf(metrics["micro"])
        check_prf(metrics["macro"], harmonic=False)
        for table in ("per_label", "per_type", "per_tag"):
            for prf in metrics.get(table, {}).values():
                check_prf(prf)
        for accuracy in ("accuracy", "token_accuracy"):
            assert 0.0 <= metrics.get(accuracy, 0.0) <= 1.0

    return check
