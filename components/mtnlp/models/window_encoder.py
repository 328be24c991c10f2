"""The encoder's pass over the windows of a batch, and back."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, cast

import torch
from thinc.api import Model
from thinc.types import ArgsKwargs

from ..errors import Errors, MtnlpError
from ..types import Ints
from .packed_attention import PaddingFree, is_padding_free
from .precision import uses_bf16
from .runner import Runner
from .tensors import to_device
from .window_groups import WindowGroup, pack_windows, pad_windows, padded_groups
from .wordpieces import WindowBatch, find_padding_index

Backprop = Callable[..., None]


class EncoderCall(NamedTuple):
    """What the wrapped encoder takes.

    embedded: float `[rows, seq, width]`, what the encoder's embedding layer has for the group's
    ids, where its gradient is asked for; else None.
    """

    group: WindowGroup
    embedded: Optional[torch.Tensor]


class GroupGradient(NamedTuple):
    """The gradient of what the wrapped encoder gives for a group of windows.

    states: `[rows, seq, width]` each. retain_graph: whether another pass back will follow.
    """

    states: List[torch.Tensor]
    retain_graph: bool


def encode_windows(
    wrapper: Model,
    encoder: torch.nn.Module,
    windows: WindowBatch,
    precision: str,
    is_train: bool,
    padding_free: PaddingFree = "auto",
) -> Tuple[List[torch.Tensor], Backprop]:
    """Run the encoder over groups of windows.

    In training the wordpieces of all groups are looked up at once: the gradient of a lookup is as
    large as the vocabulary, however few are looked up.

    wrapper: the thinc layer around `encoder`, with `convert_inputs` and `convert_outputs`.
    padding_free: as for `is_padding_free`.
    Returns: the hidden states of the last layer, then of those that are handed out besides, each
    `[wordpieces, width]` in the order of `windows.ids`, float32, and the backward pass from their
    gradients into the encoder's weights. It can be called again where `retain_graph` was True.
    Raises: MtnlpError E298 as `is_padding_free`.
    """
    device = cast(Any, encoder).device
    is_bf16 = uses_bf16(precision, device)
    autocast = torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_bf16)
    embedded = embed(encoder, windows.ids, device) if is_train else None
    if is_padding_free(padding_free, encoder, is_bf16, is_train):
        # Embedded wordpieces are no longer known by their ids, and all count.
        index = find_padding_index(encoder)
        groups = pack_windows(windows, device, index, is_looked_up=not is_train)
    else:
        groups = pad_windows(windows, device)
    flats: List[torch.Tensor] = []
    parts = []
    # Around all groups: at its end autocast forgets the weights that it has cast.
    with autocast:
        for group in groups:
            own = None
            if embedded is not None:
                own = group.spread(embedded.detach()[group.index])
                own.requires_grad_(embedded.requires_grad)
            found, backprop = wrapper(EncoderCall(group, own), is_train)
            if not flats:
                flats = [part.new_empty((len(windows.ids), part.shape[-1])) for part in found]
            for flat, states in zip(flats, found, strict=True):
                flat[group.index] = group.collect(states)
            parts.append((backprop, own, group))

    def backprop_windows(d_flats: List[torch.Tensor], retain_graph: bool = False) -> None:
        d_embedded = None
        if embedded is not None and embedded.requires_grad:
            d_embedded = torch.zeros_like(embedded)
        for backprop, own, group in parts:
            if own is not None:
                own.grad = None  # of an earlier pass
            d_states = [group.spread(d_flat[group.index]) for d_flat in d_flats]
            d_own = backprop(GroupGradient(d_states, retain_graph))
            if d_embedded is not None and d_own is not None:
                d_embedded[group.index] = group.collect(d_own)
        if embedded is not None and d_embedded is not None:
            embedded.backward(d_embedded, retain_graph=retain_graph)

    return flats, backprop_windows


def run_engine(
    runner: Runner, encoder: torch.nn.Module, windows: WindowBatch
) -> List[torch.Tensor]:
    """The hidden states that `encode_windows` gives, by what predicts in the encoder's place."""
    flats: List[torch.Tensor] = []
    for ids, real, positions in padded_groups(windows):
        found = [torch.from_numpy(states) for states in runner(encoder, ids, real)]
        if not flats:
            flats = [part.new_empty((len(windows.ids), part.shape[-1])) for part in found]
        for flat, states in zip(flats, found, strict=True):
            flat[torch.from_numpy(positions)] = states[torch.from_numpy(real)]
    return flats


def embed(encoder: torch.nn.Module, ids: Ints, device: torch.device) -> torch.Tensor:
    """What the encoder's embedding layer has for wordpieces: `[wordpieces]` to
    `[wordpieces, width]`."""
    layer = cast(Any, encoder).get_input_embeddings()
    (on_device,) = to_device([ids], device)
    return layer(on_device)


def convert_inputs(
    model: Model, call: EncoderCall, is_train: bool, inner: Tuple[int, ...]
) -> Tuple[ArgsKwargs, Callable[[ArgsKwargs], Optional[torch.Tensor]]]:
    """A group of windows to the encoder's keyword arguments, and their gradient to that of
    `embedded`."""
    kwargs: Dict[str, Any] = {**call.group.arguments}
    if call.embedded is None:
        kwargs["input_ids"] = call.group.ids
    else:
        kwargs["inputs_embeds"] = call.embedded
    if inner:
        kwargs["output_hidden_states"] = True
    return ArgsKwargs(args=(), kwargs=kwargs), lambda d_inputs: d_inputs.kwargs.get("inputs_embeds")


def convert_outputs(
    model: Model, inputs_outputs: Tuple[Any, Any], is_train: bool, inner: Tuple[int, ...]
) -> Tuple[List[torch.Tensor], Callable[[GroupGradient], ArgsKwargs]]:
    """The hidden states of the last layer and of those of `inner`, each `[rows, seq, width]` as
    float32, and their way back.

    Raises: MtnlpError E206 where the encoder has no such layer.
    """
    _, outputs = inputs_outputs
    states = [cast(torch.Tensor, outputs.last_hidden_state)]
    for layer in inner:
        if not 0 <= layer < len(outputs.hidden_states):
            raise MtnlpError(Errors.E206.format(layer=layer, last=len(outputs.hidden_states) - 1))
        states.append(outputs.hidden_states[layer])

    def backprop(gradient: GroupGradient) -> ArgsKwargs:
        # Layers below the first trained one give states that nothing is trained through.
        pairs = [(h, d) for h, d in zip(states, gradient.states, strict=True) if h.requires_grad]
        grads = tuple(d.to(h.dtype) for h, d in pairs)
        kwargs = {"grad_tensors": grads, "retain_graph": gradient.retain_graph}
        return ArgsKwargs(args=(tuple(h for h, _ in pairs),), kwargs=kwargs)

    return [state.detach().float() for state in states], backprop
