"""What a head's torch modules know, as the numbers that `standalone` reads."""

from typing import Any, Dict, Optional, Sequence, Tuple

from spacy_transformers.layers import TransformerListener
from thinc.api import Model
from thinc.util import to_numpy

from ...models.attention_query import NAME
from ...models.concat_tok2vec import NAME as CONCATENATED
from ...models.shape_embedding import build_shape_embedding_v1
from ...nn import pooling

POOLINGS = {
    pooling.MeanPooling: "mean",
    pooling.MaxPooling: "max",
    pooling.MeanMaxPooling: "mean_max",
    pooling.ClsPooling: "cls",
    pooling.AttentionPooling: "attention",
}


class Unsupported(Exception):
    """Why a component cannot run without torch, as the end of a sentence."""


def pooler_settings(pooler: Model, inner: Sequence[int]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Of `standalone.pooling_arrays.DocPooler`, and its arrays by name. inner: the layers that the
    encoder hands out. Raises: Unsupported."""
    pool = pooler.get_ref("pool")
    name = POOLINGS.get(type(pool.attrs["pool"]))
    if name is None:
        raise Unsupported(f"its pooling, '{pool.attrs['pooling']}', is none of mtnlp's own")
    layers = [1 + list(inner).index(layer) for layer in pool.attrs.get("layers", ())]
    rows = "wordpieces" if pool.name == "pool-wordpieces" else "tokens"
    query = {"query": to_numpy(pool.get_param(NAME))} if pool.has_param(NAME) else {}
    return {"rows": rows, "pooling": name, "layers": layers}, query


def shape_settings(tok2vec: Model) -> Tuple[Optional[Dict[str, Any]], Dict[str, Any]]:
    """What a token head reads beside the encoder: the arguments of `build_shape_embedding_v1`, None
    where it reads nothing else, and the weights by name. Raises: Unsupported."""
    (layer,) = tok2vec.layers
    if layer.name != CONCATENATED or layer.attrs["parts"] != ["listener", "shape"]:
        require_listener(tok2vec)
        return None, {}
    listener, shapes = layer.layers
    require_listener(listener)
    tables = [node for node in shapes.walk() if node.name == "hashembed"]
    settings = {"width": shapes.get_dim("nO"), "rows": tables[0].get_dim("nV")}
    weights = shapes.to_bytes()
    try:
        build_shape_embedding_v1(**settings).from_bytes(weights)
    except Exception as error:  # whatever thinc says of another layer's weights
        raise Unsupported("what it reads beside the encoder is none of mtnlp's own") from error
    return settings, {"shapes": weights}


def require_listener(layer: Model) -> None:
    """Raises: Unsupported for a tok2vec layer that reads something else than the shared encoder."""
    if layer.name == "skip-empty":
        layer = layer.layers[0]
    source, *others = layer.layers or [layer]
    is_ours = [other.name for other in others] in ([], ["token-vectors"])
    if not (isinstance(source, TransformerListener) and is_ours):
        raise Unsupported(f"it reads '{layer.name}', not the shared encoder alone")
