"""The encoder's pass over the windows of a batch, and back."""

from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Tuple, cast

import numpy as np
import torch
from thinc.api import Model
from thinc.types import ArgsKwargs

from ..errors import Errors, MtnlpError
from ..types import Bools, Ints
from .precision import uses_bf16
from .runner import Runner
from .windows import group_by_length
from .wordpieces import WindowBatch

Backprop = Callable[..., None]


class WindowGroup(NamedTuple):
    """Windows of similar length, what the wrapped encoder takes.

    ids: `[windows, seq]`. real: bool `[windows, seq]`, False at padding. embedded: float
    `[windows, seq, width]`, what the encoder's embedding layer has for the ids, where its gradient
    is asked for; else None.
    """

    ids: Ints
    real: Bools
    embedded: Optional[torch.Tensor]


class GroupGradient(NamedTuple):
    """The gradient of what the wrapped encoder gives for a group of windows.

    states: `[windows, seq, width]` each. retain_graph: whether another pass back will follow.
    """

    states: List[torch.Tensor]
    retain_graph: bool


def encode_windows(
    wrapper: Model,
    encoder: torch.nn.Module,
    windows: WindowBatch,
    precision: str,
    is_train: bool,
    runner: Optional[Runner] = None,
) -> Tuple[List[torch.Tensor], Backprop]:
    """Run the encoder over groups of similar windows.

    In training the wordpieces of all groups are looked up at once: the gradient of a lookup is as
    large as the vocabulary, however few are looked up.

    wrapper: the thinc layer around `encoder`, with `convert_inputs` and `convert_outputs`.
    runner: what predicts in their place, if anything.
    Returns: the hidden states of the last layer, then of those that are handed out besides, each
    `[wordpieces, width]` in the order of `windows.ids`, float32, and the backward pass from their
    gradients into the encoder's weights. It can be called again where `retain_graph` was True.
    """
    device = torch.device("cpu") if runner else cast(Any, encoder).device
    is_bf16 = runner is None and uses_bf16(precision, device)
    autocast = torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_bf16)
    embedded = embed(encoder, windows.ids, device) if is_train else None
    flats: List[torch.Tensor] = []
    parts = []
    # Around all groups: at its end autocast forgets the weights that it has cast.
    with autocast:
        for ids, real, positions in padded_groups(windows):
            real_index = torch.from_numpy(real).to(device)
            flat_index = torch.from_numpy(positions).to(device)
            own = None
            if embedded is not None:
                own = pad(embedded.detach()[flat_index], real_index)
                own.requires_grad_(embedded.requires_grad)
            backprop: Any = None
            if runner is not None:
                padded = [torch.from_numpy(states) for states in runner(encoder, ids, real)]
            else:
                padded, backprop = wrapper(WindowGroup(ids, real, own), is_train)
            if not flats:
                flats = [part.new_empty((len(windows.ids), part.shape[-1])) for part in padded]
            for flat, states in zip(flats, padded, strict=True):
                flat[flat_index] = states[real_index]
            parts.append((backprop, own, real_index, flat_index))

    def backprop_windows(d_flats: List[torch.Tensor], retain_graph: bool = False) -> None:
        d_embedded = None
        if embedded is not None and embedded.requires_grad:
            d_embedded = torch.zeros_like(embedded)
        for backprop, own, real_index, flat_index in parts:
            if own is not None:
                own.grad = None  # of an earlier pass
            d_states = [pad(d_flat[flat_index], real_index) for d_flat in d_flats]
            d_own = backprop(GroupGradient(d_states, retain_graph))
            if d_embedded is not None and d_own is not None:
                d_embedded[flat_index] = d_own[real_index]
        if embedded is not None and d_embedded is not None:
            embedded.backward(d_embedded, retain_graph=retain_graph)

    return flats, backprop_windows


def padded_groups(windows: WindowBatch) -> Iterator[Tuple[Ints, Bools, Ints]]:
    """Windows of similar length, padded.

    Yields: ids and real, both `[windows, seq]`, as in `WindowGroup`, and where the real ones stand
    in `windows.ids`, `[wordpieces]`.
    """
    starts = np.cumsum(windows.lengths) - windows.lengths
    for group in group_by_length(windows.lengths):
        lengths = windows.lengths[group]
        real = np.arange(lengths.max()) < lengths[:, None]
        positions = (starts[group][:, None] + np.arange(lengths.max()))[real]
        ids = np.zeros(real.shape, dtype=np.int64)
        ids[real] = windows.ids[positions]
        yield ids, real, positions


def embed(encoder: torch.nn.Module, ids: Ints, device: torch.device) -> torch.Tensor:
    """What the encoder's embedding layer has for wordpieces: `[wordpieces]` to
    `[wordpieces, width]`."""
    layer = cast(Any, encoder).get_input_embeddings()
    return layer(torch.from_numpy(ids.astype("int64")).to(device))


def pad(flat: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """`[wordpieces, width]` to `[windows, seq, width]`, zeros where `real`, bool `[windows, seq]`,
    is False."""
    padded = flat.new_zeros((*real.shape, flat.shape[-1]))
    padded[real] = flat
    return padded


def convert_inputs(
    model: Model, group: WindowGroup, is_train: bool, inner: Tuple[int, ...]
) -> Tuple[ArgsKwargs, Callable[[ArgsKwargs], Optional[torch.Tensor]]]:
    """A group of windows to the encoder's keyword arguments, and their gradient to that of
    `embedded`."""
    shim: Any = model.shims[0]
    device = shim._hfmodel.transformer.device
    kwargs: dict = {"attention_mask": torch.from_numpy(group.real.astype("int64")).to(device)}
    if group.embedded is None:
        kwargs["input_ids"] = torch.from_numpy(group.ids).to(device)
    else:
        kwargs["inputs_embeds"] = group.embedded
    if inner:
        kwargs["output_hidden_states"] = True
    return ArgsKwargs(args=(), kwargs=kwargs), lambda d_inputs: d_inputs.kwargs.get("inputs_embeds")


def convert_outputs(
    model: Model, inputs_outputs: Tuple[Any, Any], is_train: bool, inner: Tuple[int, ...]
) -> Tuple[List[torch.Tensor], Callable[[GroupGradient], ArgsKwargs]]:
    """The hidden states of the last layer and of those of `inner`, each `[windows, seq, width]` as
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
