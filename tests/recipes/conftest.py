"""The mini corpus of the experiments."""

from tests.experiments.conftest import mini

__all__ = ["mini"]
