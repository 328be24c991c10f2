"""Pickles, deep copies, processes and DocBins."""

import copy
import pickle
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, DocBin

import mtnlp
from tests.pipes.cases import (
    CASES,
    TEXTS,
    assert_same_answers,
    get_case_pipe,
    initialized,
    make_case,
    mixed_examples,
    step,
    train,
)

COPIES: Dict[str, Callable[[Any], Any]] = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_a_pipeline(how: str, trained_once: Language) -> None:
    made = COPIES[how](trained_once)
    before = [trained_once(text) for text in TEXTS]
    for text, doc in zip(TEXTS, before, strict=True):
        assert_same_answers(doc, made(text), 1e-6)
    # The copy learns for itself.
    train(made, mixed_examples(made), 2)
    assert made(TEXTS[0]).cats != before[0].cats
    assert trained_once(TEXTS[0]).cats == before[0].cats


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", CASES)
def test_copies_of_a_pipe(name: str, how: str, backbone: Path) -> None:
    nlp = make_case(backbone, name)
    for _ in range(2):  # before and after its head is built
        pipe: Any = get_case_pipe(nlp, name)
        made = COPIES[how](pipe)
        assert type(made) is type(pipe)
        assert made.name == pipe.name and made.cfg == pipe.cfg and made.labels == pipe.labels
        assert made.is_built == pipe.is_built
        initialized(nlp)
    docs = [nlp(text) for text in TEXTS]
    made = COPIES[how](get_case_pipe(nlp, name))
    for doc in docs:
        again = nlp.make_doc(doc.text)
        again._.trf_data = doc._.trf_data
        assert_same_answers(doc, made(again), 1e-6)


@pytest.mark.filterwarnings("ignore:.*W109")
def test_two_processes(trained_once: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # a fork of a parent with several threads could wait for them
    try:
        one = list(trained_once.pipe(TEXTS))
        two = list(trained_once.pipe(TEXTS, n_process=2, batch_size=2))
    finally:
        torch.set_num_threads(threads)
    for doc, again in zip(one, two, strict=True):
        assert again.text == doc.text
        assert not again.user_hooks
        assert_same_answers(doc, again, 1e-5)
        tasks = {"sentiment", "topic", "event"} if doc.text.strip() else set()
        assert again._.tasks.keys() == tasks
        if len(again):
            assert mtnlp.restore_vectors(again)[:].vector == pytest.approx(doc[:].vector, abs=1e-5)
        else:
            assert mtnlp.restore_vectors(again).vector.tolist() == [0.0] * 32
        assert again.user_hooks


def test_doc_to_bytes_and_pickle(trained_once: Language) -> None:
    doc = trained_once(TEXTS[0])
    with pytest.warns(UserWarning, match="W109"):
        again = Doc(trained_once.vocab).from_bytes(doc.to_bytes())
    assert_same_answers(doc, again)
    pickled = pickle.loads(pickle.dumps(doc))
    assert_same_answers(doc, pickled)
    # Hooks are functions of a module, so a pickled Doc takes them along, and no pipe.
    assert pickled.user_hooks.keys() == doc.user_hooks.keys()
    assert len(pickle.dumps(doc.user_hooks)) < 1000
    assert doc.copy().vector == pytest.approx(doc.vector)


def test_doc_bin(trained_once: Language, tmp_path: Path) -> None:
    docs = list(trained_once.pipe(TEXTS))
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "docs.spacy")
    loaded = DocBin().from_disk(tmp_path / "docs.spacy").get_docs(spacy.blank("en").vocab)
    for doc, again in zip(docs, loaded, strict=True):
        assert_same_answers(doc, again, vectors=False)
        for key in ("ner", "multinerd", "nerel"):
            for span in again.spans[key]:
                assert 0 < mtnlp.confidence(span, key=key) <= 1
        assert [e._.confidence for e in again.ents] == [e._.confidence for e in doc.ents]
        assert not again.user_hooks
        mtnlp.restore_vectors(again)
        assert np.array_equal(again.vector, doc.vector)
        assert again.similarity(doc) == pytest.approx(1.0 if doc.text.strip() else 0.0, abs=1e-5)
        # A DocBin leaves doc.tensor behind, and with it the vectors of spans.
        assert again.has_vector == bool(doc.text.strip())
        assert not again[:].vector.any()


def test_doc_bin_without_user_data(trained_once: Language) -> None:
    """What `doc._` holds is lost; entities, scores and categories are not."""
    data = DocBin(docs=[trained_once(TEXTS[2]), trained_once(TEXTS[0])]).to_bytes()
    died, doc = DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab)
    assert doc._.events is None and doc._.sentence_vector is None
    assert died.cats["event/DEATH"] > 0.5 and died._.tasks["event"]["DEATH"] > 0.5
    assert len(doc.spans["ner"].attrs["scores"]) == len(doc.ents) == 2
    assert mtnlp.restore_vectors(doc) is doc and not doc.user_hooks


@pytest.mark.parametrize("name", CASES)
def test_a_pipe_on_its_own_disk_and_bytes(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    step(nlp, mixed_examples(nlp))
    pipe: Any = get_case_pipe(nlp, name)
    pipe.to_disk(tmp_path)
    for load in ("from_disk", "from_bytes"):
        other = make_case(backbone, name)
        other.get_pipe("transformer").from_bytes(  # type: ignore[attr-defined]
            nlp.get_pipe("transformer").to_bytes()  # type: ignore[attr-defined]
        )
        made = get_case_pipe(other, name)
        getattr(made, load)(tmp_path if load == "from_disk" else pipe.to_bytes())
        assert made.cfg == pipe.cfg
        for text in TEXTS:
            assert_same_answers(nlp(text), other(text), 1e-6)


def test_an_untrained_pipeline_is_saved_and_loaded(backbone: Path, tmp_path: Path) -> None:
    for name in ("crf_ents", "sentence_vectors"):
        nlp = make_case(backbone, name)
        nlp.to_disk(tmp_path / name)
        loaded = initialized(spacy.load(tmp_path / name))
        assert loaded(TEXTS[0]).text == TEXTS[0]
