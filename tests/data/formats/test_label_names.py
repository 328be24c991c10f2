from pathlib import Path

import pytest

from mtnlp.data.formats.label_names import name_of, read_label_names
from mtnlp.errors import DataError
from tests.data.corpora import write


def test_a_name_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.txt", "joy\r\n fear of heights \r\nneutral")
    assert read_label_names(path) == ["joy", "fear of heights", "neutral"]
    assert read_label_names(write(path, "joy\nfear\n\n")) == ["joy", "fear"]
    assert name_of("1", ["joy", "fear"]) == "fear"


@pytest.mark.parametrize(
    "text, line, code",
    [
        ("", None, "E101"),
        ("joy\n\nfear\n", 2, "E153"),
        ("joy\nfear\njoy\n", 3, "E153"),
        (b"joy\nf\xff\n", 2, "E102"),
    ],
)
def test_malformed(tmp_path: Path, text: "str | bytes", line: "int | None", code: str) -> None:
    where = "" if line is None else f":{line}"
    with pytest.raises(DataError, match=rf"labels\.txt{where}: \[{code}\]"):
        read_label_names(write(tmp_path / "labels.txt", text))


@pytest.mark.parametrize("identifier", ["2", "-1", "joy", "", "1.0", "²"])
def test_no_id(identifier: str) -> None:
    with pytest.raises(DataError, match=rf"E152.*'{identifier}'.*0 to 1"):
        name_of(identifier, ["joy", "fear"])
