"""The section on vectors."""

from typing import Any, Mapping

from .blocks import Section


def vectors_section(numbers: Mapping[str, Any]) -> Section:
    """The map of the corpus. numbers: `vectors` of a report."""
    return Section("vectors", "Vectors")
