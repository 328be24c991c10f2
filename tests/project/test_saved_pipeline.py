"""A pipeline saved by an earlier version still loads and still answers the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.language import Language

from tests.pipes.cases import group_scores, listed

FOLDER = Path(__file__).parents[1] / "fixtures" / "saved_pipeline"
ANSWERS = json.loads((FOLDER / "answers.json").read_text(encoding="utf8"))
# Processors add up in different orders.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy.load(FOLDER / "model")


def check(nlp: Language) -> None:
    for doc, answer in zip(nlp.pipe([a["text"] for a in ANSWERS]), ANSWERS, strict=True):
        assert [list(span) for span in listed(doc.ents)] == answer["ents"]
        assert set(doc.spans) == set(answer["spans"])
        for key, expected in answer["spans"].items():
            assert [list(span) for span in listed(doc.spans[key])] == expected["spans"]
            scores = group_scores(doc.spans[key])
            np.testing.assert_allclose(scores, expected["scores"], atol=TOLERANCE)
        assert doc.cats == pytest.approx(answer["cats"], abs=TOLERANCE)
        assert doc._.events == answer["events"]
        np.testing.assert_allclose(doc.vector, answer["vector"], atol=TOLERANCE)


def test_it_answers_as_it_did(nlp: Language) -> None:
    check(nlp)


def test_saved_again_by_this_version(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "again")
    check(spacy.load(tmp_path / "again"))
