"""Poolings, tag decoders and span decoders by name.

Each is a registered function of the group `thinc_layers`. A config names it by its short name
(`pooling = "mean"`), by its registered name (`pooling = "mtnlp.MeanPooling.v1"`), which holds for
one from elsewhere, too, or as a block with settings (`@layers = ...`).
"""

from functools import cache
from typing import Any, Dict, Union

from thinc.api import registry

from ..errors import Errors, MtnlpError

POOLINGS = {
    "mean": "mtnlp.MeanPooling.v1",
    "max": "mtnlp.MaxPooling.v1",
    "mean_max": "mtnlp.MeanMaxPooling.v1",
    "cls": "mtnlp.ClsPooling.v1",
    "attention": "mtnlp.AttentionPooling.v1",
}
TAG_DECODERS = {"crf": "mtnlp.CRFTagger.v1", "softmax": "mtnlp.SoftmaxTagger.v1"}
SPAN_DECODERS = {
    "flat": "mtnlp.FlatDecoder.v1",
    "nested": "mtnlp.NestedDecoder.v1",
    "all": "mtnlp.AllDecoder.v1",
}


def find_pooling(pooling: Union[str, Any]) -> Any:
    """A pooling by name, or itself. Raises: MtnlpError E212 for an unknown name."""
    return find(pooling, POOLINGS, Errors.E212)


def find_tag_decoder(decoder: Union[str, Any]) -> Any:
    """The constructor of a tagger by name, or itself. Raises: MtnlpError E245 for an unknown
    name."""
    return find(decoder, TAG_DECODERS, Errors.E245)


def find_span_decoder(decoder: Union[str, Any]) -> Any:
    """A span decoder by name, or itself. Raises: MtnlpError E230 for an unknown name."""
    return named_span_decoder(decoder) if isinstance(decoder, str) else decoder


# Asked for with every batch, and looking through the entry points takes a millisecond.
@cache
def named_span_decoder(name: str) -> Any:
    """As `find_span_decoder`."""
    return find(name, SPAN_DECODERS, Errors.E230)


def find(value: Union[str, Any], short_names: Dict[str, str], message: str) -> Any:
    """What a registered function makes. short_names: of some. message: for an unknown name."""
    if not isinstance(value, str):
        return value
    name = short_names.get(value, value)
    if not registry.has("layers", name):
        raise MtnlpError(message.format(name=value, names=", ".join(short_names)))
    return registry.get("layers", name)()
