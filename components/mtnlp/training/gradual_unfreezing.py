"""The encoder's layers begin to learn one after the other: `mtnlp.GradualUnfreezing.v1`."""

from typing import Any, Callable, Collection, Dict, Iterator, List, Literal, Tuple
from weakref import WeakKeyDictionary

import torch
from spacy.language import Language

from ..errors import Errors, MtnlpError
from .encoders import encoder_models, prepare_encoders
from .parameter_groups import depth_of, layer_of

# How far below the top a parameter is, and the parameter.
Placed = List[Tuple[int, torch.nn.Parameter]]


def create_gradual_unfreezing_v1(
    unit: Literal["epoch", "step"] = "epoch",
    every: int = 1,
    layers: int = 1,
    first: int = 1,
) -> Callable[[Language, Dict[str, Any]], None]:
    """A callback for `[training.before_update]`: gradual unfreezing (Howard and Ruder, 2018).

    At first only heads and the encoder's last layers learn; then layer after layer joins them from
    the top downwards, the embeddings after the first layer. What is frozen gets no gradient and no
    step, and the backward pass ends above it, which makes the first steps cheaper. Components in
    `training.frozen_components` are left as they are.

    unit, every: layers join after so many epochs or steps, again and again.
    layers: how many join at a time; the embeddings count as one.
    first: how many learn from the beginning; 0: the heads alone.

    Raises: MtnlpError E457 for numbers too small, and in training E458 where there is no
    transformer to train.
    """
    for name, value, least in (("every", every, 1), ("layers", layers, 1), ("first", first, 0)):
        if value < least:
            raise MtnlpError(Errors.E457.format(name=name, value=value, least=least))
    known: WeakKeyDictionary[torch.nn.Module, Placed] = WeakKeyDictionary()

    def unfreeze(nlp: Language, info: Dict[str, Any]) -> None:
        learning = first + layers * (info[unit] // every)
        frozen = nlp.config["training"]["frozen_components"]
        # Before their first batch, sourced encoders have no adapters yet, and all weights learn.
        prepare_encoders(nlp, frozen)
        encoders = list(find_encoders(nlp, frozen))
        if not encoders:
            raise MtnlpError(
                Errors.E458.format(
                    pipes=", ".join(nlp.pipe_names), frozen=", ".join(frozen) or "none"
                )
            )
        for encoder in encoders:
            if encoder not in known:
                known[encoder] = place_parameters(encoder)
            for depth, parameter in known[encoder]:
                parameter.requires_grad_(depth < learning)
                if depth >= learning:  # zeros of an earlier step would still move it
                    parameter.grad = None

    return unfreeze


def find_encoders(nlp: Language, frozen: Collection[str] = ()) -> Iterator[torch.nn.Module]:
    """The torch modules of all transformers in a pipeline: the shared one's, and those that
    components have to themselves. frozen: components whose transformers are left out."""
    return (model.transformer for model in encoder_models(nlp, frozen))


def place_parameters(encoder: torch.nn.Module) -> Placed:
    """The parameters that learn (adapters leave others frozen for good), each with how far below
    the top it is."""
    named = dict(encoder.named_parameters())
    numbers = [layer_of(name) for name in named]
    count = max((number + 1 for number in numbers if number is not None), default=0)
    return [
        (depth_of(name, count), parameter)
        for name, parameter in named.items()
        if parameter.requires_grad
    ]
