"""A student: an encoder of some of another one's transformer layers.

Source: Sanh et al., 2019, "DistilBERT", whose student begins from every second layer of BERT.
"""

import copy
from typing import Any, Dict, List, Sequence, Tuple, cast

import torch
from transformers import AutoModel

from ..errors import Errors, MtnlpError

# Settings of a config that say something of each layer, in a list.
PER_LAYER = ("layer_types",)
# What a layer knows of its own place.
PLACES = ("layer_idx", "layer_id", "layer_number")


class Student:
    """transformers' `AutoModel`, of which only some layers are kept. keep: their numbers from 0, in
    the order they are to stand in."""

    def __init__(self, keep: Sequence[int]):
        self.keep = tuple(keep)

    def from_pretrained(self, name: Any, **settings: Any) -> Any:
        """As `AutoModel.from_pretrained`. Raises: MtnlpError as `keep_layers`."""
        return keep_layers(AutoModel.from_pretrained(name, **settings), self.keep)


def keep_layers(encoder: Any, keep: Sequence[int]) -> Any:
    """A new encoder with only some of the layers; the rest of it is as it was.

    It is built from its config, which has the new number of layers, and so will it be when it is
    loaded: nothing is cut again. keep: numbers of layers from 0, in the order they are to stand in.

    Raises: MtnlpError E770 for a layer that the encoder has not, or one named twice, E771 for an
    encoder whose layers cannot be taken out one by one, E772 where a layer would not be the same in
    its new place.
    """
    path, layers = find_layers(encoder)
    count = len(layers)
    if not keep or len(set(keep)) < len(keep) or not all(0 <= layer < count for layer in keep):
        raise MtnlpError(Errors.E770.format(layers=list(keep), last=count - 1, count=count))
    config = copy.deepcopy(encoder.config)
    config.num_hidden_layers = len(keep)
    for name in PER_LAYER:
        each = getattr(config, name, None)
        if each is not None:
            setattr(config, name, [each[layer] for layer in keep])
    student: Any = AutoModel.from_config(config).to(encoder.dtype)
    _, placed = find_layers(student)
    for place, layer in enumerate(keep):
        if not is_same_kind(layers[layer], placed[place]):
            raise MtnlpError(
                Errors.E772.format(layer=layer, place=place, encoder=config.model_type)
            )
    student.load_state_dict(kept_state(encoder.state_dict(), path, keep))
    return student.train(encoder.training)


def find_layers(encoder: Any) -> Tuple[str, torch.nn.ModuleList]:
    """The transformer layers of an encoder, and the name of the list of them.

    Raises: MtnlpError E771 where there is not exactly one list with as many modules as the config
    has layers: ALBERT's layers share their weights, others keep the parts of layers apart.
    """
    config = encoder.config
    count = getattr(config, "num_hidden_layers", None)
    lists = [
        (name, module)
        for name, module in encoder.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    ]
    # A list within a list is a part of a layer.
    outer = [
        (name, module)
        for name, module in lists
        if not any(name.startswith(f"{other}.") for other, _ in lists)
    ]
    if len(outer) != 1 or hasattr(config, "num_hidden_groups"):
        raise MtnlpError(Errors.E771.format(encoder=config.model_type))
    return outer[0]


def kept_state(
    state: Dict[str, torch.Tensor], path: str, keep: Sequence[int]
) -> Dict[str, torch.Tensor]:
    """A state dict with some of the layers, renumbered. path: of the list of layers."""
    places = {layer: place for place, layer in enumerate(keep)}
    kept: Dict[str, torch.Tensor] = {}
    for name, weights in state.items():
        if not name.startswith(f"{path}."):
            kept[name] = weights
            continue
        number, _, rest = name[len(path) + 1 :].partition(".")
        if int(number) in places:
            kept[f"{path}.{places[int(number)]}.{rest}"] = weights
    return kept


def is_same_kind(layer: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether two layers compute the same, but for their weights: in some encoders the first layer
    has other parts than the rest, or every third attends to more of the text."""
    return describe_parts(layer) == describe_parts(other)


def describe_parts(layer: torch.nn.Module) -> List[Tuple[str, str, Dict[str, Any]]]:
    """The modules of a layer, with all that is set in them by plain values."""
    return [
        (
            name,
            type(module).__name__,
            {
                key: value
                for key, value in vars(module).items()
                if not key.startswith("_")
                and key not in (*PLACES, "training")
                and isinstance(value, (bool, int, float, str, tuple, type(None)))
            },
        )
        for name, module in cast(Any, layer).named_modules()
    ]
