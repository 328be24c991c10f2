"""What the encoder computes in: forced, or what the device is good at."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mtnlp.models import precision as precision_module
from mtnlp.models.precision import uses_bf16
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
