"""Which first and last characters are an entity's own."""

from typing import List

import pytest

from mtnlp.data.checks.edges import EdgeCheck, abbreviations, bad_start
from mtnlp.data.checks.unit import Finding, record_unit
from mtnlp.data.formats.offsets import parse_spans
from mtnlp.types import Annotation, Record


def look(surface: str, following: str = " Then more.", language: str = "en") -> List[Finding]:
    record = Record(text=surface + following, entities=[Annotation(0, len(surface), "X")])
    check = EdgeCheck(language)
    check.look(record_unit(record), "train")
    return check.findings()


@pytest.mark.parametrize(
    "surface",
    [
        *("Inc.", "Acme Inc.", "U.S.", "J.", "Ltd.", "Washington D.C.", "Yahoo!", "Who Is Who?"),
        *("Videoton (Hungary)", "(Wham!)", "«Спартак»", '"Heroes"', "„Die Zeit“", "the “Times”"),
        *(".NET", "-5", "C++", "$3", "US$", "10 %", "Workers'", "'N Sync", "Baby One More Time..."),
        *("№ 432", "#1", "@anna"),
    ],
)
def test_their_own(surface: str) -> None:
    assert look(surface) == []


@pytest.mark.parametrize(
    "surface",
    [
        *("Rome.", "Rome,", "Rome;", "Acme Company.", "Hafez al-", "Videoton(", "Rome)", "Rome»"),
        *("Rome”", 'Rome"', "Rome/", "Rome\u200b"),
    ],
)
def test_a_last_character_too_many(surface: str) -> None:
    (finding,) = look(surface)
    assert finding.message == "Entities that end with punctuation"
    assert (finding.kind, finding.count) == ("punctuation", 1)


@pytest.mark.parametrize(
    "surface", [",Rome", ".Anna", "-Rome", "(Rome", "«Rome", "“Rome", '"Rome', "\u200bRome", "?"]
)
def test_a_first_character_too_many(surface: str) -> None:
    assert bad_start(surface)
    assert not bad_start("Rome")


@pytest.mark.parametrize("following", [" of it", ", too", ") fell"])
def test_a_sentence_that_goes_on_shows_an_abbreviation(following: str) -> None:
    assert look("Assoc.", following) == []
    assert len(look("Assoc.", " Then")) == 1


def test_abbreviations_are_those_of_the_language() -> None:
    assert "inc." in abbreviations("en")
    assert abbreviations("nothing") == frozenset()
    assert look("bzgl.") == []  # no vowel
    assert look("Abb.", language="de") == [] and len(look("Abb.", language="en")) == 1


def test_white_space_is_seen_though_the_reader_leaves_it_out() -> None:
    spans = parse_spans([[0, 5, "PER"], [10, 14, "LOC"]], "Anna flew Rome", "spans")
    assert spans == [(0, 4, "PER"), (10, 14, "LOC")]
    record = Record(text="Anna flew Rome", spans={"x": spans}, meta={"path": "a", "line": 3})
    check = EdgeCheck("en")
    check.look(record_unit(record), "train")
    (finding,) = check.findings()
    assert (finding.kind, finding.count, list(finding.places)) == ("white_space", 1, ["a:3 'Anna'"])


def test_white_space_of_records_that_keep_it() -> None:
    text = Record(text="Anna flew", entities=[Annotation(0, 5, "PER")])
    tokens = Record(tokens=["Anna", "\n", "flew"], entities=[Annotation(0, 2, "PER")])
    for record in (text, tokens):
        check = EdgeCheck("en")
        check.look(record_unit(record), "train")
        assert [finding.kind for finding in check.findings()] == ["white_space"]
