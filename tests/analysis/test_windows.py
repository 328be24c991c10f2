"""What is shown of a document around an error."""

from spacy.tokens import Doc

from mtnlp.analysis.windows import AROUND, LONGEST, cut, sentence_numbers, window
from tests.analysis.documents import VOCAB


def test_the_sentence_without_white_space_at_its_ends() -> None:
    words = ["Ann", "left", ".", "\n", "Rome", "fell", "."]
    doc = Doc(VOCAB, words=words, spaces=[True, False, True, False, True, False, False])
    assert sentence_numbers(doc).tolist() == [0, 0, 0, 1, 1, 1, 1]
    shown = window(doc, [(4, 5, "A")], [(4, 6, "B")], 0.5)
    assert shown == {
        "text": "Rome fell.",
        "words": ["Rome", "fell", "."],
        "spaces": [True, False, False],
        "gold": [[0, 1, "A"]],
        "predicted": [[0, 2, "B"]],
        "score": 0.5,
    }
    # What is shown in two sentences is shown with both.
    assert window(doc, [(1, 5, "A")], [], None)["words"] == words
    # White space that is predicted as an entity stays.
    assert window(doc, [], [(3, 4, "A")], None)["predicted"] == [[0, 1, "A"]]


def test_long_sentences_are_cut_around_the_entities() -> None:
    doc = Doc(VOCAB, words=[f"w{number}" for number in range(100)])
    shown = window(doc, [(50, 52, "A")], [(51, 53, "A")], None)
    assert shown["words"][0] == f"w{50 - AROUND}" and shown["words"][-1] == f"w{52 + AROUND}"
    (start, end, _), (begin, stop, _) = *shown["gold"], *shown["predicted"]
    assert shown["words"][start:end] == ["w50", "w51"]
    assert shown["words"][begin:stop] == ["w51", "w52"]
    # What is longer itself is shown whole.
    long = window(doc, [(10, 11 + LONGEST, "A")], [], None)
    assert long["words"][long["gold"][0][0] : long["gold"][0][1]][-1] == f"w{10 + LONGEST}"


def test_entities_at_no_token_and_empty_documents() -> None:
    doc = Doc(VOCAB, words=["Rome", "fell"])
    shown = window(doc, [], [(-2, -1, "A")], 0.9)
    assert shown["predicted"] == [] and shown["words"] == ["Rome", "fell"]
    assert window(Doc(VOCAB), [], [], None)["words"] == []
    assert sentence_numbers(Doc(VOCAB)).tolist() == []


def test_long_texts_are_cut() -> None:
    assert cut("  short \n") == "short"
    assert cut("x" * 1000) == "x" * 600 + "…"
