"""The files that a project is made from: copies in its folder, or the paths of large ones."""

import shutil
from pathlib import Path
from typing import Dict, Optional

from .corpora import Source

# Up to this size a project holds what it is made from, so that it can be given away.
COPIED_BYTES = 100_000_000


def place_files(source: Source, folder: Path, copy: Optional[bool] = None) -> Dict[str, Path]:
    """Copy a corpus' files into `folder/assets/NAME`, or leave them where they are.

    copy: None copies up to COPIED_BYTES.
    Returns: the file or folder of each split, as the project's commands name it: relative to
        `folder` for a copy, else absolute.
    """
    splits = source.inputs.splits
    if copy is None:
        copy = sum(size(path) for path in splits.values()) <= COPIED_BYTES
    if not copy:
        return {split: path.resolve() for split, path in splits.items()}
    placed: Dict[str, Path] = {}
    for split, path in splits.items():
        target = Path("assets", source.name, path.resolve().name)
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, folder / target)
        else:
            shutil.copyfile(path, folder / target)
        placed[split] = target
    return placed


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
