"""An untouched encoder as a teacher of vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from spacy.tokens import Doc

from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import VectorOpinion
from mtnlp.teaching.encoder_teacher import load_encoder_teacher, read_sentence_model

MODULES = "sentence_transformers.models."


def sentence_model(folder: Path, backbone: Path, *kinds: str, **pooling: bool) -> Path:
    """A sentence-transformers folder around an encoder."""
    folder.mkdir()
    modules = [{"path": str(backbone), "type": f"{MODULES}Transformer"}]
    modules += [{"path": f"{i}_{kind}", "type": MODULES + kind} for i, kind in enumerate(kinds)]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf8")
    if pooling:
        place = folder / f"{kinds.index('Pooling')}_Pooling"
        place.mkdir()
        settings = {f"pooling_mode_{name}": value for name, value in pooling.items()}
        (place / "config.json").write_text(json.dumps({"word": 3, **settings}), encoding="utf8")
    return folder


def test_its_vectors_are_the_mean_of_the_hidden_states(backbone: Path) -> None:
    teacher = load_encoder_teacher(str(backbone), "mine")
    assert teacher.pairs == [("mine", "sentence_vectors")] and teacher.heads(0)[0].pipe_labels == ()
    words = ["The", "Bank", "of", "New", "York", "fell", "."]
    ((opinion,),) = teacher.ask([Doc(teacher.nlp.vocab, words=words)])
    tokenizer = transformers.AutoTokenizer.from_pretrained(backbone)
    model = transformers.AutoModel.from_pretrained(backbone).eval()
    with torch.no_grad():
        states = model(**tokenizer(" ".join(words), return_tensors="pt")).last_hidden_state[0]
    mean = states.mean(0).numpy()
    assert isinstance(opinion, VectorOpinion)
    np.testing.assert_allclose(opinion.vector, mean / np.linalg.norm(mean), atol=1e-5)
    described = teacher.describe()
    assert described.name == f"xx_{backbone.name}" and described.path == str(backbone)


@pytest.mark.parametrize("mode, pooling", [("mean_tokens", "mean"), ("cls_token", "cls")])
def test_sentence_transformers(tmp_path: Path, backbone: Path, mode: str, pooling: str) -> None:
    modes = {"mean_tokens": False, "cls_token": False, "max_tokens": False, mode: True}
    folder = sentence_model(tmp_path / "m", backbone, "Pooling", "Normalize", **modes)
    found = read_sentence_model(str(folder))
    assert (Path(found.encoder), found.pooling) == (backbone, pooling)


@pytest.mark.parametrize(
    "kinds, modes, reason",
    [
        (["Pooling", "Dense"], {"mean_tokens": True}, "Transformer, Pooling, Dense"),
        (["Pooling"], {"weightedmean_tokens": True}, "pooling_mode_weightedmean_tokens"),
        (["Pooling"], {"mean_tokens": True, "cls_token": True}, "one of mean, cls and max"),
        (["Pooling"], {}, "config.json .* cannot be read"),
    ],
)
def test_what_cannot_be_read(
    tmp_path: Path, backbone: Path, kinds: Any, modes: Any, reason: str
) -> None:
    folder = sentence_model(tmp_path / "m", backbone, *kinds, **modes)
    with pytest.raises(MtnlpError, match=f"E747.*m: .*{reason}"):
        read_sentence_model(str(folder))
