"""The weights of a pipeline by place, under names that are the same in every process.

thinc's own ids are counted up as layers are made, so they mean nothing elsewhere. A name here is
`PIPE/NODE/PARAMETER` with the node's place in `Model.walk()`.
"""

from typing import Any, Dict, Iterator, List, Tuple

import torch
from spacy.language import Language
from thinc.api import Model

from ..errors import Errors, MtnlpError

Key = Tuple[int, str]


def torch_modules(nlp: Language) -> Iterator[Tuple[str, int, torch.nn.Module]]:
    """(place, id of the shim, module) of every torch module."""
    for place, node in walk(nlp):
        for number, shim in enumerate(node.shims):
            if isinstance(shim._model, torch.nn.Module):
                yield f"{place}/torch{number}", shim.id, shim._model


def thinc_parameters(nlp: Language) -> Iterator[Tuple[str, Model, str]]:
    """(place, node, name) of every parameter of thinc's own layers."""
    for place, node in walk(nlp):
        for name in node.param_names:
            if node.has_param(name):
                yield f"{place}/{name}", node, name


def walk(nlp: Language) -> Iterator[Tuple[str, Model]]:
    """(place, node) of every node of every pipe's model."""
    for pipe_name, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model):
            for number, node in enumerate(model.walk()):
                yield f"{pipe_name}/{number}", node


def parameter_names(nlp: Language) -> Dict[Key, str]:
    """By an optimizer's key in this process: the name that holds in every process."""
    names = {
        (shim, name): f"{place}/{name}"
        for place, shim, module in torch_modules(nlp)
        for name, _ in module.named_parameters()
    }
    names |= {(node.id, name): place for place, node, name in thinc_parameters(nlp)}
    return names


def get_weights(nlp: Language) -> Dict[str, Any]:
    """All weights, not copied, and which parameters have a gradient.

    Between two steps gradients are zero or missing. An optimizer with momentum steps on zeros and
    not on missing ones, so that is a part of the state.
    """
    with_gradient: List[str] = [
        f"{place}/{name}"
        for place, _, module in torch_modules(nlp)
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    ]
    with_gradient += [place for place, node, name in thinc_parameters(nlp) if node.has_grad(name)]
    return {
        "torch": {place: dict(module.state_dict()) for place, _, module in torch_modules(nlp)},
        "thinc": {place: node.get_param(name) for place, node, name in thinc_parameters(nlp)},
        "with_gradient": with_gradient,
    }


def set_weights(nlp: Language, weights: Dict[str, Any]) -> None:
    """Put the weights of `get_weights` in place. The modules stay the same objects.

    Raises: MtnlpError E463 where they do not fit the pipeline.
    """
    check_fit(get_weights(nlp), weights)
    with_gradient = set(weights["with_gradient"])
    for place, _, module in torch_modules(nlp):
        module.load_state_dict(weights["torch"][place])
        for name, parameter in module.named_parameters():
            has_gradient = f"{place}/{name}" in with_gradient
            parameter.grad = torch.zeros_like(parameter) if has_gradient else None
    for place, node, name in thinc_parameters(nlp):
        node.set_param(name, node.ops.asarray_f(weights["thinc"][place]))
        if place in with_gradient:
            node.set_grad(name, node.ops.xp.zeros_like(node.get_param(name)))


def check_fit(own: Dict[str, Any], saved: Dict[str, Any]) -> None:
    """Raises: MtnlpError E463 naming the weights that have another shape, or none, on one side."""
    one, other = shapes(own), shapes(saved)
    wrong = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise MtnlpError(Errors.E463.format(names=", ".join(wrong[:3]) + more))


def shapes(weights: Dict[str, Any]) -> Dict[str, Tuple[int, ...]]:
    """The shape of each weight by its name."""
    found = {name: tuple(value.shape) for name, value in weights["thinc"].items()}
    for place, state in weights["torch"].items():
        found |= {f"{place}/{name}": tuple(value.shape) for name, value in state.items()}
    return found
