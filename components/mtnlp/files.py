"""Files and folders that appear complete or not at all.

The one place that writes under a temporary name and renames it. The temporary name stands beside
the final one, not in the system's temporary folder: a rename is only atomic within one file system.
"""

import csv
import glob
import io
import json
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

# The end of every temporary name; hidden, and no reader's file ending.
TEMPORARY = ".partial"


@contextmanager
def fresh_file(target: Path) -> Iterator[Path]:
    """The path of a temporary file that takes the place of `target` when the block ends well.

    An error inside the block leaves `target` as it was. Folders are made.
    """
    with fresh_files([target]) as (temporary,):
        yield temporary


@contextmanager
def fresh_files(targets: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """Temporary paths, one per target, that take the places of `targets` together: an error inside
    the block leaves all of them as they were. Folders are made."""
    # A process id would not do: those of several machines are alike.
    token = secrets.token_hex(8)
    drafts = [target.with_name(f".{target.name}.{token}{TEMPORARY}") for target in targets]
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            draft.replace(target)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target`, for what is needed while that is made. It goes when the
    block ends, however it does. Folders are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{target.name}.", suffix=TEMPORARY, dir=target.parent
    ) as temporary:
        yield Path(temporary)


@contextmanager
def fresh_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends well.

    An error inside the block leaves `target` as it was.
    """
    with scratch_folder(target) as temporary:
        fresh, old = temporary / "new", temporary / "old"
        fresh.mkdir()
        yield fresh
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        finally:
            # What was there must not go with the temporary folder.
            if old.exists() and not target.exists():
                old.rename(target)


def is_replaceable(target: Path, marker: str) -> bool:
    """Whether nothing but an earlier result is lost when a folder takes the place of `target`.

    marker: the file that every such folder holds.
    """
    if not target.is_dir():
        return not target.exists()
    return (target / marker).is_file() or not any(target.iterdir())


def remove_unfinished(target: Path) -> None:
    """Remove what killed processes left beside `target` under temporary names.

    Only for a target that no other process is writing.
    """
    for draft in target.parent.glob(f".{glob.escape(target.name)}.*{TEMPORARY}"):
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)


def write_bytes(target: Path, content: bytes) -> None:
    """Write a file."""
    with fresh_file(target) as temporary:
        temporary.write_bytes(content)


def write_text(target: Path, text: str) -> None:
    """Write a UTF-8 file."""
    write_bytes(target, text.encode("utf8"))


def write_json(target: Path, data: Any) -> None:
    """Write JSON.

    data: dicts, lists and numbers; numpy's are written as plain ones, NaN and infinities as null.
    """
    text = json.dumps(plain(data), ensure_ascii=False, indent=2, allow_nan=False)
    write_text(target, text + "\n")


def write_csv(target: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV; one column per key, empty where a row lacks it."""
    stream = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(target, stream.getvalue())


def copy_file(source: Path, target: Path) -> None:
    """Copy a file."""
    with fresh_file(target) as temporary:
        shutil.copyfile(source, temporary)


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
