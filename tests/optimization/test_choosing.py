"""The choice among what was measured, on made-up measurements."""

from typing import Any, Dict, Optional

import numpy as np
import pytest

from mtnlp.optimization.candidates import BASELINE, Candidate
from mtnlp.optimization.choosing import fastest, judge
from mtnlp.optimization.measuring import LONG, SHORT, Measured, compare_vectors
from mtnlp.optimization.tables import as_json, optimization_tables

FAST, FASTER = Candidate("onnxruntime", "fp32"), Candidate("openvino", "int8")


def measured(short: float, long: float, right: int, vectors: Optional[Any] = None) -> Measured:
    """short, long: seconds of the median pass over 1,000 words. right: documents of 1,000."""
    rows = [[1, 1]] * right + [[0, 1]] * (1000 - right)
    found: Dict[str, Any] = {
        "load_seconds": 1.5,
        "spearman": None,
        "memory_mb": 800.0,
        "engine": "openvino, int8, 1 thread, AVX2",
        "speeds": {
            SHORT: {"words": 1000, "batches": 2, "seconds": [short, 9.0, 0.01]},
            LONG: {"words": 1000, "batches": 1, "seconds": [long]},
        },
        "counts": {
            "textcat/mood": {"metric": "accuracy", "counts": rows},
            "events/event": {"metric": "micro F1", "counts": []},
        },
    }
    return Measured(found, vectors, 50.0)


def test_the_fastest_that_is_as_good() -> None:
    found = {
        BASELINE: measured(4.0, 4.0, 900),
        FAST: measured(2.0, 1.0, 898),
        FASTER: measured(1.0, 1.0, 896),
    }
    verdicts = judge(found, 0.3)
    assert verdicts[FAST].speed_up == pytest.approx(8**0.5)
    assert verdicts[FASTER].speed_up == pytest.approx(4.0)
    assert verdicts[FAST].changes == pytest.approx({"textcat/mood": -0.2})
    assert verdicts[FASTER].reason == "loses more than 0.3 points: textcat/mood -0.40"
    assert fastest(verdicts) == FAST
    assert fastest(judge(found, 0.4)) == FASTER
    assert fastest(judge(found, 0.1)) is None


def test_slower_ones_are_not_chosen() -> None:
    found = {BASELINE: measured(1.0, 1.0, 900), FAST: measured(0.5, 3.0, 950)}
    verdicts = judge(found, 0.3)
    assert verdicts[FAST].reason == "not faster than torch fp32"
    assert verdicts[BASELINE].reason is None and fastest(verdicts) is None


def test_vectors_count_by_their_cosine() -> None:
    one = np.array([[1.0, 0.0], [0.0, 2.0]])
    other = np.array([[3.0, 0.0], [1.0, 1.0]])
    assert compare_vectors(one, other) == pytest.approx((0.5 + 0.5**0.5 / 2, 0.5**0.5))
    found = {BASELINE: measured(2.0, 2.0, 900, one), FAST: measured(1.0, 1.0, 900, other)}
    verdict = judge(found, 0.3)[FAST]
    assert verdict.changes["vectors"] == pytest.approx(50 * 0.5**0.5 - 50)
    assert verdict.reason is not None and "vectors -14.64" in verdict.reason


def test_vectors_count_by_gold_similarities_where_there_are() -> None:
    one, other = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    found = {BASELINE: measured(2.0, 2.0, 900, one), FAST: measured(1.0, 1.0, 900, other)}
    found[BASELINE].spearman, found[FAST].spearman = 0.87, 0.868
    verdicts = judge(found, 0.3)
    assert verdicts[FAST].changes["vectors"] == pytest.approx(-0.2)
    assert verdicts[FAST].reason is None
    _, scores, *_ = optimization_tables(found, verdicts, FAST, {})
    assert scores.rows[1][-2:] == [0.868, "-0.20"]


def test_tables() -> None:
    found = {BASELINE: measured(4.0, 4.0, 900), FASTER: measured(1.0, 1.0, 901)}
    verdicts = judge(found, 0.3)
    left_out = {Candidate("torch", "bf16"): "this processor has no instructions for bf16"}
    speed, scores, others = optimization_tables(found, verdicts, FASTER, left_out)
    assert speed.rows[1][0] == "openvino int8 (chosen)"
    # Milliseconds per batch and words per second, of short and of long texts.
    assert speed.rows[1][2:7] == [500.0, 1000, 1000.0, 1000, "4.00"]
    assert scores.columns == ["engine", "textcat/mood", "change"]
    assert scores.rows[1] == ["openvino int8", pytest.approx(0.901), "+0.10"]
    assert others.rows == [["torch bf16", "this processor has no instructions for bf16"]]
    entry = as_json(found, verdicts)[1]
    assert entry["engine"] == "openvino" and entry["scores"] == {"textcat/mood": 0.901}
