"""Token vectors from the shared encoder: `mtnlp.TransformerListener.v1`."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast

import numpy as np
import torch
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from spacy_transformers.data_classes import TransformerData
from spacy_transformers.layers import TransformerListener
from spacy_transformers.layers.listener import forward as stock_answer
from spacy_transformers.layers.trfs2arrays import trfs2arrays
from thinc.api import Model, chain, torch2xp, xp2torch
from thinc.types import Floats2d, Ragged
from transformers.file_utils import ModelOutput

from ..errors import Errors, MtnlpError
from ..ranges import FINITE, require
from .doc_data import TRF_DATA, EncodedDoc, layer_name, mean_by_token
from .replace_listeners import replace_listener
from .tensors import to_device, to_torch


def build_transformer_listener_v1(
    grad_factor: float = 1.0, upstream: str = "*", transformer: Optional[Model] = None
) -> Model[List[Doc], List[Floats2d]]:
    """A tok2vec layer over the shared encoder: each token the mean of its wordpieces.

    Does what `spacy-transformers.TransformerListener.v1` with `reduce_mean.v1` does, but takes
    the means the encoder computed once for all listeners.

    grad_factor: λ, the weight of this component's gradient in the shared encoder.
    upstream: the name of the transformer component, "*" for any.
    transformer: the component's own encoder in place of the shared one; written by
        `replace_listeners`.

    Raises: MtnlpError E330 for a grad_factor that is no finite number.
    """
    require("mtnlp.TransformerListener.v1", FINITE, grad_factor=grad_factor)
    source = connect(upstream, transformer)
    model: Model = chain(source, token_vectors(grad_factor))
    model.set_ref("listener", source)
    return model


def build_transformer_tok2vec_v1(
    transformer: Model, pooling: Model[Ragged, Floats2d], grad_factor: float = 1.0
) -> Model[List[Doc], List[Floats2d]]:
    """An encoder of its own where a `spacy-transformers.TransformerListener.v1` stood; written by
    `replace_listeners`. Arguments as there."""
    return chain(replace_listener(transformer), trfs2arrays(pooling, grad_factor))


def connect(upstream: str, transformer: Optional[Model]) -> Model[List[Doc], List[TransformerData]]:
    """A listener to the shared encoder, or an own encoder."""
    if transformer is None:
        return QuickListener(upstream_name=upstream)
    return replace_listener(transformer)


def require_encoder_output(
    model: Model, docs: Sequence[Doc], name: str, is_train: bool = False
) -> None:
    """Raises: MtnlpError E310 where the model listens to a shared encoder that has left nothing on
    a Doc with tokens: a listener answers with zeros there.

    name: of the component. is_train: in training, listeners may have their batch from the encoder
    itself; where they have not, the error is E315.
    """
    error = Errors.E315 if is_train else Errors.E310
    for kind, is_encoded in ENCODED.items():
        missing = next((doc for doc in docs if len(doc) and not is_encoded(doc)), None)
        if missing is None:
            continue
        listeners = (node for node in model.walk() if isinstance(node, kind))
        if any(not is_train or getattr(node, "_batch_id", None) is None for node in listeners):
            raise MtnlpError(error.format(name=name, start=missing[:5].text))


def has_transformer_data(doc: Doc) -> bool:
    """Whether a transformer has run on the Doc, and no cleaner since."""
    return doc.user_data.get(TRF_DATA) is not None


def has_tensor(doc: Doc) -> bool:
    """Whether spaCy's `tok2vec` has run on the Doc."""
    return bool(doc.tensor.size)


# Where each kind of listener looks for its vectors.
ENCODED: Dict[type, Callable[[Doc], bool]] = {
    TransformerListener: has_transformer_data,
    Tok2VecListener: has_tensor,
}


class QuickListener(TransformerListener):
    """A `TransformerListener` that recognises its batch without a Python loop over tokens, and
    reads what the encoder left on a Doc without asking spaCy for the extension."""

    def __init__(self, upstream_name: str):
        super().__init__(upstream_name)
        self._func = answer

    @classmethod
    def get_batch_id(cls, inputs: List[Doc]) -> int:
        """The sum of all tokens' orths, exactly as the stock listener and the transformer pipe
        compute it: a sum in 64 bits would wrap, so both halves are summed apart."""
        orths = np.concatenate([doc.to_array("ORTH") for doc in inputs])
        return (int((orths >> 32).sum()) << 32) + int((orths & 0xFFFFFFFF).sum())


def answer(
    model: TransformerListener, docs: List[Doc], is_train: bool
) -> Tuple[List[TransformerData], Callable[..., Any]]:
    """As the stock listener's forward pass."""
    if not is_train:
        found: List[Any] = [doc.user_data.get(TRF_DATA) for doc in docs]
        if not any(data is None for data in found):
            return found, lambda d_datas: []
    return cast(Any, stock_answer(model, docs, is_train))


def token_vectors(grad_factor: float) -> Model[List[TransformerData], List[Floats2d]]:
    """List[TransformerData] → List[Floats2d], `[tokens, width]` per Doc."""
    attrs = {"grad_factor": grad_factor, "needs_text": False}
    return Model("token-vectors", forward, attrs=attrs)


