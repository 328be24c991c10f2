"""What the data doctor found, on the terminal."""

from typing import Any, Mapping

from wasabi import msg

from ..data.doctor import Finding, print_findings


def print_corpus_findings(statistics: Mapping[str, Any]) -> None:
    """The findings of each corpus under its name.

    statistics: what `corpus_statistics` returns.
    """
    for name, corpus in statistics.items():
        if corpus["findings"]:
            msg.divider(f"To look at: {name}")
            print_findings(Finding(**finding) for finding in corpus["findings"])
