"""Dropout on attention: set by one name for all encoders, kept by saved pipelines."""

from pathlib import Path
from typing import Any, List, Optional

import pytest
import spacy
import torch
import transformers

from mtnlp.errors import MtnlpError
from mtnlp.models.attention_dropout import NAMES, EncoderConfigs
from mtnlp.models.transformer import build_transformer_model_v1
from tests.models.encoders import make_docs, make_encoder
from tests.tiny import make_examples, make_nlp


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> List[float]:
    """The dropout of every call of torch's scaled-dot-product attention."""
    found: List[float] = []
    attend = torch.nn.functional.scaled_dot_product_attention

    def spy(*args: Any, **kwargs: Any) -> torch.Tensor:
        found.append(kwargs.get("dropout_p", 0.0))
        return attend(*args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", spy)
    return found


def of_config(encoder: Any) -> List[float]:
    return [getattr(encoder.config, name) for name in NAMES if hasattr(encoder.config, name)]


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_attention_gets_what_is_set(any_backbone: Path, seen: List[float], value: float) -> None:
    model = make_encoder(any_backbone, attention_dropout=value)
    assert of_config(model.transformer) == [value]
    model.begin_update(make_docs())
    assert seen and set(seen) == {value}
    seen.clear()
    model.predict(make_docs())
    assert seen and set(seen) == {0.0}


@pytest.mark.parametrize("value, expected", [(None, 0.1), (0.0, 0.0)])
def test_none_leaves_what_the_encoder_says(
    backbone: Path, seen: List[float], value: Optional[float], expected: float
) -> None:
    model = make_encoder(backbone, attention_dropout=value)
    model.begin_update(make_docs())
    assert seen and set(seen) == {expected}
    # Nothing else is touched.
    assert model.transformer.config.hidden_dropout_prob == 0.1


def test_the_encoders_own_settings_still_reach_it(backbone: Path, seen: List[float]) -> None:
    make_encoder(backbone, transformer_config={"attention_probs_dropout_prob": 0.2}).begin_update(
        make_docs()
    )
    assert seen and set(seen) == {0.2}


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_a_loaded_pipeline_trains_on_with_it(
    backbone: Path, tmp_path: Path, seen: List[float], value: float
) -> None:
    nlp = make_nlp(backbone, ["ner"], {"transformer": {"attention_dropout": value}})
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    loaded.update(make_examples(loaded), sgd=loaded.resume_training())
    assert seen and set(seen) == {value}


def test_the_config_decides_over_what_is_saved(
    backbone: Path, tmp_path: Path, seen: List[float]
) -> None:
    nlp = make_nlp(backbone, ["ner"])
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path)
    changed = {"components.transformer.model.attention_dropout": 0.0}
    loaded = spacy.load(tmp_path, config=changed)
    loaded.update(make_examples(loaded), sgd=loaded.resume_training())
    assert seen and set(seen) == {0.0}


def test_a_component_with_an_encoder_of_its_own_keeps_it(backbone: Path, seen: List[float]) -> None:
    nlp = make_nlp(backbone, ["ner"], {"transformer": {"attention_dropout": 0.0}})
    nlp.initialize(lambda: make_examples(nlp))
    nlp.replace_listeners("transformer", "ner", ["model.tok2vec"])
    loaded = make_nlp(backbone, [])
    loaded.remove_pipe("transformer")
    loaded.add_pipe("ner", source=nlp)
    loaded.from_bytes(loaded.to_bytes())
    loaded.update(make_examples(loaded), sgd=loaded.resume_training())
    assert seen and set(seen) == {0.0}


def test_an_encoder_without_it_says_so(tmp_path: Path) -> None:
    transformers.T5Config().save_pretrained(tmp_path)
    with pytest.raises(MtnlpError, match=r"E280.*'t5'.*dropout_rate"):
        EncoderConfigs(0.0).from_pretrained(tmp_path)
    assert EncoderConfigs(None).from_pretrained(tmp_path).dropout_rate == 0.1


def test_the_error_is_not_taken_for_a_missing_encoder(
    backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtnlp.models.attention_dropout.NAMES", ("other",))
    with pytest.raises(MtnlpError, match=r"E280"):
        make_encoder(backbone, attention_dropout=0.0)


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_out_of_range(value: float) -> None:
    with pytest.raises(MtnlpError, match=r"E330.*attention_dropout"):
        build_transformer_model_v1("any", attention_dropout=value)
