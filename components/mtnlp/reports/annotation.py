"""What `mtnlp annotate` has done, in a few lines."""

from pathlib import Path
from typing import List

from wasabi import msg

from ..bulk.counts import Summary
from ..errors import Errors


def summary_lines(summary: Summary) -> List[str]:
    """Documents, words and speed of this run, and what was done before."""
    done, before = summary.done, summary.before
    rate = done.words / done.seconds if done.seconds else 0.0
    lines = [
        f"Documents: {done.documents:,} annotated, {before.documents:,} skipped because done, "
        f"{summary.failed:,} failed",
        f"Words: {done.words:,} in {done.seconds:,.1f} s, {rate:,.0f} words/s",
    ]
    if summary.left_out:
        others = ", ".join(f"{count:,} {name}" for name, count in summary.left_out.items())
        lines.append(f"Files left out: {others}")
    return lines


def print_summary(summary: Summary, output: Path) -> None:
    """Print it, with a warning that counts the documents that failed."""
    for line in summary_lines(summary):
        msg.text(line)
    for warning in summary.warnings:
        msg.warn(warning)
    if summary.failed:
        msg.warn(Errors.W200.format(failed=summary.failed, folder=output / "errors"))
    msg.good(f"{summary.shards:,} shards in {output / 'documents'}")
