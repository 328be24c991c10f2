"""The pieces of tokenizers of three kinds, made by hand, and what is left of them."""

import json
from typing import Any, Dict, List

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, processors

from mtnlp.errors import MtnlpError
from mtnlp.trainer.tokenizer_json import Pieces, load_plain


def to_json(model: Any, special: List[str], before: Any = None, post: Any = None) -> Dict[str, Any]:
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = before or pre_tokenizers.Whitespace()
    if post is not None:
        tokenizer.post_processor = post
    return json.loads(tokenizer.to_str())


def wordpiece(*pieces: str, post: Any = None) -> Dict[str, Any]:
    vocab = {piece: i for i, piece in enumerate(pieces)}
    model = models.WordPiece(vocab, unk_token="[UNK]")
    special = [piece for piece in pieces if piece.startswith("[")]
    return to_json(model, special, post=post)


def bpe(*merges: str) -> Dict[str, Any]:
    pairs = [tuple(merge.split()) for merge in merges]
    letters = sorted({letter for pair in pairs for letter in "".join(pair)})
    vocab = ["<unk>", *letters, *dict.fromkeys("".join(pair) for pair in pairs)]
    model = models.BPE({piece: i for i, piece in enumerate(vocab)}, pairs, unk_token="<unk>")
    return to_json(model, ["<unk>"])


def unigram(**scores: float) -> Dict[str, Any]:
    model = models.Unigram([("<unk>", 0.0), *scores.items()], unk_id=0)
    return to_json(model, ["<unk>"])


def tokens(data: Dict[str, Any], text: str) -> List[str]:
    return load_plain(data).encode(text).tokens


def test_pieces_keep_their_order_and_get_new_ids() -> None:
    data = wordpiece("a", "[PAD]", "b", "[UNK]", "c", "##d", "[SEP]")
    new, old_ids = Pieces(data).cut({"[PAD]", "[UNK]", "[SEP]", "##d", "c"})
    assert old_ids == [1, 3, 4, 5, 6]
    assert new["model"]["vocab"] == {"[PAD]": 0, "[UNK]": 1, "c": 2, "##d": 3, "[SEP]": 4}
    assert {token["content"]: token["id"] for token in new["added_tokens"]} == {
        "[PAD]": 0,
        "[UNK]": 1,
        "[SEP]": 4,
    }
    assert tokens(new, "cd cdd a") == ["c", "##d", "c", "##d", "##d", "[UNK]"]
    # What it was made from is as it was.
    assert data == wordpiece("a", "[PAD]", "b", "[UNK]", "c", "##d", "[SEP]")


@pytest.mark.parametrize(
    "post",
    [
        processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 3), ("[SEP]", 5)]),
        processors.BertProcessing(("[SEP]", 5), ("[CLS]", 3)),
        processors.RobertaProcessing(("[SEP]", 5), ("[CLS]", 3)),
        processors.Sequence(
            [
                processors.ByteLevel(),
                processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 3), ("[SEP]", 5)]),
            ]
        ),
    ],
    ids=["template", "bert", "roberta", "sequence"],
)
def test_special_tokens_around_a_text_are_renumbered(post: Any) -> None:
    data = wordpiece("[UNK]", "a", "b", "[CLS]", "c", "[SEP]", post=post)
    new, _ = Pieces(data).cut({"[UNK]", "[CLS]", "[SEP]", "c"})
    encoding = load_plain(new).encode("c")
    assert encoding.ids == [1, 2, 3]
    assert encoding.tokens == ["[CLS]", "c", "[SEP]"]


def test_padding_is_renumbered() -> None:
    data = wordpiece("a", "[UNK]", "b", "[PAD]")
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(data))
    tokenizer.enable_padding(length=3, pad_id=3, pad_token="[PAD]")
    new, _ = Pieces(json.loads(tokenizer.to_str())).cut({"[UNK]", "[PAD]", "b"})
    assert tokenizers.Tokenizer.from_str(json.dumps(new)).encode("b").ids == [1, 2, 2]


def test_tokens_added_behind_the_vocabulary_stay_there() -> None:
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(wordpiece("[UNK]", "a", "b")))
    tokenizer.add_tokens(["new"])
    pieces = Pieces(json.loads(tokenizer.to_str()))
    new, old_ids = pieces.cut({"[UNK]", "b", "new"})
    assert old_ids == [0, 2, 3]
    assert load_plain(new).encode("b new").ids == [1, 2]
    assert "new" in pieces.indispensable()


