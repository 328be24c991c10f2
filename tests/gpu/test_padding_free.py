"""Windows in one row on a GPU, against padded ones and against a processor."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity, scaled_dot_product_attention
from transformers.file_utils import ModelOutput

from mtnlp.models import window_encoder
from mtnlp.models.doc_data import EncodedBatch
from mtnlp.models.packed_attention import WindowBounds, attend, find_kernel, flash_kernel
from mtnlp.models.tensors import to_device
from tests.gpu.test_gpu import TOLERANCE, pytestmark  # noqa: F401
from tests.models.encoders import TEXTS, make_docs, make_encoder
from tests.pipes.cases import EXACT, LONG_TEXT, assert_same_answers, initialized
from tests.pipes.cases import TEXTS as SHORT_TEXTS
from tests.tiny import PIPES, SIZES, make_nlp

UNEQUAL = ["a", ".", *TEXTS, "It quotes <pad> and [PAD] .", LONG_TEXT]
LENGTHS = [1, 300, 2, 64, 129]
# The kernel's heads are a multiple of 8 wide; those of the tiny encoders are.
WIDTH = SIZES["hidden_size"] // SIZES["num_attention_heads"]


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> List[Any]:
    """The groups that were packed."""
    found: List[Any] = []
    pack = window_encoder.pack_windows

    def spy(*args: Any, **kwargs: Any) -> Any:
        found.extend(groups := pack(*args, **kwargs))
        return groups

    monkeypatch.setattr(window_encoder, "pack_windows", spy)
    return found


@pytest.fixture(params=["bert", "roberta", "xlm-r"])
def known_backbone(request: Any, backbones: Dict[str, Path]) -> Path:
    return backbones[request.param]


def needs_kernel() -> None:
    if flash_kernel() is None:
        pytest.skip("this torch has no attention over sequences of any lengths")


def run(backbone: Path, **settings: Any) -> Tuple[torch.Tensor, torch.Tensor]:
    """Hidden states, and the gradient of all weights in one row."""
    model = make_encoder(backbone, attention_dropout=0.0, **settings)
    docs = make_docs(UNEQUAL)
    states = model.predict(docs).model_output.last_hidden_state
    model.transformer.config.hidden_dropout_prob = 0.0
    for part in model.transformer.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    output, backprop = model.begin_update(docs)
    random = torch.Generator().manual_seed(0)
    gradient = ModelOutput(last_hidden_state=torch.randn(states.shape, generator=random).cuda())
    backprop(EncodedBatch(output.spans, output.wordpieces, gradient, output.align))
    found = [p.grad.flatten() for p in model.transformer.parameters() if p.grad is not None]
    return states, torch.cat(found)


def test_the_kernel_against_a_mask() -> None:
    needs_kernel()
    random = torch.Generator().manual_seed(0)
    size = (1, sum(LENGTHS), 2, WIDTH)
    parts = [torch.randn(size, generator=random).cuda().bfloat16() for _ in range(3)]
    parts = [part.transpose(1, 2).requires_grad_() for part in parts]
    offsets = torch.tensor([0, *np.cumsum(LENGTHS)], dtype=torch.int32, device="cuda")
    assert find_kernel(parts[0]) is not None
    found = attend(*parts, WindowBounds.of(LENGTHS, offsets))
    window = torch.arange(len(LENGTHS)).repeat_interleave(torch.tensor(LENGTHS)).cuda()
    exact = [part.detach().float().requires_grad_() for part in parts]
    expected = scaled_dot_product_attention(*exact, attn_mask=window[:, None] == window[None])
    torch.testing.assert_close(found.float(), expected, atol=2e-2, rtol=2e-2)
    d_output = torch.randn(found.shape, generator=random).cuda()
    ours = torch.autograd.grad(found, parts, d_output.bfloat16())
    theirs = torch.autograd.grad(expected, exact, d_output)
    for one, other in zip(ours, theirs, strict=True):
        assert cosine_similarity(one.float().flatten(), other.flatten(), dim=0) > 0.999


def test_bf16_is_free_of_padding(known_backbone: Path, packed: List[Any]) -> None:
    """By itself, and it says what padded windows say."""
    needs_kernel()
    states, gradient = run(known_backbone, precision="bf16")
    assert len(packed) == 2  # predicting and training
    padded, padded_gradient = run(known_backbone, precision="bf16", padding_free=False)
    exact, exact_gradient = run(known_backbone, padding_free=False)
    assert len(packed) == 2
    assert cosine_similarity(states, padded, dim=1).min() > 0.998
    assert cosine_similarity(states, exact, dim=1).min() > 0.998
    assert cosine_similarity(gradient, padded_gradient, dim=0) > 0.99
    assert cosine_similarity(gradient, exact_gradient, dim=0) > 0.99


def test_fp32_pads_unless_it_is_told(known_backbone: Path, packed: List[Any]) -> None:
    padded, padded_gradient = run(known_backbone)
    assert not packed
    states, gradient = run(known_backbone, padding_free=True)
    assert len(packed) == 2
    torch.testing.assert_close(states, padded, atol=TOLERANCE, rtol=0)
    assert cosine_similarity(gradient, padded_gradient, dim=0) > 0.999


def test_dropout_on_attention_pads_in_training(backbone: Path, packed: List[Any]) -> None:
    needs_kernel()
    model = make_encoder(backbone, precision="bf16", attention_dropout=0.1)
    model.begin_update(make_docs(UNEQUAL))
    assert not packed
    model.predict(make_docs(UNEQUAL))
    assert len(packed) == 1


def test_a_whole_pipeline(backbone: Path) -> None:
    """In fp32, where the answers can be held to one another."""
    answers = []
    for setting in (True, False):
        encoder = {**EXACT["transformer"], "padding_free": setting}
        nlp = initialized(make_nlp(backbone, PIPES, {**EXACT, "transformer": encoder}))
        answers.append(list(nlp.pipe([*SHORT_TEXTS, LONG_TEXT])))
    for one, other in zip(*answers, strict=True):
        assert_same_answers(one, other, TOLERANCE)


def test_many_arrays_in_one_copy() -> None:
    arrays = [np.arange(6).reshape(2, 3), np.zeros((0,), dtype=np.int64), np.array([7])]
    arrays.append(np.arange(4, dtype=np.int32))
    found = to_device(arrays, torch.device("cuda"))
    for tensor, array in zip(found, arrays, strict=True):
        assert tensor.device.type == "cuda" and tensor.dtype == torch.int64
        assert tensor.cpu().tolist() == array.tolist()
    assert to_device([], torch.device("cuda")) == []
