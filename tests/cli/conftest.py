"""The mini corpus and the grid of the experiments."""

from tests.experiments.conftest import executed, grid_text, mini

__all__ = ["executed", "grid_text", "mini"]
