from pathlib import Path

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.json_rows import first_values, read_rows
from mtnlp.errors import DataError
from tests.data.corpora import write


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"a": 1}\n\n# why\n// not\n{"a": 2}', [(1, {"a": 1}), (5, {"a": 2})]),
        ('[{"a": 1}, {"a": 2}]', [(1, {"a": 1}), (1, {"a": 2})]),
        ('\n[\n {"a":\n 1},\n\n {"a": 2}\n]\n', [(3, {"a": 1}), (6, {"a": 2})]),
        ("[]", []),
        ('["text", {"a": 1}]\n["b", {}]', [(1, ["text", {"a": 1}]), (2, ["b", {}])]),
    ],
)
def test_lines_and_arrays(tmp_path: Path, strict: BadInput, text: str, expected: list) -> None:
    rows = list(read_rows(write(tmp_path / "a.json", text), strict))
    assert rows == expected
    assert strict.notes["comment lines ignored"] == text.count("why") + text.count("not")


@pytest.mark.parametrize(
    "text, line, code, rest",
    [
        ('[{"a": 1},\n{"a" 2}]', 2, "E133", 1),
        ('[{"a": 1}\n{"a": 2}]', 2, "E133", 1),
        ('[{"a": 1},\n', 2, "E133", 1),
        ('[{"a": 1}]\n\nx', 3, "E133", 1),
        ('[{"a": "\\ud83d"},\n{"a": 2}]', 1, "E163", 1),
        ('{"a": 1}\n{"a": "half \\ud83d"}\n{"a": 2}', 2, "E163", 2),
        ('{"\\udc00": 1}\n{"a": 2}', 1, "E163", 1),
        (b'[{"a": "\xff"},\n{"a": 2}]', 1, "E102", 0),
    ],
)
def test_malformed(
    tmp_path: Path, lenient: BadInput, text: "str | bytes", line: int, code: str, rest: int
) -> None:
    path = write(tmp_path / "a.json", text)
    with pytest.raises(DataError, match=rf"a\.json:{line}: \[{code}\]"):
        list(read_rows(path, BadInput()))
    assert len(list(read_rows(path, lenient))) == rest
    assert [error.line for error in lenient.errors] == [line]


def test_whole_characters_beyond_the_first_plane_are_fine(tmp_path: Path, strict: BadInput) -> None:
    (row,) = read_rows(write(tmp_path / "a", '{"a": "\\ud83d\\ude00"}'), strict)
    assert row.value == {"a": "😀"}


def test_a_syntax_error_is_named_by_its_place_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "a"}\n{"text": "b" 1}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: \[E133\] .* at column 14\. .*per line"):
        list(read_rows(path, BadInput()))


def test_an_array_within_a_mapping(tmp_path: Path, strict: BadInput) -> None:
    path = write(tmp_path / "a.json", '{"x": ["y"],\n "rows" : [\n1,\n[2]], "z": 3}')
    assert list(read_rows(path, strict, "rows")) == [(3, 1), (4, [2])]
    with pytest.raises(DataError, match=r"a\.json:1: \[E133\]"):
        list(read_rows(path, strict, "columns"))


def test_first_values(tmp_path: Path) -> None:
    """A file is told by its beginning, however long and broken it is."""
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n' * 30 + '{"a')
    assert first_values(path) == [{"a": 1}] * 20
    long = "[" + ", ".join(['{"a": "' + "é" * 301 + '"}'] * 2_000) + "]"
    assert len(long.encode()) > 1_000_000
    assert len(first_values(write(tmp_path / "b.json", long), 2_000)) > 1_000
    for content in (b"\xff", b"a,b\n1 2", b"PAR1\0", b""):
        assert first_values(write(tmp_path / "c", content)) == []
    assert first_values(tmp_path) == first_values(tmp_path / "nowhere") == []
