"""Attention without padding: the windows of a batch in one row, each attending to itself alone.

An encoder hands its attention mask on to torch's attention. A `WindowBounds` takes the mask's
place. torch asks a tensor of such a class what a function of it gives (`__torch_function__`, as its
own `torch.nn.attention.bias.CausalBias` is made), so the encoder runs as it is, in any number of
threads at once. An encoder that does anything else with its mask is an error, and never attention
from window to window.

Rejected: transformers' registry of attention functions, which BERT and its kin do not read in 4.53;
classes of our own for their attention, one for each family and version; FlexAttention, which has to
be compiled for each length.
"""

from functools import cache
from typing import Any, Callable, List, Literal, Optional, Sequence, Union, cast

import torch
from torch.nn.functional import scaled_dot_product_attention

from ..errors import Errors, MtnlpError
from .attention_dropout import own_dropout

# "auto": where a GPU has a kernel for it.
PaddingFree = Union[bool, Literal["auto"]]
# Encoders whose only position is a learnt vector for each place, and whose attention is torch's.
KNOWN = {
    "transformers.models.bert.modeling_bert.BertModel",
    "transformers.models.camembert.modeling_camembert.CamembertModel",
    "transformers.models.roberta.modeling_roberta.RobertaModel",
    "transformers.models.xlm_roberta.modeling_xlm_roberta.XLMRobertaModel",
}
# What encoders do with a mask `[batch, 1, seq]` before they pass it on.
MASK_STEPS = {"__getitem__", "to", "__rsub__", "rsub", "__mul__", "mul"}
# What they ask of it, all of which is an ordinary tensor's.
MASK_QUESTIONS = {"dim", "size", "__get__"}
# What the kernel takes: numbers, and the width of a head.
HALF = (torch.bfloat16, torch.float16)
MULTIPLE, WIDEST = 8, 256


class WindowBounds(torch.Tensor):
    """Where windows that lie in one row begin and end, in place of an attention mask.

    lengths: wordpieces of each window. offsets: int32 `[windows + 1]`, where each begins, and the
    end of the last, on the encoder's device.
    """

    lengths: List[int]
    offsets: torch.Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], offsets: torch.Tensor) -> "WindowBounds":
        """Bounds for one row. Arguments: as the attributes."""
        bounds = torch.zeros((1, 1, 1)).as_subclass(cls)
        bounds.lengths, bounds.offsets = list(lengths), offsets
        return bounds

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Optional[Any] = None
    ) -> Any:
        """Attention within the windows; itself, for what is made of a mask on the way there.
        Raises: MtnlpError E298 for anything else."""
        if func is scaled_dot_product_attention:
            return attend(*args, **(kwargs or {}))
        name = getattr(func, "__name__", str(func))
        if name in MASK_STEPS:
            return next(arg for arg in args if isinstance(arg, cls))
        if name in MASK_QUESTIONS:
            return super().__torch_function__(func, types, args, kwargs or {})
        raise MtnlpError(Errors.E298.format(reason=f"it computes '{name}' of its attention mask"))


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: WindowBounds,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Optional[float] = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """torch's `scaled_dot_product_attention`, within each window of a row.

    On a GPU, in half precision and without dropout: FlashAttention over sequences of any lengths
    (Dao, 2023), by `torch.nn.attention.varlen`. Elsewhere: window by window.

    query, key, value: `[1, heads, wordpieces, width]`. attn_mask: the windows. The others: as
    torch's. Returns: `[1, heads, wordpieces, width]`. Raises: MtnlpError E298 for causal attention.
    """
    if is_causal or enable_gqa or len(query) != 1:
        raise MtnlpError(Errors.E298.format(reason="its attention is another one than BERT's"))
    lengths = attn_mask.lengths
    kernel = find_kernel(query)
    if kernel is not None and dropout_p == 0.0 and scale is None:
        rows = [part[0].transpose(0, 1) for part in (query, key, value)]
        longest, offsets = max(lengths), attn_mask.offsets
        attended = kernel(*rows, offsets, offsets, longest, longest)
        return cast(torch.Tensor, attended.transpose(0, 1).unsqueeze(0))
    windows = zip(*(part.split(lengths, dim=2) for part in (query, key, value)), strict=True)
    found = [
        scaled_dot_product_attention(q, k, v, dropout_p=dropout_p, scale=scale)
        for q, k, v in windows
    ]
    return torch.cat(found, dim=2)


def find_kernel(query: torch.Tensor) -> Optional[Callable[..., torch.Tensor]]:
    """`flash_kernel`, for what it takes; None for other queries."""
    return flash_kernel() if query.is_cuda and query.dtype in HALF else None


@cache
def flash_kernel() -> Optional[Callable[..., torch.Tensor]]:
    """torch's attention over sequences of any lengths on a GPU: queries, keys and values
    `[wordpieces, heads, width]`, their offsets twice, the longest twice. None where torch has it
    not: before 2.10, or in a build without FlashAttention."""
    if not torch.cuda.is_available() or torch.version.hip is not None:
        return None
    if not torch.backends.cuda.is_flash_attention_available():
        return None
    try:
        # Here, because it brings torch's compiler along, which takes seconds.
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return cast(Callable[..., torch.Tensor], varlen_attn)


def obstacle(encoder: torch.nn.Module) -> Optional[str]:
    """Why an encoder cannot have all windows in one row; None where it can."""
    kind, config = type(encoder), cast(Any, encoder).config
    if f"{kind.__module__}.{kind.__qualname__}" not in KNOWN:
        return f"'{kind.__name__}' is no encoder of which that is known"
    positions = getattr(config, "position_embedding_type", "absolute")
    if positions != "absolute":
        return f"its positions are '{positions}'"
    if config._attn_implementation != "sdpa":
        return f"its attention is '{config._attn_implementation}', not torch's"
    return "it is a decoder" if config.is_decoder else None


def is_padding_free(
    setting: PaddingFree, encoder: torch.nn.Module, is_bf16: bool, is_train: bool
) -> bool:
    """Whether an encoder reads the windows of a batch in one row.

    setting: "auto" for where it is fast: on a GPU, in bf16, with an encoder that can, and without
    dropout on attention, which the kernel has not. Raises: MtnlpError E298 where the setting is
    True and the encoder cannot.
    """
    if setting != "auto":
        if setting and (reason := obstacle(encoder)) is not None:
            raise MtnlpError(Errors.E298.format(reason=reason))
        return bool(setting)
    is_fast = is_bf16 and device_of(encoder).type == "cuda" and flash_kernel() is not None
    if not is_fast or obstacle(encoder) is not None:
        return False
    config = cast(Any, encoder).config
    width = config.hidden_size // config.num_attention_heads
    has_dropout = is_train and bool(own_dropout(config))
    return width % MULTIPLE == 0 and width <= WIDEST and not has_dropout


def device_of(encoder: torch.nn.Module) -> torch.device:
    """Where an encoder's weights are."""
    return cast(torch.device, cast(Any, encoder).device)
