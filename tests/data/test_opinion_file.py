"""What is written is read: every kind of opinion, within the bounds of rounding."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.data import opinion_file
from mtnlp.data.opinion_file import LENGTH, ONE, OpinionFile, fingerprint
from mtnlp.errors import DataError
from mtnlp.gold.opinions import Opinion, SpanOpinion, TagOpinion
from tests.data.mixed_cases import save
from tests.data.taught_cases import (
    TAGS,
    head,
    random_logits,
    random_spans,
    random_tags,
    random_vector,
    write_opinions,
)

HEADS = [head("ner"), head("fine", "ner"), head("textcat"), head("vectors"), head("ner", "other")]
PLACES = {"ner": (0, 4), "fine": (1,), "textcat": (2,), "vectors": (3,)}
MAKERS = [random_tags, random_spans, random_logits, random_vector, random_tags]


def corpus(folder: Path, count: int = 30) -> Path:
    """Documents of 1 to 9 words; every tenth has none, and is left out."""
    vocab = Vocab()
    docs = [
        Doc(vocab, words=[f"w{i}{k}" for k in range(i % 10 and i % 9 + 1)]) for i in range(count)
    ]
    return save(folder / "a.spacy", docs)


@pytest.fixture
def written(tmp_path: Path) -> Dict[str, Any]:
    """A file of five heads, of which some have no opinion on some documents; nobody was asked about
    the fourth document."""
    generator = np.random.default_rng(0)
    stored: List[Optional[List[Optional[Opinion]]]] = []

    def believe(index: int, doc: Doc) -> Any:
        made = [None if generator.random() < 0.2 else make(generator, len(doc)) for make in MAKERS]
        stored.append(None if index == 3 else made)
        return stored[-1]

    path = write_opinions(corpus(tmp_path), tmp_path / "a.opinions.safetensors", HEADS, believe)
    return {"path": path, "stored": stored}


def test_every_kind_is_read_as_it_was_written(written: Dict[str, Any]) -> None:
    file = OpinionFile(written["path"])
    assert len(file) == len(written["stored"]) == 27
    assert file.components == ["ner", "fine", "textcat", "vectors"]
    assert [one.kind for one in file.heads] == ["tags", "spans", "categories", "vectors", "tags"]
    assert file.heads[1].source == "ner" and file.heads[0].pipe_labels == ("PER", "LOC")
    assert file.heads[2].exclusive == ("topic",)
    seen = 0
    for index, made in enumerate(written["stored"]):
        assert bool(file.asked[index]) == (made is not None)
        own = made or [None] * 5
        for component, places in {
            "ner": (0, 4),
            "fine": (1,),
            "textcat": (2,),
            "vectors": (3,),
        }.items():
            expected = [own[place] for place in places if own[place] is not None]
            found = file.read(index, component)
            assert len(found) == len(expected)
            seen += len(found)
            for one, other in zip(found, expected, strict=True):
                assert_same(one, other)
        assert file.read(index, "absent") == []
    assert seen > 90


def assert_same(found: Any, expected: Any) -> None:
    """Equal, but for what the format promises to round."""
    assert type(found) is type(expected)
    for name in expected._fields:
        one, other = getattr(found, name), getattr(expected, name)
        if name == "vector":
            # float16 has 11 binary digits.
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, other, rtol=2**-11, atol=6e-8)
        elif name == "logits":
            np.testing.assert_array_equal(one, other)
        elif name in ("starts", "index", "probabilities") or name == "spans":
            continue
        else:
            assert one == other
    if isinstance(expected, TagOpinion):
        tokens = len(expected.starts) - 1
        dense, own = dense_tags(found, tokens), dense_tags(expected, tokens)
        # Half a step of rounding, and what all of a token's tags were rounded by, shared.
        np.testing.assert_allclose(dense, own, atol=2.5 / ONE)
        np.testing.assert_allclose(dense.sum(1), 1, atol=1e-6)
        assert found.index.dtype == found.starts.dtype == np.int64
    if isinstance(expected, SpanOpinion):
        kept = expected.probabilities * ONE >= 0.5
        np.testing.assert_array_equal(found.spans, expected.spans[kept])
        np.testing.assert_allclose(
            found.probabilities, expected.probabilities[kept], atol=0.5 / ONE + 1e-7
        )


def dense_tags(opinion: TagOpinion, tokens: int) -> Any:
    dense = np.zeros((tokens, len(opinion.tags)))
    for token in range(tokens):
        part = slice(opinion.starts[token], opinion.starts[token + 1])
        dense[token, opinion.index[part]] = opinion.probabilities[part]
    return dense


def test_what_is_certain_stays_certain(tmp_path: Path) -> None:
    """Sums of 1 are 1 after reading; a tag of no weight is left out, its token's others are not."""
    certain = TagOpinion(
        TAGS, np.array([0, 1, 3]), np.array([0, 3, 1]), np.array([1, 1 - 1e-7, 1e-7])
    )
    nothing = SpanOpinion(("PER",), np.zeros((0, 3), dtype=np.int64), np.zeros(0), 5)
    path = save(tmp_path / "a.spacy", [Doc(Vocab(), words=["Hi", "Rome"])])
    made = write_opinions(
        path, tmp_path / "x", [head("ner"), head("fine")], lambda index, doc: [certain, nothing]
    )
    tags, spans = OpinionFile(made).read(0, "ner") + OpinionFile(made).read(0, "fine")
    assert isinstance(tags, TagOpinion) and isinstance(spans, SpanOpinion)
    assert tags.starts.tolist() == [0, 1, 2] and tags.index.tolist() == [0, 3]
    assert tags.probabilities.tolist() == [1, 1]
    assert spans.spans.shape == (0, 3) and spans.max_width == 5


