"""What makes torch fast on a processor, with the same answers: kernels that it has and does not
choose."""

import platform
from functools import cache
from pathlib import Path
from typing import Any, Optional, Tuple, cast

import torch
from thinc.api import get_torch_default_device
from torch.autograd.function import once_differentiable

from .adapters import is_adapted, merged_state
from .precision import uses_bf16

PROCESSOR = Path("/proc/cpuinfo")
INTEL = "GenuineIntel"
AVX_512 = "avx512f"


@cache
def prefers_onednn() -> bool:
    """Whether oneDNN, which torch brings along, multiplies fp32 matrices in half the time.

    By itself torch has MKL do that. MKL keeps its kernels of AVX-512 for processors of its maker.
    With AVX2 alone it is the faster one on any: by a quarter in training.
    """
    is_there = torch.backends.mkldnn.is_available() and torch.backends.mkl.is_available()
    if not is_there or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    if platform.machine().lower() not in ("x86_64", "amd64") or not PROCESSOR.exists():
        return False
    about = PROCESSOR.read_text(encoding="utf8", errors="replace")
    return AVX_512 in about and INTEL not in about


def choose_attention(precision: str) -> Optional[str]:
    """The form of attention that an encoder of torch's runs with in a precision, as transformers
    calls it; None leaves it to transformers.

    On the processor the way back through torch's fused attention takes twice as long in bf16 as
    through single matrix products.
    """
    device = torch.device(get_torch_default_device())
    return "eager" if device.type == "cpu" and uses_bf16(precision, device) else None


class OneDNNLinear(torch.nn.Linear):
    """A linear layer by oneDNN where it gets fp32 on the processor, else torch's own."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`[..., in_features]` to `[..., out_features]`."""
        is_traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
        if is_traced or not self.can_multiply(input):
            return super().forward(input)
        if torch.is_grad_enabled():
            return cast(torch.Tensor, LinearProduct.apply(input, self.weight, self.bias))
        return multiply(input, self.weight, self.bias)

    def can_multiply(self, input: torch.Tensor) -> bool:
        """Whether oneDNN has a kernel for these numbers that torch would not choose."""
        return (
            input.device.type == self.weight.device.type == "cpu"
            and input.dtype == self.weight.dtype == torch.float32
            and input.numel() > 0
            and not torch.is_autocast_enabled("cpu")
        )


class LinearProduct(torch.autograd.Function):
    """`input @ weight.T + bias`, and its gradients, by oneDNN; once differentiable."""

    @staticmethod
    def forward(
        ctx: Any, input: torch.Tensor, weight: torch.Tensor, bias: Optional[torch.Tensor]
    ) -> torch.Tensor:
        ctx.save_for_backward(input, weight)
        return multiply(input, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        input, weight = ctx.saved_tensors
        gradient = gradients[0]
        rows = gradient.reshape(-1, gradient.shape[-1])
        d_input = d_weight = d_bias = None
        if ctx.needs_input_grad[0]:
            d_input = multiply(gradient, weight.t(), None)
        if ctx.needs_input_grad[1]:
            d_weight = multiply(rows.t(), input.reshape(-1, input.shape[-1]).t(), None)
        if ctx.needs_input_grad[2]:
            d_bias = rows.sum(0)
        return d_input, d_weight, d_bias


def multiply(
    input: torch.Tensor, weight: torch.Tensor, bias: Optional[torch.Tensor]
) -> torch.Tensor:
    """`input @ weight.T + bias` by oneDNN: `[..., k]`, `[n, k]` and `[n]` to `[..., n]`."""
    return cast(
        torch.Tensor, torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")
    )


def use_fast_layers(encoder: torch.nn.Module) -> None:
    """Have oneDNN compute an encoder's linear layers, where that is faster. Weights, and what is
    saved, stay as they are."""
    if not prefers_onednn():
        return
    for layer in encoder.modules():
        if type(layer) is torch.nn.Linear:
            layer.__class__ = OneDNNLinear


def standard_copy(encoder: Any) -> Any:
    """A new encoder of the same weights, made as transformers makes it: what converters know."""
    # Without the form of attention, which transformers then chooses.
    config = type(encoder.config).from_dict(encoder.config.to_dict())
    copied = type(encoder)(config)
    copied.load_state_dict(merged_state(encoder) if is_adapted(encoder) else encoder.state_dict())
    return copied.eval()
