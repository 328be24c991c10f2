"""The mini corpus and the grid of the experiments."""

from tests.experiments.conftest import grid_text, mini

__all__ = ["grid_text", "mini"]