def test_other_readers_of_the_format_can_open_it(written: Dict[str, Any]) -> None:
    arrays = load_file(written["path"])
    assert arrays["documents/asked"].tolist() == [i != 3 for i in range(27)]
    assert arrays["0/probabilities"].dtype == np.uint16 and arrays["0/index"].dtype == np.uint8
    assert arrays["2/logits"].shape[1] == 3 and arrays["3/vectors"].dtype == np.float16
    with safe_open(written["path"], framework="np") as stream:
        description = json.loads(stream.metadata()["mtnlp"])
    assert description["documents"] == 27 and description["teachers"][0]["name"] == "en_teacher"


def test_opening_reads_no_opinions(
    written: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A map of a large file: what is opened is its header, what is read one document's."""
    path = written["path"]
    data = path.read_bytes()
    start = LENGTH + int.from_bytes(data[:LENGTH], "little")
    header = json.loads(data[LENGTH:start])
    entry = header["3/vectors"]
    # The file grows by a hole of 40 GB, which no disk holds and no memory could.
    rows = 20_000_000
    entry.update(
        shape=[rows, 1024], data_offsets=[len(data) - start, len(data) - start + rows * 2048]
    )
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(LENGTH, "little") + text + data[start:])
        stream.truncate(LENGTH + len(text) + entry["data_offsets"][1])
    file = OpinionFile(path)
    index = next(i for i, made in enumerate(written["stored"]) if made and made[3])
    (vector,) = file.read(index, "vectors")
    assert vector[0].shape == (1024,) and not vector[0].any()


def test_a_head_without_any_opinion_is_left_out(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    path = write_opinions(
        corpus(tmp_path),
        tmp_path / "x",
        [head("ner"), head("textcat")],
        lambda index, doc: [None, random_logits(generator, 1)],
    )
    file = OpinionFile(path)
    assert file.components == ["textcat"] and len(file.read(4, "textcat")) == 1


def test_files_that_are_none(tmp_path: Path, written: Dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"absent: \[E740\]"):
        OpinionFile(tmp_path / "absent")
    data = written["path"].read_bytes()
    broken = {
        "empty": b"",
        "short": data[:-5],
        "header": data[:40],
        "other": b"PK\x03\x04 something else entirely",
        "newer": data.replace(b'\\"format\\": 1', b'\\"format\\": 9'),
        "plain": data.replace(b'"mtnlp"', b'"other"', 1),
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=rf"{name}: \[E741\].*mtnlp teach"):
            OpinionFile(tmp_path / name)


def test_what_differs_is_told(written: Dict[str, Any]) -> None:
    file = OpinionFile(written["path"])
    own = file.fingerprints.tolist()
    assert file.difference(own) is None
    assert "27 documents, and there are 26" in str(file.difference(own[:-1]))
    assert "another order" in str(file.difference([*own[1:], own[0]]))
    assert "document 5 " in str(file.difference([*own[:5], 1, *own[6:]]))


def test_fingerprints_are_of_words_in_their_order() -> None:
    assert fingerprint(np.array([1, 2], dtype="u8")) != fingerprint(np.array([2, 1], dtype="u8"))
    assert opinion_file.fingerprint(np.array([1], dtype="u8")) < 2**64
