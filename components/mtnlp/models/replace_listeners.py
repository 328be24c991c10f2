"""What `Language.replace_listeners` does with listeners of `mtnlp.TransformerModel.v1`.

The listening pipe gets its own copy of the encoder. `replace_listeners` swaps the listener node
for the model and rewrites the config; both must describe the same tree of layers, otherwise the
pipeline can be saved but not loaded.
"""

from typing import Any, Dict, Iterable, Optional

from spacy_transformers.layers.split_trf import split_trf_batch
from thinc.api import Model, chain

OWN_LISTENERS = ("mtnlp.TransformerListener.v1", "mtnlp.TransformerPooler.v1")


def replace_listener(model: Model) -> Model:
    """The layer that takes a listener's place: List[Doc] → List[TransformerData]."""
    return chain(model, split_trf_batch())


def replace_listener_cfg(
    transformer_cfg: Dict[str, Any], listener_cfg: Dict[str, Any]
) -> Dict[str, Any]:
    """The config block that takes the place of a listener's.

    transformer_cfg: the block of the shared encoder.
    listener_cfg: the pipe's `[model.tok2vec]` (`replace_listeners` reads that name alone), or a
        block of ours around the listener's.
    """
    listener_cfg = find_listener(listener_cfg) or listener_cfg
    if listener_cfg["@architectures"] in OWN_LISTENERS:
        return {**listener_cfg, "transformer": dict(transformer_cfg)}
    return {
        "@architectures": "mtnlp.TransformerTok2Vec.v1",
        "transformer": dict(transformer_cfg),
        "pooling": listener_cfg["pooling"],
        "grad_factor": listener_cfg.get("grad_factor", 1.0),
    }


def find_listener(block: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """The listener's block: this one, or the one inside a `mtnlp.TokenPooler.v1` or among the
    parts of a `mtnlp.ConcatTok2Vec.v1`; None where there is none."""
    name = block["@architectures"]
    if name in OWN_LISTENERS or "TransformerListener" in name:
        return block
    inner: Iterable[Dict[str, Any]] = ()
    if name == "mtnlp.TokenPooler.v1":
        inner = [block["tok2vec"]]
    elif name == "mtnlp.ConcatTok2Vec.v1":
        inner = block["parts"].values()
    return next(filter(None, map(find_listener, inner)), None)
