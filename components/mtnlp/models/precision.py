"""What the encoder computes in."""

from typing import Literal

import torch

# "auto": bf16 where the device computes in it natively, fp32 elsewhere.
Precision = Literal["fp32", "bf16", "auto"]


def uses_bf16(precision: Precision, device: torch.device) -> bool:
    """Whether an encoder on `device` runs in bf16."""
    return precision == "bf16" or (precision == "auto" and has_bf16(device))


def has_bf16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 natively, which is faster than in fp32. Others emulate
    it and take many times as long."""
    if device.type == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    # Not in every version of torch; a version that cannot say gets fp32, which always works.
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and bool(ask and ask())
