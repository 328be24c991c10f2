"""What the machine can compute in."""

import torch


def has_bf16(gpu_id: int = -1) -> bool:
    """Whether a device computes in bfloat16 natively, which is faster than in fp32.

    gpu_id: -1 for the CPU. Processors without such instructions take longer in bf16.
    """
    if gpu_id >= 0:
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    # Not in every version of torch; a version that cannot say gets fp32, which always works.
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(ask and ask())
