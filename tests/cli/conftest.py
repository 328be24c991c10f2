"""The mini corpus and the grid of the experiments, and cheap pipelines."""

from tests.bulk.conftest import scored
from tests.experiments.conftest import executed, grid_text, mini

__all__ = ["executed", "grid_text", "mini", "scored"]
