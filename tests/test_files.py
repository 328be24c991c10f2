import json
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pytest

from mtnlp.files import (
    copy_file,
    fresh_file,
    fresh_files,
    fresh_folder,
    is_replaceable,
    remove_unfinished,
    scratch_folder,
    write_bytes,
    write_csv,
    write_json,
    write_text,
)


def contents(folder: Path) -> Dict[str, str]:
    """Every file below a folder, hidden ones too, by its path in there."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf8") for path in files}


def test_numbers_become_plain(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.json"
    data = {
        "f": np.float32(0.5),
        "n": np.int64(3),
        "flag": np.bool_(True),
        "interval": (0.25, np.float64(0.75)),
        "array": np.arange(2),
        "nan": float("nan"),
        "path": Path("a"),
        3: None,
    }
    write_json(path, data)
    assert json.loads(path.read_text(encoding="utf8")) == {
        "f": 0.5,
        "n": 3,
        "flag": True,
        "interval": [0.25, 0.75],
        "array": [0, 1],
        "nan": None,
        "path": "a",
        "3": None,
    }
    assert [file.name for file in path.parent.iterdir()] == ["x.json"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda path: write_bytes(path, b"a\r\n"), b"a\r\n"),
        (lambda path: write_text(path, "Zürich\n"), "Zürich\n".encode()),
        (lambda path: write_json(path, {"ä": [1]}), '{\n  "ä": [\n    1\n  ]\n}\n'.encode()),
        (lambda path: write_csv(path, [{"a": 1}, {"b": "x,y"}]), b'a,b\n1,\n,"x,y"\n'),
        (lambda path: copy_file(path.parents[1] / "source", path), b"\x00source"),
    ],
    ids=["bytes", "text", "json", "csv", "copy"],
)
def test_a_written_file_is_whole_and_alone(
    write: Callable[[Path], Any], expected: bytes, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"\x00source")
    target = tmp_path / "new" / "file"
    for _ in range(2):  # a new file and one that is replaced
        write(target)
        assert target.read_bytes() == expected
        assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_the_old_file_is_there_until_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with fresh_file(target) as draft:
        draft.write_text("new")
        assert draft.parent == target.parent  # one file system: the rename is atomic
        assert target.read_text() == "old"
    assert contents(tmp_path) == {"file": "new"}


def test_several_files_change_together_or_not_at_all(tmp_path: Path) -> None:
    old = {"a/x": "old", "b/x": "old"}
    targets = [tmp_path / name for name in old]
    with fresh_files(targets) as drafts:
        for draft in drafts:
            draft.write_text("old")
    assert contents(tmp_path) == old
    with pytest.raises(OSError, match="full"), fresh_files(targets) as drafts:
        drafts[0].write_text("new")
        raise OSError("disk is full")
    assert contents(tmp_path) == old
    with fresh_files(targets) as drafts:
        for draft in drafts:
            draft.write_text("new")
    assert contents(tmp_path) == {"a/x": "new", "b/x": "new"}


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "model"
    with fresh_folder(target) as draft:
        (draft / "meta").mkdir()
        (draft / "meta" / "a").write_text("1")
    assert contents(tmp_path) == {"new/model/meta/a": "1"}
    with pytest.raises(OSError, match="full"), fresh_folder(target) as draft:
        (draft / "b").write_text("2")
        raise OSError("disk is full")
    assert contents(tmp_path) == {"new/model/meta/a": "1"}
    with fresh_folder(target) as draft:
        (draft / "b").write_text("2")
        assert contents(target) == {"meta/a": "1"}
    assert contents(tmp_path) == {"new/model/b": "2"}
    assert [path.name for path in target.parent.iterdir()] == ["model"]


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    file, folder = tmp_path / "weights[1].pt", tmp_path / "model"
    file.write_text("whole")
    (tmp_path / "model.partial").write_text("somebody's own")
    drafts = fresh_files([file]), fresh_folder(folder)
    (draft,), fresh = drafts[0].__enter__(), drafts[1].__enter__()  # and never left
    draft.write_text("half")
    (fresh / "a").write_text("half")
    kept = contents(tmp_path)
    for target in (file, folder):
        remove_unfinished(target)
    assert len(kept) == 4
    assert contents(tmp_path) == {"model.partial": "somebody's own", "weights[1].pt": "whole"}


def test_a_scratch_folder_goes_however_it_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    with scratch_folder(target) as scratch:
        (scratch / "part").write_text("1", encoding="utf8")
        assert scratch.parent == target.parent and scratch.name.endswith(".partial")
    with pytest.raises(KeyboardInterrupt), scratch_folder(target) as scratch:
        (scratch / "part").write_text("1", encoding="utf8")
        raise KeyboardInterrupt
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_cannot_be_put_in_place_brings_back_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "a.txt").write_text("old", encoding="utf8")
    rename = Path.rename

    def failing(self: Path, other: Path) -> Path:
        if self.name == "new":
            raise OSError("the disk refuses")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="refuses"), fresh_folder(target) as fresh:
        (fresh / "a.txt").write_text("new", encoding="utf8")
    assert contents(tmp_path) == {"model/a.txt": "old"}


def test_only_an_earlier_result_is_replaceable(tmp_path: Path) -> None:
    file, other, empty = tmp_path / "file", tmp_path / "other", tmp_path / "empty"
    for folder in (other, empty):
        folder.mkdir()
    file.touch()
    (other / "notes.txt").touch()
    assert is_replaceable(empty, "config.cfg") and is_replaceable(tmp_path / "new", "config.cfg")
    assert not is_replaceable(file, "config.cfg") and not is_replaceable(other, "config.cfg")
    (other / "config.cfg").touch()
    assert is_replaceable(other, "config.cfg")
