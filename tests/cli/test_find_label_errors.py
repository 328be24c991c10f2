"""`mtnlp find-label-errors`: what it writes, and the corrected corpus."""

import json
from pathlib import Path
from typing import List

import pytest
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import fix_random_seed

from tests.analysis.label_errors.cases import ents_of
from tests.analysis.label_errors.planted import PIPES, PLANTED, make_docs, write_planted
from tests.data.corpora import files_below, flat, invoke
from tests.pipes.cases import train
from tests.tiny import make_nlp


@pytest.fixture(scope="module")
def model(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that knows the corpus without its errors."""
    nlp = make_nlp(backbone, list(PIPES), PIPES)
    docs = make_docs(nlp.vocab, planted=False)
    bare = [Doc(nlp.vocab, [token.text for token in doc]) for doc in docs]
    examples = [Example(*pair) for pair in zip(bare, docs, strict=True)]
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    train(nlp, examples, 30)
    folder = tmp_path_factory.mktemp("model")
    nlp.to_disk(folder)
    return folder


def test_find_and_apply(model: Path, tmp_path: Path) -> None:
    corpus, output = write_planted(tmp_path / "own.spacy"), tmp_path / "errors"
    result = invoke(
        *("find-label-errors", corpus, "--model", model, "--output", output, "--top", 20),
        *("--export", "prodigy", "--export", "brat"),
    )
    assert result.exit_code == 0, result.output
    # A layer of brat's has two files a Doc.
    found = [name for name in files_below(output) if not name.startswith("export/brat/")]
    assert found == [
        "export/prodigy/cats-sentiment.jsonl",
        "export/prodigy/ents.jsonl",
        "export/prodigy/spans-nerel.jsonl",
        "folds/0/found.jsonl",
        "index.html",
        "run.json",
        "suggestions.jsonl",
    ]
    rows = [json.loads(line) for line in (output / "suggestions.jsonl").open(encoding="utf8")]
    assert len(rows) == 20
    assert {(row["number"], row["layer"]) for row in rows[:4]} == set(PLANTED.values())
    assert "4 are more probable than the annotation" in flat(result.output)
    assert model.exists()  # a ready model is left alone

    answered = tmp_path / "reviewed.jsonl"
    lines = [
        json.dumps({**row, "answer": "accept" if row["rank"] <= 4 else "reject"}) for row in rows
    ]
    answered.write_text("\n".join(lines), encoding="utf8")
    target = tmp_path / "corrected.spacy"
    result = invoke("find-label-errors", corpus, "--apply", answered, "--output", target)
    assert result.exit_code == 0, result.output
    assert "accept 4, reject 16" in flat(result.output)
    right = make_docs(Vocab(), planted=False)
    assert layers(read(target)) == layers(right) != layers(make_docs(Vocab()))


def read(path: Path) -> List[Doc]:
    return list(DocBin().from_disk(path).get_docs(Vocab()))


def layers(docs: List[Doc]) -> List[object]:
    return [
        (ents_of(doc), sorted((s.start, s.end, s.label_) for s in doc.spans["nerel"]), doc.cats)
        for doc in docs
    ]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    corpus = write_planted(tmp_path / "own.spacy")
    result = invoke("find-label-errors", corpus, "--output", tmp_path / "errors")
    assert result.exit_code == 1 and "E727" in flat(result.output)
    result = invoke("find-label-errors", tmp_path, "--apply", tmp_path / "no", "--output", tmp_path)
    assert result.exit_code == 1 and "E156" in flat(result.output)
    result = invoke("find-label-errors", corpus, "--output", tmp_path / "x", "--wrong", "3")
    assert result.exit_code == 2
