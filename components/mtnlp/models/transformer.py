"""`mtnlp.TransformerModel.v1`: the shared encoder.

It is spacy-transformers' `TransformerModel` with another forward pass: spacy-transformers' pipe,
listeners and data classes work with it unchanged.
"""

import copy
import threading
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast, get_args

import torch
from spacy.tokens import Doc, Span
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.transformer_model import (
    TransformerModel,
    huggingface_from_pretrained,
    set_pytorch_transformer,
)
from thinc.api import Model

from ..errors import Errors, MtnlpError
from ..log import logger
from ..ranges import COUNT, DROPOUT, require, require_choice
from .adapters import LoRA, is_adapted
from .attention_dropout import EncoderConfigs
from .doc_data import DocLayout, EncodedBatch, empty_batch, make_batch
from .feature_cache import FeatureCache, encode_through, weights_version
from .fork_safety import use_one_thread_if_forked
from .hf_shim import wrap_encoder
from .parameters import count_parameters
from .precision import Precision
from .replace_listeners import replace_listener, replace_listener_cfg
from .window_encoder import Backprop, convert_inputs, convert_outputs, encode_windows
from .wordpieces import WindowBatch, Windower, make_windower

# The first call of a tokenizer changes it: padding and truncation are switched off. That must not
# happen while another thread is in it.
MAKING_WINDOWER = threading.Lock()
NAME = "mtnlp.TransformerModel.v1"


def build_transformer_model_v1(
    name: str,
    window: int = 0,
    precision: Precision = "fp32",
    layers: Sequence[int] = (),
    tokenizer_config: Dict[str, Any] = {},  # noqa: B006 - copied, never written
    transformer_config: Dict[str, Any] = {},  # noqa: B006
    adapter: Optional[LoRA] = None,
    frozen: bool = False,
    cache_size: int = 1024,
    attention_dropout: Optional[float] = None,
) -> Model[List[Doc], EncodedBatch]:
    """The shared encoder: List[Doc] → EncodedBatch.

    Windows are counted in wordpieces, never cut a token, never exceed what the encoder has
    positions for and do not overlap: no text is encoded twice, no wordpiece is lost, no token is
    without a vector. Windows of similar length are padded together.

    name: a Hugging Face encoder's name or path (only read when the model is first initialised;
        a trained pipeline carries its weights).
    window: wordpieces a window holds at most, special tokens included; 0: what the encoder allows.
    precision: "bf16" runs the encoder under torch's autocast, on CPU and GPU; "auto" does so where
        the device at hand computes in bf16 natively, and is "fp32" elsewhere. What it returns is
        float32 all the same.
    layers: hidden states handed out beside the last layer's, for poolers that ask for them: 0 the
        embeddings, n what the n-th layer says.
    tokenizer_config, transformer_config: passed on to `from_pretrained`.
    adapter: trained in place of the encoder's own weights, such as `mtnlp.LoRA.v1`. It is attached
        when the encoder is initialised or its training begins, and saved as part of the weights it
        stands beside: what is saved is a plain encoder, and training it further begins a new
        adapter.
    frozen: the encoder is not trained, and runs without dropout in training, too.
    cache_size: megabytes (2^20 bytes, on the encoder's device) for the features of a frozen
        encoder, which are computed once and reused over the epochs of a training; 0: no cache. A
        pipeline that is loaded and only predicts has none.
    attention_dropout: on the weights of attention, in training; None is what the encoder's own
        config says, 0.1 in most. Above 0, torch computes attention by a slower kernel.

    Raises: MtnlpError E273 for an adapter on a frozen encoder, E330 for settings out of range; when
        the encoder is loaded, E280 where it has no dropout on attention.
    """
    require(NAME, COUNT, window=window, cache_size=cache_size)
    require(NAME, DROPOUT, attention_dropout=attention_dropout)
    for layer in layers:
        require(NAME, COUNT, layers=layer)
    require_choice(NAME, get_args(Precision), precision=precision)
    if frozen and adapter is not None:
        raise MtnlpError(Errors.E273)
    use_one_thread_if_forked()
    model = WindowedTransformerModel(
        name,
        window,
        precision,
        tuple(layers),
        dict(tokenizer_config),
        dict(transformer_config),
        EncoderConfigs(attention_dropout),
    )
    model.adapter = adapter
    model.frozen = frozen
    model.cache_size = cache_size
    return model


