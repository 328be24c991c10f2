"""Faster kernels on a processor give what torch's own give."""

from pathlib import Path
from typing import Iterator, Tuple

import pytest
import torch

from mtnlp.models import cpu_kernels
from mtnlp.models.cpu_kernels import (
    OneDNNLinear,
    choose_attention,
    prefers_onednn,
    standard_copy,
    use_fast_layers,
)
from tests.models.encoders import make_docs, make_encoder

needs_onednn = pytest.mark.skipif(
    not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this torch has no oneDNN"
)


@pytest.fixture
def preferring(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor where oneDNN is faster."""
    monkeypatch.setattr(cpu_kernels, "prefers_onednn", lambda: True)


def make_pair(bias: bool = True) -> Tuple[torch.nn.Linear, OneDNNLinear]:
    """A layer, and the same by oneDNN."""
    torch.manual_seed(0)
    own, fast = torch.nn.Linear(24, 40, bias=bias), OneDNNLinear(24, 40, bias=bias)
    fast.load_state_dict(own.state_dict())
    return own, fast


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(24,), (5, 24), (3, 7, 24), (0, 24), (2, 0, 24)])
def test_products_and_gradients(shape: Tuple[int, ...], bias: bool) -> None:
    own, fast = make_pair(bias)
    inputs = torch.randn(shape)
    results = []
    for layer in (own, fast):
        given = inputs.clone().requires_grad_()
        output = layer(given)
        # A gradient that is not contiguous, too.
        (output * torch.linspace(0, 1, 40)).sum().backward()
        results.append((output, given.grad, *(each.grad for each in layer.parameters())))
        with torch.no_grad():
            torch.testing.assert_close(layer(inputs), output)
    for wanted, found in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


@needs_onednn
def test_only_what_is_trained_gets_a_gradient() -> None:
    _, fast = make_pair()
    fast.weight.requires_grad_(False)
    inputs = torch.randn(3, 24, requires_grad=True)
    fast(inputs).sum().backward()
    assert inputs.grad is not None and fast.weight.grad is None and fast.bias.grad is not None


@needs_onednn
def test_other_precisions_are_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    own, fast = make_pair()
    monkeypatch.setattr(cpu_kernels, "multiply", None)
    inputs = torch.randn(3, 24)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(fast(inputs), own(inputs))
    assert torch.equal(fast.double()(inputs.double()), own.double()(inputs.double()))
    traced = torch.jit.trace(fast.float(), inputs, check_trace=False)
    assert torch.equal(traced(inputs), own.float()(inputs))


@needs_onednn
def test_encoders_say_and_learn_the_same(any_backbone: Path) -> None:
    found = []
    for is_fast in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cpu_kernels, "prefers_onednn", lambda is_fast=is_fast: is_fast)
            model = make_encoder(any_backbone, attention_dropout=0.0)
        encoder = model.transformer
        assert is_fast == any(type(layer) is OneDNNLinear for layer in encoder.modules())
        encoder.eval()  # without dropout, and with gradients
        states = encoder(torch.tensor([[2, 5, 6, 3], [4, 5, 2, 2]])).last_hidden_state
        states.square().sum().backward()
        found.append([states, *(each.grad for each in encoder.parameters())])
    for wanted, each in zip(*found, strict=True):
        assert (wanted is None) == (each is None)
        if wanted is not None:
            torch.testing.assert_close(each, wanted, atol=1e-4, rtol=1e-3)


@needs_onednn
def test_saved_and_copied(backbone: Path, preferring: None) -> None:
    model = make_encoder(backbone)
    before = model.predict(make_docs()).model_output.last_hidden_state
    other = make_encoder(backbone)
    other.from_bytes(model.to_bytes())
    for each in (other, model.copy()):
        assert any(type(layer) is OneDNNLinear for layer in each.transformer.modules())
        found = each.predict(make_docs()).model_output.last_hidden_state
        torch.testing.assert_close(found, before)


@needs_onednn
def test_converters_get_torchs_layers(backbone: Path, preferring: None) -> None:
    encoder = make_encoder(backbone).transformer
    copied = standard_copy(encoder)
    assert not any(isinstance(layer, OneDNNLinear) for layer in copied.modules())
    assert not copied.training
    ids = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        wanted, found = (each(ids).last_hidden_state for each in (encoder, copied))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


@pytest.fixture
def fresh() -> Iterator[None]:
    """What is known of the processor is asked anew."""
    prefers_onednn.cache_clear()
    yield
    prefers_onednn.cache_clear()


@needs_onednn
@pytest.mark.parametrize(
    "vendor, flags, expected",
    [
        ("GenuineIntel", "avx avx2 avx512f", False),
        ("GenuineIntel", "avx avx2", False),
        ("AuthenticAMD", "avx avx2 avx512f avx512dq", True),
        ("AuthenticAMD", "avx avx2", False),
    ],
)
def test_maker_and_instructions_decide(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fresh: None,
    vendor: str,
    flags: str,
    expected: bool,
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(
        f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: {flags}\n", encoding="utf8"
    )
    monkeypatch.setattr(cpu_kernels, "PROCESSOR", path)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(cpu_kernels.platform, "machine", lambda: "x86_64")
    assert prefers_onednn() == expected


def test_nothing_is_known_without_the_processors_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh: None
) -> None:
    monkeypatch.setattr(cpu_kernels, "PROCESSOR", tmp_path / "missing")
    assert not prefers_onednn()
    layer = torch.nn.Sequential(torch.nn.Linear(2, 2))
    use_fast_layers(layer)
    assert type(layer[0]) is torch.nn.Linear


@pytest.mark.parametrize("precision, expected", [("fp32", "sdpa"), ("bf16", "eager")])
def test_attention_by_precision(
    monkeypatch: pytest.MonkeyPatch, backbone: Path, precision: str, expected: str
) -> None:
    monkeypatch.setattr(cpu_kernels, "uses_bf16", lambda precision, device: precision == "bf16")
    assert choose_attention(precision) == (None if expected == "sdpa" else expected)
    model = make_encoder(backbone, precision=precision)
    assert model.transformer.config._attn_implementation == expected
    # What the config asks for comes first.
    asked = {"attn_implementation": "sdpa"}
    model = make_encoder(backbone, precision=precision, transformer_config=asked)
    assert model.transformer.config._attn_implementation == "sdpa"
    assert standard_copy(model.transformer).config._attn_implementation == "sdpa"
