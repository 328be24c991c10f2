"""What the encoder computes in."""

from typing import Literal

import torch

from ..errors import Errors, MtnlpError

# "auto": bf16 where the device computes in it natively, fp32 elsewhere.
Precision = Literal["fp32", "bf16", "auto"]
# What a converted encoder may compute in besides.
EnginePrecision = Literal["fp32", "bf16", "auto", "int8", "int8_static", "int8_mixed"]
CPU = torch.device("cpu")
# Instructions that make an engine's kernels fast, by what torch calls the question.
INSTRUCTIONS = {
    "VNNI": "_is_vnni_supported",
    "bf16": "_is_avx512_bf16_supported",
    "AMX": "_is_amx_tile_supported",
}


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether an encoder on `device` runs in bf16."""
    return precision == "bf16" or (precision == "auto" and has_bf16(device))


def require_bf16(device: torch.device) -> None:
    """Raises: MtnlpError E296 where a device would have to emulate bf16."""
    if device.type in ("cpu", "cuda") and not has_bf16(device):
        raise MtnlpError(Errors.E296.format(instructions=instruction_set(device)))


def has_bf16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 natively, which is faster than in fp32. Others emulate
    it and take many times as long."""
    if device.type == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    # Not in every version of torch; a version that cannot say gets fp32, which always works.
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and bool(ask and ask())


def instruction_set(device: torch.device = CPU) -> str:
    """What a processor has of the instructions that matter to an engine, such as "AVX512 with VNNI,
    bf16"; of a GPU its name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    found = [name for name, ask in INSTRUCTIONS.items() if getattr(torch.cpu, ask, bool)()]
    width = torch.backends.cpu.get_cpu_capability()
    return f"{width} with {', '.join(found)}" if found else width
