"""Scalars of TensorBoard's event files as CSV."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

from ..files import write_csv
from ..training.tensorboard_scalars import Scalar, read_scalars

LONG, WIDE = "scalars_long.csv", "scalars_wide.csv"


def export_scalars(path: Path, output: Path) -> Tuple[Path, Path]:
    """Write the points of all runs below a folder, once with one row per point and
    once with one row per step.

    Returns: the two files. Raises: MtnlpError: what `read_scalars` raises.
    """
    scalars = read_scalars(path)
    long, wide = output / LONG, output / WIDE
    write_csv(long, [scalar._asdict() for scalar in scalars])
    write_csv(wide, wide_rows(scalars))
    return long, wide


def wide_rows(scalars: List[Scalar]) -> List[Dict[str, Any]]:
    """One row per run and step, one column per tag. Where a step was written twice, as after a
    training went on from a checkpoint, the later value stands."""
    rows: Dict[Tuple[str, int], Dict[str, Any]] = {}
    for scalar in scalars:
        place = (scalar.run, scalar.step)
        rows.setdefault(place, {"run": scalar.run, "step": scalar.step})[scalar.tag] = scalar.value
    return [rows[place] for place in sorted(rows)]
