from pathlib import Path
from typing import List

import pytest

from mtnlp.data.formats.bad_input import BadInput, read_lines
from mtnlp.data.formats.columns import detect_scheme, is_columns, read_columns, read_sentences
from mtnlp.data.formats.conll import read_conll
from mtnlp.errors import DataError
from tests.data.corpora import COLUMNS, CONLL, write


def test_conll_sentences(tmp_path: Path, strict: BadInput) -> None:
    path = write(tmp_path / "eng.train", CONLL)
    first, second, third = read_conll(path, strict)
    assert first.tokens == ["EU", "rejects", "German", "call"]
    assert first.tags == ["NNP", "VBZ", "JJ", "NN"]
    assert first.entities == [(0, 1, "ORG"), (2, 3, "MISC")]
    assert first.sent_starts == [True, False, False, False]
    assert (first.spans, first.cats) == (None, None)
    assert (first.meta["path"], first.meta["line"]) == (str(path), 3)
    assert second.entities == [(0, 1, "LOC"), (1, 2, "LOC")]
    assert third.entities == []
    assert first.meta["group"] == second.meta["group"] != third.meta["group"]


def test_conll_documents(tmp_path: Path, strict: BadInput) -> None:
    first, second = read_conll(write(tmp_path / "eng.train", CONLL), strict, unit="document")
    assert first.tokens == ["EU", "rejects", "German", "call", "Rome", "Paris"]
    assert first.sent_starts == [True, False, False, False, True, False]
    assert first.entities == [(0, 1, "ORG"), (2, 3, "MISC"), (4, 5, "LOC"), (5, 6, "LOC")]
    assert second.tokens == ["Nobody"]


def test_an_entity_ends_with_its_sentence(tmp_path: Path, strict: BadInput) -> None:
    text = "-DOCSTART- -X- O O\nA N O I-PER\n\nB N O I-PER\n"
    (record,) = read_conll(write(tmp_path / "a", text), strict, unit="document")
    assert record.entities == [(0, 1, "PER"), (1, 2, "PER")]


def test_windows_line_ends_read_alike(tmp_path: Path, strict: BadInput) -> None:
    unix = write(tmp_path / "a", CONLL)
    expected = list(read_conll(unix, strict))
    write(unix, CONLL.replace("\n", "\r\n"))
    assert list(read_conll(unix, strict)) == expected


@pytest.mark.parametrize(
    "tags, scheme, slips",
    [
        ("I-PER O I-PER B-PER", "IOB1", 0),
        ("B-PER O B-PER I-PER", "IOB2", 0),
        ("I-PER O I-LOC O B-PER", "IOB1", 1),
        ("O O", "IOB2", 0),
    ],
)
def test_scheme_detection(tmp_path: Path, tags: str, scheme: str, slips: int) -> None:
    text = "".join(f"w N O {tag}\n" for tag in tags.split())
    path = write(tmp_path / "a", text)
    policy = BadInput()
    sentences = list(read_sentences(path, read_lines(path), policy))
    assert detect_scheme(sentences) == (scheme, slips)
    list(read_conll(path, policy))
    assert sum(policy.notes.values()) == slips


def test_columns_of_any_number(tmp_path: Path, strict: BadInput) -> None:
    first, second = read_columns(write(tmp_path / "a.txt", COLUMNS), strict)
    assert (first.tokens, first.entities) == (["Bayes", "nets"], [(0, 1, "researcher")])
    assert second.tags is None
    assert "group" not in first.meta
    (record,) = read_columns(write(tmp_path / "b", "a b c d B-X\n"), strict, spans_key="mine")
    assert (record.entities, record.spans) == (None, {"mine": [(0, 1, "X")]})


def test_tokens_may_hold_odd_spaces(tmp_path: Path, strict: BadInput) -> None:
    (record,) = read_columns(write(tmp_path / "a", "10\u00a0km\tO\nNew York\tB-LOC\n"), strict)
    assert record.tokens == ["10\u00a0km", "New York"]


@pytest.mark.parametrize(
    "text, line, code",
    [
        (CONLL.replace("call NN I-NP O", "call NN I-NP"), 6, "E103"),
        (CONLL.replace("call NN I-NP O", "call NN  I-NP  x O"), 6, "E103"),
        (CONLL.replace("I-ORG", "I-DOG"), 3, "E105"),
        (CONLL.replace("I-ORG", "ORG"), 3, "E104"),
        (CONLL[: CONLL.index("Paris") + 12], 9, "E103"),
    ],
)
def test_malformed(tmp_path: Path, lenient: BadInput, text: str, line: int, code: str) -> None:
    path = write(tmp_path / "eng.train", text)
    with pytest.raises(DataError, match=rf"eng\.train:{line}: \[{code}\]"):
        list(read_conll(path, BadInput()))
    rest = list(read_conll(path, lenient))
    assert [error.line for error in lenient.errors] == [line]
    assert len(rest) >= 1


