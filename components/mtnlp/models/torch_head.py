"""A torch head as a thinc layer, built when its sizes are known.

A head's width and labels are found at `initialize`, or in the component's `cfg` when it is
loaded; until then the layer has no module. Values between head and pipe stay torch tensors: the
pipe's loss is computed in torch too.
"""

from typing import Any, Callable, List, Sequence, Tuple, cast

import torch
from thinc.api import Model, get_torch_default_device, torch2xp, xp2torch
from thinc.types import ArgsKwargs, Floats2d

from ..errors import Errors, MtnlpError
from ..types import HeadOutput
from .eval_shim import EvalShim
from .fork_safety import use_one_thread_if_forked
from .tensors import join_rows, pad_rows

Output = Tuple[HeadOutput, torch.Tensor]


def token_head(build: Callable[..., torch.nn.Module]) -> Model[List[Floats2d], Output]:
    """List of `[tokens, width]` → (HeadOutput over `[batch, seq]`, mask `[batch, seq]`).

    build: makes the module from `width` and what `build_head` is given.
    """
    return Model("token-head", forward_tokens, dims={"nI": None}, attrs={"build": build})


def doc_head(build: Callable[..., torch.nn.Module]) -> Model[Floats2d, Output]:
    """`[docs, width]` → (HeadOutput over `[docs]`, mask `[docs]`). build: as for `token_head`.

    The mask is False for Docs that hold nothing to read: their vector is zero.
    """
    return Model("doc-head", forward_docs, dims={"nI": None}, attrs={"build": build})


def build_head(model: Model, width: int, **sizes: Any) -> None:
    """Build the layer's module.

    width: of the inputs. sizes: what else the head's constructor needs, labels for instance.
    """
    use_one_thread_if_forked()
    module = model.attrs["build"](width=width, **sizes).to(get_torch_default_device())
    model.shims[:] = [EvalShim(module.eval())]
    model.set_dim("nI", width, force=True)


def head_module(model: Model) -> Any:
    """The torch module of a built head. Raises: MtnlpError E205 where there is none."""
    use_one_thread_if_forked()
    if not model.shims:
        raise MtnlpError(Errors.E205)
    return model.shims[0]._model


def module_for_prediction(model: Model) -> Any:
    """The module in eval mode, for predictions by another method than `forward`. Raises: MtnlpError
    E205 where there is none."""
    module = head_module(model)
    cast(EvalShim, model.shims[0]).set_mode(training=False)
    return module


def forward_tokens(
    model: Model, vectors: List[Floats2d], is_train: bool
) -> Tuple[Output, Callable[[HeadOutput], List[Floats2d]]]:
    module = head_module(model)
    device = next(module.parameters()).device
    lengths = [len(part) for part in vectors]
    rows = join_rows(vectors, model.get_dim("nI"), device)
    if not is_train and getattr(module, "is_per_token", False):
        return predict_per_token(model, rows, lengths), lambda d_output: vectors
    padded, mask, places = pad_rows(rows, lengths)
    output, backprop_module = run_module(model, padded, mask, is_train)

    def backprop(d_output: HeadOutput) -> List[Floats2d]:
        d_flat = backprop_module(d_output).flatten(0, 1)[places]
        return [torch2xp(part) for part in d_flat.split(lengths)]  # type: ignore[misc]

    return (output, mask), backprop


def predict_per_token(model: Model, rows: torch.Tensor, lengths: Sequence[int]) -> Output:
    """As `forward_tokens`, of a module that needs no neighbours: padding comes after the scores,
    which are narrower than the vectors. rows: `[sum of lengths, width]`."""
    alone = torch.ones((1, len(rows)), dtype=torch.bool, device=rows.device)
    output, _ = run_module(model, rows.unsqueeze(0), alone, is_train=False)
    scores, mask, _ = pad_rows(output.scores[0], lengths)
    return HeadOutput(scores, None), mask


def forward_docs(
    model: Model, vectors: Floats2d, is_train: bool
) -> Tuple[Output, Callable[[HeadOutput], Floats2d]]:
    device = next(head_module(model).parameters()).device
    inputs = xp2torch(vectors, device=device)
    if inputs.shape[1] == 0:  # a batch of empty Docs has no width of its own
        inputs = inputs.new_zeros((len(inputs), model.get_dim("nI")))
    mask = inputs.any(1)
    output, backprop_module = run_module(model, inputs, mask, is_train)

    def backprop(d_output: HeadOutput) -> Floats2d:
        return torch2xp(backprop_module(d_output))  # type: ignore[return-value]

    return (output, mask), backprop


def run_module(
    model: Model, inputs: torch.Tensor, mask: torch.Tensor, is_train: bool
) -> Tuple[HeadOutput, Callable[[HeadOutput], torch.Tensor]]:
    """Call the head's module.

    inputs: `[batch, seq, width]` or `[batch, width]`. Returns: what it says, detached, and the
    backward pass, which adds to the gradients of the module's parameters and returns that of the
    inputs.
    """
    inputs = inputs.detach().requires_grad_(is_train)
    made, backprop_shim = model.shims[0](ArgsKwargs(args=(inputs, mask), kwargs={}), is_train)

    def backprop(d_output: HeadOutput) -> torch.Tensor:
        pairs = [(made.scores, d_output.scores), (made.features, d_output.features)]
        pairs = [(value, grad) for value, grad in pairs if grad is not None and value.requires_grad]
        values, grads = zip(*pairs, strict=True)
        backprop_shim(ArgsKwargs(args=(values,), kwargs={"grad_tensors": list(grads)}))
        assert inputs.grad is not None
        return inputs.grad

    features = None if made.features is None else made.features.detach()
    return HeadOutput(made.scores.detach(), features), backprop
