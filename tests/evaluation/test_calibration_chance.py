"""What chance alone makes of a calibration error."""

import numpy as np
import pytest

from mtnlp.evaluation.calibration_chance import chance_error


def test_it_is_what_drawn_answers_have() -> None:
    random = np.random.default_rng(0)
    bins = [(0.55, 40), (0.7, 60), (0.95, 100)]
    errors = []
    for _ in range(4000):
        gaps = [count * abs(random.binomial(count, mean) / count - mean) for mean, count in bins]
        errors.append(sum(gaps) / 200)
    rows = [{"confidence": mean, "count": count} for mean, count in [*bins, (0.1, 0)]]
    assert chance_error(rows) == pytest.approx(np.mean(errors), rel=0.03)
    assert chance_error([]) == 0.0
    assert chance_error([{"confidence": 1.0, "count": 5}]) == 0.0
