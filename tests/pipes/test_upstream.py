"""A component that listens to an encoder, where there is none for it."""

from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import spacy
from spacy.language import Language

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    WITH_SHAPE,
    initialized,
    listed,
    mixed_examples,
    step,
)
from tests.tiny import HIDDEN, PIPES, make_nlp

TEXT = "Anna Keller flew to Paris ."
CNN: Dict[str, Any] = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "*"}


def without_transformer(name: str) -> Language:
    """A pipeline of one component, as `spacy init config` leaves it."""
    nlp = make_nlp(Path("no encoder"), [name])
    nlp.remove_pipe("transformer")
    return nlp


@pytest.mark.parametrize("name", ["ner", "nested_ner", "events", "sentence_vectors"])
def test_no_encoder(name: str) -> None:
    with pytest.raises(MtnlpError, match=rf"E311.*'{name}'.*none.*add_pipe"):
        initialized(without_transformer(name))


def test_an_encoder_of_another_name(backbone: Path) -> None:
    block = {"@architectures": "mtnlp.TransformerListener.v1", "upstream": "bert"}
    nlp = make_nlp(backbone, ["ner"], {"ner": {"model": {"tok2vec": block}}})
    with pytest.raises(MtnlpError, match=r"E311.*'bert'.*here: transformer"):
        initialized(nlp)


def test_no_tok2vec() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("crf_ner", config={"model": {"tok2vec": CNN}})
    with pytest.raises(MtnlpError, match=r"E311.*'crf_ner'.*tok2vec"):
        initialized(nlp)
    nlp.add_pipe("tok2vec", first=True)
    initialized(nlp)(TEXT)


def test_an_encoder_behind(backbone: Path) -> None:
    nlp = make_nlp(backbone, [])
    nlp.add_pipe("crf_ner", first=True, config={"model": {"tok2vec": WITH_SHAPE}})
    with pytest.raises(MtnlpError, match=r"E312.*'crf_ner'.*'transformer'"):
        initialized(nlp)


def test_a_cleaner_between(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner", "trf_data_cleaner", "events"])
    with pytest.raises(MtnlpError, match=r"E313.*'events'.*'trf_data_cleaner'"):
        initialized(nlp)
    nlp.disable_pipe("trf_data_cleaner")
    initialized(nlp)


@pytest.mark.parametrize("name", PIPES)
def test_predictions_without_vectors(name: str, trained_once: Language) -> None:
    with trained_once.select_pipes(enable=[name]):
        with pytest.raises(MtnlpError, match=rf"E310.*'{name}'.*Anna Keller flew"):
            trained_once(TEXT)
        with pytest.raises(MtnlpError, match=r"E310"):
            list(trained_once.pipe(["", TEXT]))
        assert not trained_once("")
    assert trained_once(TEXT)[:1]


def test_a_sourced_component_alone(trained_once: Language) -> None:
    nlp = Language(trained_once.vocab)
    nlp.add_pipe("ner", source=trained_once)
    with pytest.raises(MtnlpError, match=r"E310"):
        nlp(TEXT)
    # Vectors may come from elsewhere.
    doc = nlp.make_doc(TEXT)
    encoder: Any = trained_once.get_pipe("transformer")
    found = nlp.get_pipe("ner")(encoder(doc)).ents
    assert listed(found) == listed(trained_once(TEXT).ents) != []


def test_training_without_vectors(trained: Language) -> None:
    examples = mixed_examples(trained)
    with pytest.raises(MtnlpError, match=r"E315.*'ner'"):
        step(trained, examples, exclude=["transformer"])
    # A frozen encoder leaves its vectors on the Docs.
    step(trained, examples, exclude=["transformer"], annotates=["transformer"])


def test_a_trained_head_keeps_its_labels_without_an_encoder(trained: Language) -> None:
    """`initialize` checks the pipeline before it takes anything back."""
    pipe: Any = trained.get_pipe("ner")
    labels = pipe.labels
    pipe.cfg["temperature"] = 2.0
    trained.remove_pipe("transformer")
    with pytest.raises(MtnlpError, match=r"E311.*'ner'"):
        pipe.initialize(lambda: mixed_examples(trained), nlp=trained, labels=["OTHER"])
    assert pipe.labels == labels != ("OTHER",)
    assert pipe.cfg["temperature"] == 2.0


def test_replaced_listeners_need_no_encoder(trained: Language) -> None:
    before = trained(TEXT)
    trained.replace_listeners("transformer", "ner", ["model.tok2vec"])
    with trained.select_pipes(enable=["ner"]):
        ents = [(ent.text, ent.label_) for ent in trained(TEXT).ents]
    assert ents == [(ent.text, ent.label_) for ent in before.ents] != []


@pytest.mark.parametrize("width", [None, 8, HIDDEN])
def test_a_projection_that_nothing_trains(
    width: Any, backbone: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nlp = make_nlp(
        backbone, ["sentence_vectors"], {"sentence_vectors": {"model": {"width": width}}}
    )
    with caplog.at_level("WARNING", logger="spacy"):
        initialized(nlp)
    said = {record.getMessage() for record in caplog.records if "W314" in record.getMessage()}
    # To the encoder's own width it changes nothing.
    assert len(said) == (width == 8)
    assert all("'sentence_vectors'" in message and "width = 8" in message for message in said)
    assert np.linalg.norm(nlp(TEXT).vector) == pytest.approx(1.0, abs=1e-5)
