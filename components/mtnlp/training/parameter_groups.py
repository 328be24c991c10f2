"""What sets the learning rate and the decay of a parameter: where in an encoder it is, read from
its name, and what it is."""

import re
from typing import NamedTuple, Optional

# The layers of BERT, RoBERTa, XLM-R, ELECTRA, DeBERTa and MPNet are called `encoder.layer.3`, those
# of DistilBERT `transformer.layer.3`, of ModernBERT and decoders `layers.3`, of T5 `block.3`, of
# GPT-2 `h.3`, and ALBERT's one layer `albert_layer_groups.0`.
LAYER = re.compile(r"(?:^|[._])(?:layers?|layer_groups|blocks?|h)\.(\d+)\.")
EMBEDDINGS = re.compile(r"(?:^|[._])(?:embed|wte\.|wpe\.|shared\.)")


class Group(NamedTuple):
    """What the parameters of a group share. factor: their rate, in learn rates. decays: whether
    their weights decay."""

    factor: float
    decays: bool


def layer_of(name: str) -> Optional[int]:
    """The number of the layer a parameter is in, counted from the embeddings; None for one outside
    all layers. name: as in the encoder's `named_parameters`."""
    found = LAYER.search(name)
    return int(found.group(1)) if found else None


def depth_of(name: str, layers: int) -> int:
    """How far below the top a parameter is: 0 in the last layer, `layers` in the embeddings, which
    are the deepest. What is in neither (a last norm) is at the top.

    name: as in the encoder's `named_parameters`. layers: how many the encoder has.
    """
    layer = layer_of(name)
    if layer is not None:
        return layers - 1 - layer
    return layers if EMBEDDINGS.search(name) else 0


def decays(name: str, ndim: int) -> bool:
    """Whether a parameter decays: a classifier's biases may have two dimensions."""
    return ndim > 1 and not name.endswith("bias")