class WindowedTransformerModel(TransformerModel):
    """The thinc model behind `mtnlp.TransformerModel.v1`; arguments as there."""

    def __init__(
        self,
        name: str,
        window: int,
        precision: Precision,
        inner: Tuple[int, ...],
        tokenizer_config: Dict[str, Any],
        transformer_config: Dict[str, Any],
        configs: EncoderConfigs,
    ):
        wrapper = wrap_encoder(
            HFObjects(None, None, None, tokenizer_config, transformer_config),
            configs,
            convert_inputs=partial(convert_inputs, inner=inner),
            convert_outputs=partial(convert_outputs, inner=inner),
        )
        Model.__init__(
            self,
            "transformer",
            forward,
            init=init,
            layers=[wrapper],
            dims={"nO": None},
            attrs={
                "name": name,
                "set_transformer": set_pytorch_transformer,
                "has_transformer": False,
                "replace_listener": replace_listener,
                "replace_listener_cfg": replace_listener_cfg,
            },
        )
        # Not in attrs, which a saved model would bring along: the config decides how it runs.
        self.window = window
        self.precision = precision
        self.inner = inner
        self.configs = configs
        self.adapter: Optional[LoRA] = None
        self.frozen = False
        self.cache_size = 0
        self.features: Optional[FeatureCache] = None

    @property
    def windower(self) -> Windower:
        """Made anew when the tokenizer has been set or loaded."""
        made = self.__dict__.get("_windower")
        if made is None or made.tokenizer is not self.tokenizer:
            with MAKING_WINDOWER:
                made = make_windower(self.tokenizer, self.transformer, self.window)
                self.__dict__["_windower"] = made
        return made

    def freeze(self, cache_size: int) -> None:
        """Train the encoder no further, whatever its config says. cache_size: as in the config.
        Raises: MtnlpError E273 where it has an adapter."""
        if self.adapter is not None:
            raise MtnlpError(Errors.E273)
        self.frozen, self.cache_size = True, cache_size
        self.prepare_training()

    def prepare_training(self) -> None:
        """Attach the adapter, or freeze the encoder: what only training needs. Does nothing a
        second time. Raises: MtnlpError E270 and E272 as the adapter does."""
        if self.adapter is not None and not is_adapted(self.transformer):
            self.adapter.attach(self.transformer)
        if self.frozen:
            self.transformer.requires_grad_(False)
            if self.features is None and self.cache_size > 0:
                self.features = FeatureCache(self.cache_size * 2**20)

    def copy(self) -> "WindowedTransformerModel":
        """A deep copy with its own id, as `Language.replace_listeners` needs."""
        hf_model = hf_objects(self)
        copied = WindowedTransformerModel(
            self.attrs["name"],
            self.window,
            self.precision,
            self.inner,
            hf_model._init_tokenizer_config,
            hf_model._init_transformer_config,
            self.configs,
        )
        copied.adapter, copied.frozen = self.adapter, self.frozen
        copied.cache_size = self.cache_size
        copied._dims = copy.deepcopy(self._dims)
        copied.layers[0] = copy.deepcopy(self.layers[0])
        copied.attrs["has_transformer"] = self.attrs["has_transformer"]
        return copied


def hf_objects(model: Model) -> HFObjects:
    """Tokenizer, encoder and their settings."""
    shim: Any = model.layers[0].shims[0]
    return shim._hfmodel


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the pretrained encoder, once. Raises: MtnlpError E204 where there is none, E280 where it
    has no dropout on attention to set."""
    if model.attrs["has_transformer"]:
        return
    hf_model = hf_objects(model)
    try:
        loaded = huggingface_from_pretrained(
            model.attrs["name"],
            hf_model._init_tokenizer_config,
            hf_model._init_transformer_config,
            config_cls=cast(Any, cast(WindowedTransformerModel, model).configs),
        )
    except MtnlpError:
        raise
    except (OSError, ValueError) as error:  # a ValueError: no encoder can have that name
        raise MtnlpError(Errors.E204.format(name=model.attrs["name"], error=error)) from error
    # Decoders would otherwise keep keys and values of every layer for a generation to come.
    loaded.transformer.config.use_cache = False
    model.attrs["set_transformer"](model, loaded)
    cast(WindowedTransformerModel, model).prepare_training()
    count = count_parameters(model)
    if count.trainable < count.total:
        logger.info("Encoder: %d of %d weights are trained (%.2f%%)", *count, 100 * count.share)


def forward(
    model: WindowedTransformerModel, docs: List[Doc], is_train: bool
) -> Tuple[EncodedBatch, Callable[..., List[Doc]]]:
    """Encode a batch of Docs; those without tokens have no hidden states.

    Returns: the batch and the backward pass from an EncodedBatch of its gradient. That can be
        called again, with the gradient of another task, where `retain_graph` was True.
    """
    use_one_thread_if_forked()
    if not any(len(doc) for doc in docs):
        empty = empty_batch(len(docs), model.get_dim("nO"))
        return empty, lambda d_output, retain_graph=False: docs
    if is_train:
        model.prepare_training()
    backprop_windows: Optional[Backprop] = None
    if model.frozen:
        layouts, hidden = encode_frozen(model, docs)
    else:
        windows, hidden, backprop_windows = encode(model, docs, is_train)
        layouts = windows.layouts
    spans: List[List[Span]] = [[doc[:]] if len(doc) else [] for doc in docs]
    output = make_batch(len(docs), spans, layouts, hidden, model.inner)

    def backprop(d_output: EncodedBatch, retain_graph: bool = False) -> List[Doc]:
        gradients: List[torch.Tensor] = list(cast(Any, d_output.model_output).values())
        # Where nothing is annotated for any listener there is no gradient, which is not the same
        # as zeros: an optimizer's momentum and decay move weights on these.
        if backprop_windows is not None and any(bool(part.any()) for part in gradients):
            backprop_windows(gradients, retain_graph)
        return docs

    return output, backprop


def encode(
    model: WindowedTransformerModel, docs: List[Doc], is_train: bool
) -> Tuple[WindowBatch, List[torch.Tensor], Backprop]:
    """Windows, hidden states as from `encode_windows`, and the way back."""
    windows = model.windower(docs)
    hidden, backprop = encode_windows(
        model.layers[0], model.transformer, windows, model.precision, is_train
    )
    return windows, hidden, backprop


def encode_frozen(
    model: WindowedTransformerModel, docs: List[Doc]
) -> Tuple[List[DocLayout], List[torch.Tensor]]:
    """Layouts and hidden states, from the cache where training has begun."""

    def encode_new(docs: List[Doc]) -> Tuple[WindowBatch, List[torch.Tensor]]:
        windows, hidden, _ = encode(model, docs, is_train=False)
        return windows, hidden

    if model.features is None:
        windows, hidden = encode_new(docs)
        return windows.layouts, hidden
    version = weights_version(model.transformer)
    model.features.bind((version, model.windower, model.precision, model.inner))
    return encode_through(model.features, docs, encode_new)
