"""Exports: our own readers find in them what was suggested, and `--apply` takes it back."""

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from spacy.vocab import Vocab

from mtnlp.analysis.label_errors.apply import apply_reviewed
from mtnlp.analysis.label_errors.corpus import CheckedCorpus
from mtnlp.analysis.label_errors.exports import TOOLS, export, labels_of, make_tasks
from mtnlp.data.datasets import FORMATS
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.options import ConvertOptions
from mtnlp.data.recognise import recognise
from mtnlp.errors import MtnlpError
from tests.analysis.label_errors.cases import (
    CORRECTED_ENTS,
    CORRECTED_SPANS,
    CORRECTED_TOPICS,
    ENTS,
    SUGGESTIONS,
    TOPICS,
    ents_of,
    make_docs,
    read_corpus,
    spans_of,
    topics_of,
    write_corpus,
)

Files = Dict[str, Path]
FILES = {
    "prodigy": ("ents.jsonl", "spans-sc.jsonl", "cats-topic.jsonl"),
    "label-studio": ("ents.json", "spans-sc.json", "cats-topic.json"),
    "brat": ("ents", "spans-sc"),
}


@pytest.fixture
def exported(tmp_path: Path) -> Dict[str, Tuple[Path, ...]]:
    """What each tool gets of all suggestions."""
    found = {}
    for tool in TOOLS:
        docs = dict(zip([("errors.spacy", i) for i in range(4)], make_docs(Vocab()), strict=True))
        labels = labels_of(make_docs(Vocab()), {item.layer for item in SUGGESTIONS})
        written = export(tool, tmp_path / tool, make_tasks(docs, SUGGESTIONS), labels)
        assert [path.name for path in written] == list(FILES[tool])
        found[tool] = tuple(written)
    return found


def submit(path: Path) -> None:
    """What Label Studio makes of an imported file when somebody looks at each task and submits it:
    the prediction becomes an annotation. Prodigy adds the answer."""
    if path.suffix == ".json":
        tasks = json.loads(path.read_text("utf8"))
        for task in tasks:
            (prediction,) = task["predictions"]
            task["annotations"] = [{"result": prediction["result"], "completed_by": 1}]
        path.write_text(json.dumps(tasks), "utf8")
    elif path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text("utf8").splitlines()]
        path.write_text("".join(json.dumps({**r, "answer": "accept"}) + "\n" for r in rows), "utf8")


def read(path: Path) -> List[Any]:
    format = recognise(path)
    return list(format.read(path, BadInput(), ConvertOptions(format.name)))


@pytest.mark.parametrize("tool", TOOLS)
def test_our_readers_read_them(tool: str, exported: Dict[str, Tuple[Path, ...]]) -> None:
    for path in exported[tool]:
        submit(path)
    ents, spans, *cats = exported[tool]
    docs = make_docs(Vocab())
    found = {record.text: record for record in read(ents)}
    # The Docs with a suggestion, the highest one first.
    wanted = [docs[i].text for i in (0, 2, 3)]
    assert (sorted(found) if tool == "brat" else list(found)) == (
        sorted(wanted) if tool == "brat" else wanted
    )
    for i in (0, 2, 3):
        words = {(docs[i][a:b].text, label) for a, b, label in CORRECTED_ENTS[i]}
        record = found[docs[i].text]
        own = {(record.text[a.start : a.end], a.label) for a in record.entities}
        assert own == words
    (record,) = read(spans)
    own = {(record.text[a.start : a.end], a.label) for a in record.entities}
    assert own == {
        ("The Bank of New York", "GROUP"),
        ("Bank of New York", "ORG"),
        ("New York", "LOC"),
    }
    for path in cats:
        (record,) = read(path)
        assert next(key for key, value in record.cats.items() if value).endswith("/MONEY")


@pytest.mark.parametrize("tool", TOOLS)
def test_apply_takes_them_back(
    tool: str, exported: Dict[str, Tuple[Path, ...]], tmp_path: Path
) -> None:
    corpus = CheckedCorpus(write_corpus(tmp_path / "errors.spacy"))
    ents, spans, *cats = exported[tool]
    for path in exported[tool]:
        submit(path)
    target = tmp_path / "corrected.spacy"
    applied = apply_reviewed(corpus, ents, target)
    assert (applied.docs, applied.changed) == (3, 3)
    assert tuple(map(ents_of, read_corpus(target))) == CORRECTED_ENTS
    applied = apply_reviewed(corpus, spans, target)
    assert (applied.docs, applied.changed) == (1, 1)
    corrected = read_corpus(target)
    assert tuple(map(spans_of, corrected)) == CORRECTED_SPANS
    # Other layers stay as they were.
    assert tuple(map(ents_of, corrected)) == ENTS
    for path in cats:
        apply_reviewed(corpus, path, target)
        corrected = read_corpus(target)
        assert tuple(topics_of(doc)[0] for doc in corrected) == CORRECTED_TOPICS
        assert all(len(topics_of(doc)) == 1 for doc in corrected)


def test_what_a_reviewer_takes_back(exported: Dict[str, Tuple[Path, ...]], tmp_path: Path) -> None:
    """A suggestion that is undone in the tool changes nothing, and a rejected text neither."""
    corpus = CheckedCorpus(write_corpus(tmp_path / "errors.spacy"))
    path = exported["prodigy"][0]
    rows = [json.loads(line) for line in path.read_text("utf8").splitlines()]
    rows[0]["spans"] = [
        {"start": 0, "end": 4, "label": "PER"},
        {"start": 20, "end": 24, "label": "ORG"},
    ]
    rows[1]["answer"] = "reject"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf8")
    applied = apply_reviewed(corpus, path, tmp_path / "corrected.spacy")
    assert (applied.docs, applied.changed) == (2, 1)
    found = tuple(map(ents_of, read_corpus(tmp_path / "corrected.spacy")))
    assert found == (*ENTS[:3], CORRECTED_ENTS[3])
    assert any("reject" in what for what in applied.left_out)


def test_what_does_not_fit(exported: Dict[str, Tuple[Path, ...]], tmp_path: Path) -> None:
    corpus = CheckedCorpus(write_corpus(tmp_path / "errors.spacy"))
    target = tmp_path / "corrected.spacy"
    path = exported["prodigy"][0]
    text = path.read_text("utf8")

    def fails(code: str, edited: str) -> None:
        path.write_text(edited, "utf8")
        with pytest.raises(MtnlpError, match=code):
            apply_reviewed(corpus, path, target)
        assert not target.exists()

    fails("E728", text.replace("Keller", "Kepler"))
    fails("E728", text.replace('"number": 0', '"number": 7'))
    fails("E726", text.replace('"layer": "ents", ', ""))
    fails("E726", text.replace("errors.spacy", "others.spacy"))
    overlap = json.loads(text.splitlines()[0])
    overlap["spans"].append({"start": 5, "end": 16, "label": "LOC"})
    fails("E728", json.dumps(overlap) + "\n")
    other = tmp_path / "own.csv"
    other.write_text("text,label\na b,X\nc d,Y\n", "utf8")
    with pytest.raises(MtnlpError, match="E726"):
        apply_reviewed(corpus, other, target)


def test_formats_of_the_tools_are_known() -> None:
    assert {tool.replace("-", "_") for tool in TOOLS} <= set(FORMATS)


def test_topics_of_the_case() -> None:
    """The corpus is annotated as its table says."""
    assert tuple(topics_of(doc)[0] for doc in make_docs(Vocab())) == TOPICS
