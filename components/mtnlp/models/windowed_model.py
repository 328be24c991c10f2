"""The thinc model behind `mtnlp.TransformerModel.v1`, and its forward pass."""

import copy
import threading
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast

import torch
from spacy.tokens import Doc, Span
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.transformer_model import TransformerModel, set_pytorch_transformer
from thinc.api import Model

from ..errors import Errors, MtnlpError
from ..log import logger
from .adapters import LoRA, is_adapted
from .attention_dropout import EncoderConfigs
from .doc_data import DocLayout, EncodedBatch, empty_batch, make_batch
from .engine import TORCH, EngineInfo
from .feature_cache import FeatureCache, encode_through, weights_version
from .fork_safety import use_one_thread_if_forked
from .hf_shim import wrap_encoder
from .loading import load_encoder
from .packed_attention import PaddingFree
from .parameters import count_parameters
from .pending import pending_batch
from .precision import instruction_set, require_bf16, uses_bf16
from .replace_listeners import replace_listener, replace_listener_cfg
from .runner import Runner
from .window_encoder import (
    Backprop,
    convert_inputs,
    convert_outputs,
    encode_windows,
    run_engine,
)
from .window_groups import padded_groups
from .wordpieces import WindowBatch, Windower, make_windower

# The first call of a tokenizer changes it: padding and truncation are switched off. That must not
# happen while another thread is in it.
MAKING_WINDOWER = threading.Lock()


class WindowedTransformerModel(TransformerModel):
    """The thinc model behind `mtnlp.TransformerModel.v1`; arguments as there."""

    def __init__(
        self,
        name: str,
        window: int,
        precision: str,
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
        self.keep_layers: Tuple[int, ...] = ()
        self.adapter: Optional[LoRA] = None
        self.frozen = False
        self.allow_slow = False
        self.padding_free: PaddingFree = "auto"
        self.cache_size = 0
        self.features: Optional[FeatureCache] = None

    @property
    def runner(self) -> Optional[Runner]:
        """What predicts in torch's place. It is saved with the encoder."""
        return cast(Any, self.layers[0].shims[0]).runner

    @runner.setter
    def runner(self, runner: Optional[Runner]) -> None:
        cast(Any, self.layers[0].shims[0]).runner = runner

    def convert(self, runner: Optional[Runner], docs: Sequence[Doc]) -> None:
        """Have another engine run the encoder from here on, or torch where `runner` is None.

        docs: texts as they will come, by which the ranges of numbers are fixed where the precision
        needs that. Raises: MtnlpError E292 and E295 as `Runner.convert`.
        """
        self.runner = None
        if runner is not None:
            full = [doc for doc in docs if len(doc)]
            groups = padded_groups(self.windower(full)) if full else ()
            samples = [(ids, real) for ids, real, _ in groups]
            runner.convert(cast(torch.nn.Module, self.transformer), samples)
            self.runner = runner

    @property
    def engine_info(self) -> EngineInfo:
        """What runs the encoder here."""
        if self.runner is not None:
            return self.runner.info
        device = cast(Any, self.transformer).device
        precision = "bf16" if uses_bf16(self.precision, device) else "fp32"
        return EngineInfo(TORCH, precision, torch.get_num_threads(), instruction_set(device))

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
        copied.keep_layers = self.keep_layers
        copied.cache_size, copied.allow_slow = self.cache_size, self.allow_slow
        copied.padding_free = self.padding_free
        copied._dims = copy.deepcopy(self._dims)
        copied.layers[0] = copy.deepcopy(self.layers[0])
        copied.attrs["has_transformer"] = self.attrs["has_transformer"]
        return copied


def hf_objects(model: Model) -> HFObjects:
    """Tokenizer, encoder and their settings."""
    shim: Any = model.layers[0].shims[0]
    return shim._hfmodel


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the encoder, once. Raises: MtnlpError as `load_encoder`."""
    if model.attrs["has_transformer"]:
        return
    windowed, hf_model = cast(WindowedTransformerModel, model), hf_objects(model)
    loaded = load_encoder(
        model.attrs["name"],
        hf_model._init_tokenizer_config,
        hf_model._init_transformer_config,
        windowed.configs,
        windowed.keep_layers,
    )
    model.attrs["set_transformer"](model, loaded)
    windowed.prepare_training()
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
        if model.runner is not None:
            raise MtnlpError(Errors.E294.format(engine=model.runner.engine))
        model.prepare_training()
    spans: List[List[Span]] = [[doc[:]] if len(doc) else [] for doc in docs]
    if model.runner is not None and encodes_ahead(model.runner, docs):
        runner, windows = model.runner, model.windower(docs)
        # Here, so that its errors are raised here.
        runner.make_ready(model.transformer)

        def run() -> EncodedBatch:
            hidden = run_engine(runner, model.transformer, windows)
            return make_batch(len(docs), spans, windows.layouts, hidden, model.inner)

        return pending_batch(docs, run), lambda d_output, retain_graph=False: docs
    backprop_windows: Optional[Backprop] = None
    if model.frozen:
        layouts, hidden = encode_frozen(model, docs)
    else:
        windows, hidden, backprop_windows = encode(model, docs, is_train)
        layouts = windows.layouts
    output = make_batch(len(docs), spans, layouts, hidden, model.inner)

    def backprop(d_output: EncodedBatch, retain_graph: bool = False) -> List[Doc]:
        gradients: List[torch.Tensor] = list(cast(Any, d_output.model_output).values())
        # Where nothing is annotated for any listener there is no gradient, which is not the same
        # as zeros: an optimizer's momentum and decay move weights on these.
        if backprop_windows is not None and any(bool(part.any()) for part in gradients):
            backprop_windows(gradients, retain_graph)
        return docs

    return output, backprop


def encodes_ahead(runner: Runner, docs: List[Doc]) -> bool:
    """Whether another thread encodes while this one goes on: an engine that has cores for it, and
    Docs of which there may be more."""
    return runner.threads_used > 1 and len(docs) > 1


def encode(
    model: WindowedTransformerModel, docs: List[Doc], is_train: bool
) -> Tuple[WindowBatch, List[torch.Tensor], Backprop]:
    """Windows, hidden states as from `encode_windows`, and the way back: an engine has none."""
    if model.runner is not None:
        windows = model.windower(docs)
        return windows, run_engine(model.runner, model.transformer, windows), no_way_back
    if model.precision == "bf16" and not model.allow_slow:
        require_bf16(cast(Any, model.transformer).device)
    windows = model.windower(docs)
    hidden, backprop = encode_windows(
        model.layers[0],
        model.transformer,
        windows,
        model.precision,
        is_train,
        model.padding_free,
    )
    return windows, hidden, backprop


def no_way_back(d_flats: List[torch.Tensor], retain_graph: bool = False) -> None:
    """An engine predicts only."""


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
