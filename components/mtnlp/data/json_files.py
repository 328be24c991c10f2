"""Numbers to JSON files that appear complete or not at all."""

import json
import os
from pathlib import Path
from typing import Any


def write_json(path: Path, data: Any) -> None:
    """Write JSON under a temporary name, then rename it. Folders are made.

    data: dicts, lists and numbers; numpy's are written as plain ones, NaN and infinities as null.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain(data), ensure_ascii=False, indent=2, allow_nan=False)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text + "\n", encoding="utf8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def plain(data: Any) -> Any:
    """The same data in JSON's own types."""
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple, set, frozenset)):
        return [plain(value) for value in data]
    if hasattr(data, "tolist"):  # numpy arrays and scalars
        return plain(data.tolist())
    if isinstance(data, float):
        return data if abs(data) < float("inf") else None
    if isinstance(data, Path):
        return str(data)
    return data
