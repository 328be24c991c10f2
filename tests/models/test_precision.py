"""What the encoder computes in: forced, or what the device is good at."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mtnlp.models import precision as precision_module
from mtnlp.models.precision import uses_bf16
from mtnlp.models.windows import group_by_length
from tests.models.encoders import make_docs, make_encoder
from tests.tiny import make_nlp

CPU = torch.device("cpu")


@pytest.mark.parametrize("native", [False, True])
def test_auto_follows_the_device(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native, raising=False)
    assert uses_bf16("auto", CPU) is native
    assert uses_bf16("bf16", CPU) is True
    assert uses_bf16("fp32", CPU) is False


def test_a_torch_that_cannot_say_gets_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert uses_bf16("auto", CPU) is False


@pytest.mark.parametrize("native", [False, True])
def test_a_pipeline_computes_in_what_auto_says(
    native: bool, backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_module, "has_bf16", lambda device: native)
    found = {}
    for precision in ("auto", "fp32"):
        nlp = make_nlp(backbone, ["sentence_vectors"], {"transformer": {"precision": precision}})
        nlp.initialize()
        found[precision] = nlp("Anna flew to Paris.").vector
    same: Any = np.allclose(found["auto"], found["fp32"], rtol=1e-6, atol=1e-7)
    assert same != native
    np.testing.assert_allclose(found["auto"], found["fp32"], rtol=0.1, atol=0.05)


class CastCounter(TorchDispatchMode):
    """Counts, by shape, how often a tensor becomes bf16."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[Tuple[int, ...]] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Optional[Dict[str, Any]] = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.aten._to_copy.default and kwargs.get("dtype") == torch.bfloat16:
            self.found[tuple(args[0].shape)] += 1
        return func(*args, **kwargs)


@pytest.mark.parametrize("is_train", [False, True])
def test_weights_are_cast_once_per_batch(is_train: bool, backbone: Path) -> None:
    """However many groups of windows a batch has."""
    model = make_encoder(backbone, precision="bf16", allow_slow=True)
    docs = make_docs()
    assert len(list(group_by_length(model.windower(docs).lengths))) > 1
    with CastCounter() as counter:
        model.begin_update(docs) if is_train else model.predict(docs)
    layers = [part for part in model.transformer.modules() if isinstance(part, torch.nn.Linear)]
    weights = Counter(tuple(layer.weight.shape) for layer in layers)
    assert {shape: counter.found[shape] for shape in weights} == dict(weights)
