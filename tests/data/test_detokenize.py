import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.data.detokenize import spaces


@pytest.mark.parametrize(
    "words, text",
    [
        ('He did n\'t say " no " , but " perhaps " .', 'He didn\'t say "no", but "perhaps".'),
        ("( see [ 1 ] ) ; yes !", "(see [1]); yes!"),
        ("$ 4.5 million , or 12 % :", "$4.5 million, or 12%:"),
        ("They 're at John 's , he said .", "They're at John's, he said."),
        ("I DO N'T .", "I DON'T."),
        ("It ’s the players ' union", "It’s the players' union"),
        ("the ' new ' rules", "the 'new' rules"),
        ("`` Fine '' , she said", "``Fine'', she said"),
        ("won 6 - 4 , 7 – 5", "won 6-4, 7–5"),
        ("a plan - not a good one", "a plan - not a good one"),
        ("his / her", "his/her"),
        ("-LRB- one -RRB- two", "-LRB-one-RRB- two"),
        ("wait ... what ?", "wait... what?"),
        ("a U.S.-based firm", "a U.S.-based firm"),
    ],
)
def test_sentences(words: str, text: str) -> None:
    tokens = words.split()
    assert Doc(Vocab(), words=tokens, spaces=spaces(tokens)).text == text


def test_edges() -> None:
    assert spaces([]) == []
    assert spaces(["."]) == [False]
    assert spaces(["(", "a"]) == [False, False]