def test_an_unknown_word_stays_unknown() -> None:
    """ "abc" is unknown: behind its longest beginning, "ab", there is no "##c". Without "ab", it
    would be read as "a" and "##bc"."""
    pieces = Pieces(wordpiece("[UNK]", "a", "ab", "##bc"))
    assert pieces.greedy_pieces("abc") == ["ab"]
    assert pieces.greedy_pieces("xyz") == []
    kept = {"[UNK]", "a", "##bc"}
    assert tokens(pieces.cut(kept)[0], "abc") == ["a", "##bc"]
    assert tokens(pieces.cut({*kept, "ab"})[0], "abc") == ["[UNK]"]


def test_bpe_keeps_what_a_piece_is_merged_of() -> None:
    data = bpe("t h", "th e", "i n", "in g", "e r", "th er")
    pieces = Pieces(data)
    kept = pieces.with_parts({"<unk>", "the"})
    assert kept == {"<unk>", "the", "th", "t", "h", "e"}
    new, _ = pieces.cut(kept)
    assert [list(merge) for merge in new["model"]["merges"]] == [["t", "h"], ["th", "e"]]
    assert tokens(new, "the") == tokens(data, "the") == ["the"]


def test_bpe_merges_written_in_the_older_way() -> None:
    data = bpe("t h", "th e")
    data["model"]["merges"] = ["t h", "th e"]
    pieces = Pieces(data)
    new, _ = pieces.cut(pieces.with_parts({"<unk>", "the"}))
    assert new["model"]["merges"] == ["t h", "th e"]
    assert tokens(new, "the") == ["the"]


def test_unigram_keeps_scores_and_the_least_likely_piece() -> None:
    data = unigram(a=-1.0, b=-2.0, ab=-2.5, c=-9.0, d=-3.0)
    pieces = Pieces(data)
    assert pieces.indispensable() == {"<unk>", "c"}
    new, old_ids = pieces.cut({"<unk>", "ab", "a", "c"})
    scores = dict(new["model"]["vocab"])
    assert scores == {"<unk>": 0.0, "a": -1.0, "ab": -2.5, "c": -9.0}
    assert old_ids == [0, 1, 3, 4]
    assert tokens(new, "aba") == tokens(data, "aba") == ["ab", "a"]


def test_the_unknown_piece_may_have_any_id() -> None:
    model = models.Unigram([("a", -1.0), ("b", -2.0), ("<unk>", 0.0)], unk_id=2)
    new, _ = Pieces(to_json(model, ["<unk>"])).cut({"<unk>", "b"})
    assert new["model"]["unk_id"] == 1
    assert load_plain(new).encode("ba").ids == [0, 1]


def test_what_a_piece_stands_for() -> None:
    assert Pieces(wordpiece("[UNK]", "##ab")).text_of("##ab") == "ab"
    assert Pieces(unigram(**{"▁ab": -1.0})).text_of("▁ab") == "ab"
    end = models.BPE({"a": 0, "b</w>": 1}, [], end_of_word_suffix="</w>")
    assert Pieces(to_json(end, [])).text_of("b</w>") == "b"
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces = Pieces(to_json(models.BPE({"Ġ": 0}, []), [], before=byte_level))
    written = "".join(piece for piece, _ in byte_level.pre_tokenize_str("мир"))
    assert pieces.text_of(written) == "мир"
    assert pieces.text_of(written[:3]) == "м"  # half of the next letter says nothing
    assert pieces.text_of(written[2:3]) == ""


def test_forms_of_a_character() -> None:
    assert Pieces(wordpiece("[UNK]", "a", "##a", "##ab")).forms_of("a") == {"a", "##a"}
    assert Pieces(unigram(**{"▁a": -1.0, "b": -2.0})).forms_of("a") == {"▁a"}


def test_other_kinds_are_refused() -> None:
    data = to_json(models.WordLevel({"a": 0}, unk_token="a"), [])
    with pytest.raises(MtnlpError, match=r"E281.*'WordLevel'"):
        Pieces(data)
