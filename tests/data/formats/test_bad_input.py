from pathlib import Path

import pytest

from mtnlp.data.formats.bad_input import BadInput, blocks, decode, read_lines
from mtnlp.errors import DataError
from tests.data.corpora import write


def test_strict_raises_and_lenient_counts() -> None:
    error = DataError("wrong", Path("a.txt"), 3)
    with pytest.raises(DataError, match=r"a\.txt:3: wrong"):
        BadInput().report(error)
    lenient = BadInput(skip=True)
    lenient.report(error)
    assert lenient.errors == [error]


def test_notes_are_counted() -> None:
    policy = BadInput()
    policy.note("odd")
    policy.note("odd", 2)
    policy.note("never", 0)
    assert dict(policy.notes) == {"odd": 3}


def test_a_warning_is_kept_once_and_counted() -> None:
    policy = BadInput()
    for line in (3, 5):
        policy.warn("odd", Path("a"), line)
    policy.warn("empty", Path("b"))
    assert policy.warning_lines() == ["a:3: odd (2 lines)", "b: empty"]


def test_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    lines = read_lines(write(tmp_path / "a", b"\xef\xbb\xbfone\r\ntwo\x0b\n\nthree"))
    assert [tuple(line) for line in lines] == [
        (1, b"one"),
        (2, b"two\x0b"),
        (3, b""),
        (4, b"three"),
    ]
    assert [[line.number for line in block] for block in blocks(lines)] == [[1, 2], [4]]


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere.*E100"):
        read_lines(tmp_path / "nowhere")
    with pytest.raises(DataError, match="E100"):
        read_lines(tmp_path)
    with pytest.raises(DataError, match="E101"):
        read_lines(write(tmp_path / "empty", " \n\r\n"))


def test_bad_utf8_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a:3: .*0xff"):
        decode(b"one\ntwo\n\xff", Path("a"))
    with pytest.raises(DataError, match="a:7: "):
        decode(b"\xff", Path("a"), 7)