def test_documents_need_docstart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E107"):
        list(read_columns(write(tmp_path / "a", COLUMNS), BadInput(), unit="document"))


def test_an_empty_column_is_no_token(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r":2: .*E103"):
        list(read_columns(write(tmp_path / "a", "a\tO\n\tO\n"), BadInput()))


def test_tokens_nobody_judged(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "Ada B-PER\nsang -\n\nin -\nRome -\n")
    first, second = read_columns(path, BadInput())
    assert (first.entities, first.missing) == ([(0, 1, "PER")], [(1, 2)])
    assert (second.entities, second.missing) == (None, None)
    path = write(tmp_path / "b", "-DOCSTART-\n" + path.read_text())
    (document,) = read_columns(path, BadInput(), unit="document")
    assert (document.entities, document.missing) == ([(0, 1, "PER")], [(1, 4)])
    with pytest.raises(DataError, match=r"a:1: \[E165\]"):
        list(read_columns(tmp_path / "a", BadInput(), spans_key="mine"))
    write(path, CONLL.replace("I-ORG", "-"))
    with pytest.raises(DataError, match="E104"):
        list(read_conll(path, BadInput()))


def test_comments_and_blanks(tmp_path: Path) -> None:
    """As tools for annotation write them; `#` alone is a token."""
    tabs = "# id = 7\n# text = #1 hit\n#\tO\n1\tB-rank \nhit\tB-work of art\t\n"
    blanks = "# a comment of any length\n# O\n1 B-rank \n"
    for text, expected in (
        (tabs, [(1, 2, "rank"), (2, 3, "work of art")]),
        (blanks, [(1, 2, "rank")]),
    ):
        policy = BadInput()
        (record,) = read_columns(write(tmp_path / "a", text), policy)
        assert record.tokens is not None and record.tokens[:2] == ["#", "1"]
        assert record.entities == expected
        assert policy.notes["comment lines ignored"] == text.count("# ") - text.count("# O")


def test_a_broken_token_is_no_comment(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "Ada\tO\n#tag\tB_X\n")
    with pytest.raises(DataError, match=r"a:2: .*E104"):
        list(read_columns(path, BadInput()))


def test_any_delimiter(tmp_path: Path, strict: BadInput) -> None:
    path = write(tmp_path / "a", "New York;B-LOC\nsang;O\n")
    (record,) = read_columns(path, strict, delimiter=";")
    assert (record.tokens, record.entities) == (["New York", "sang"], [(0, 1, "LOC")])


def test_one_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r":1: .*E103"):
        list(read_columns(write(tmp_path / "a", "O\nO\n"), BadInput()))


def test_a_column_that_counts_tokens(tmp_path: Path) -> None:
    """As in WikiNEuRal, or CoNLL-U with a tag added: the second column holds the tokens."""
    text = "0\tNew\tB-LOC\n1\tYork\tI-LOC\n\n0\tsang\tO\n"
    first, second = read_columns(write(tmp_path / "a", text), BadInput())
    assert (first.tokens, first.entities) == (["New", "York"], [(0, 2, "LOC")])
    assert second.tokens == ["sang"]
    from_one = "1 Ada NN B-PER\n2 sang VB O\n\n1 Nobody NN O\n"
    first, second = read_columns(write(tmp_path / "b", from_one), BadInput())
    assert (first.tokens, second.tokens) == (["Ada", "sang"], ["Nobody"])
    numbers = "1 CD O\n2 CD O\n\n1 CD O\n\n7 CD O\n"
    first, *_ = read_columns(write(tmp_path / "c", numbers), BadInput())
    assert first.tokens == ["1", "2"]
    broken = "0\tNew\tB-LOC\n1\tYork\tI-LOC\n\n" * 60 + "5\tOslo\tO\n"
    with pytest.raises(DataError, match=r"181: \[E134\] The token index is '5'"):
        list(read_columns(write(tmp_path / "d", broken), BadInput()))


@pytest.mark.parametrize(
    "tags",
    [
        ["I-PER", "I-PER", "B-PER", "O", "I-LOC"],
        ["B-PER", "I-PER", "B-PER", "O", "B-LOC"],
        ["B-PER", "E-PER", "S-PER", "O", "S-LOC"],
        ["B-PER", "L-PER", "U-PER", "O", "U-LOC"],
    ],
    ids=["IOB1", "IOB2", "BIOES", "BILOU"],
)
def test_a_file_in_every_scheme(tmp_path: Path, strict: BadInput, tags: List[str]) -> None:
    words = ["Anna", "Berg", "Bob", "saw", "Oslo"]
    text = "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True))
    path = write(tmp_path / "a", text)
    assert is_columns(path)
    (record,) = read_columns(path, strict)
    assert record.entities == [(0, 2, "PER"), (2, 3, "PER"), (4, 5, "LOC")]
    assert not strict.notes