def require_text(tok2vec: Model) -> None:
    """Let listeners of `build_transformer_listener_v1` give zeros for a Doc without text, and take
    no gradient there. tok2vec: any, which may hold such listeners."""
    for node in tok2vec.walk():
        if node.name == "token-vectors":
            node.attrs["needs_text"] = True


def forward(
    model: Model, datas: List[TransformerData], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[TransformerData]]]:
    outputs = [vectors_of(model, data) for data in datas]

    def backprop(d_outputs: List[Floats2d]) -> List[TransformerData]:
        full = [(data, d) for data, d in zip(datas, d_outputs, strict=True) if not is_empty(data)]
        if not full:
            return []
        docs, d_vectors = zip(*full, strict=True)
        if model.attrs["needs_text"]:
            d_vectors = tuple(d if has_text(data) else d * 0.0 for data, d in full)
        return spread_to_wordpieces(docs, d_vectors, model.attrs["grad_factor"])

    return outputs, backprop


def vectors_of(model: Model, data: TransformerData) -> Floats2d:
    """The Doc's token vectors `[tokens, width]`; computed here only for data that came back from
    disk or from a disabled encoder."""
    if is_empty(data):
        return model.ops.alloc2f(0, 0)
    if model.attrs["needs_text"] and not has_text(data):
        return model.ops.alloc2f(len(data.align.lengths), data.width)
    made = getattr(data, "token_vectors", None)
    if made is not None:
        return made
    hidden = hidden_of(data)
    wordpieces = xp2torch(data.align.dataXd).long()
    lengths = xp2torch(data.align.lengths).long()
    return cast(Floats2d, torch2xp(mean_by_token(hidden, wordpieces, lengths)))


def spread_to_wordpieces(
    datas: Sequence[TransformerData], d_vectors: Sequence[Floats2d], factor: float
) -> List[TransformerData]:
    """The gradients of means over each token's wordpieces, all Docs in one operation.

    datas: non-empty. d_vectors: `[tokens, width]` per Doc. factor: what the gradient is multiplied
    by. Returns: the gradient of each Doc's hidden states.
    """
    sizes = [hidden_of(data).shape[0] for data in datas]
    starts = np.cumsum([0, *sizes[:-1]])
    pairs = [data.align.dataXd + start for data, start in zip(datas, starts, strict=True)]
    d_tokens = torch.cat([xp2torch(d) for d in d_vectors])
    counts = np.concatenate([data.align.lengths for data in datas])
    wordpieces, lengths = to_device([np.concatenate(pairs), counts], d_tokens.device)
    d_tokens = d_tokens * (factor / lengths.clamp(min=1)).unsqueeze(1)
    d_hidden = d_tokens.new_zeros((sum(sizes), d_tokens.shape[1]))
    spread = d_tokens.repeat_interleave(lengths, dim=0, output_size=len(wordpieces))
    d_hidden.index_add_(0, wordpieces, spread)
    return [gradient_of(data, d) for data, d in zip(datas, d_hidden.split(sizes), strict=True)]


def is_empty(data: TransformerData) -> bool:
    """Whether the data belongs to a Doc without tokens, which the encoder leaves out."""
    output: Any = data.model_output
    return "last_hidden_state" not in output or output.last_hidden_state.size == 0


def has_text(data: TransformerData) -> bool:
    """Whether the encoder has read anything: not a Doc without tokens, of white space alone, or of
    characters that the tokenizer makes no wordpiece of."""
    if isinstance(data, EncodedDoc) and data.shared is not None:
        return data.has_text
    return not is_empty(data) and data.align.dataXd.size > 0 and getattr(data, "has_text", True)


def hidden_of(data: TransformerData) -> torch.Tensor:
    """`[wordpieces, width]`: the last layer's states, windows one behind the other."""
    output: Any = data.model_output
    return to_torch(output.last_hidden_state).reshape(-1, data.width)


def states_of(data: TransformerData, layers: Sequence[int] = ()) -> torch.Tensor:
    """`[wordpieces, (1 + layers) * width]`: the states of the last layer and of others.

    Raises: MtnlpError E207 where the encoder does not hand them out.
    """
    output: Any = data.model_output
    states = [hidden_of(data)]
    for layer in layers:
        if layer_name(layer) in output:
            states.append(to_torch(output[layer_name(layer)])[0])
        elif states[0].any():
            raise MtnlpError(Errors.E207.format(layer=layer))
        else:  # what a listener gives where its encoder has not run
            states.append(states[0])
    return torch.cat(states, dim=1)


def gradient_of(
    data: TransformerData, d_states: torch.Tensor, layers: Sequence[int] = ()
) -> TransformerData:
    """Wrap a gradient `[wordpieces, (1 + layers) * width]` as the data it belongs to.

    Gradients of several listeners are added up by position, so each has all parts.
    """
    names = ["last_hidden_state", *map(layer_name, layers)]
    parts = dict(zip(names, d_states.chunk(len(names), dim=1), strict=True))
    gradient = ModelOutput()
    for name, states in cast(Any, data.model_output).items():
        part = parts.get(name)
        own = torch.zeros_like(xp2torch(states)) if part is None else part.reshape(states.shape)
        gradient[name] = torch2xp(own.contiguous())
    return EncodedDoc(wordpieces=data.wordpieces, model_output=gradient, align=data.align)
