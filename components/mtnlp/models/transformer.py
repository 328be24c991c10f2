"""`mtnlp.TransformerModel.v1`: the shared encoder.

It is spacy-transformers' `TransformerModel` with another forward pass: spacy-transformers' pipe,
listeners and data classes work with it unchanged.
"""

import copy
from functools import partial
from typing import Any, Callable, Dict, List, Sequence, Tuple, cast

from spacy.tokens import Doc, Span
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_wrapper import HFWrapper
from spacy_transformers.layers.transformer_model import (
    TransformerModel,
    huggingface_from_pretrained,
    set_pytorch_transformer,
)
from thinc.api import Model

from ..errors import Errors, MtnlpError
from .encoded import EncodedBatch, empty_batch, make_batch
from .encoding import Precision, convert_inputs, convert_outputs, encode_windows
from .forking import use_one_thread_in_forks
from .replacement import replace_listener, replace_listener_cfg
from .wordpieces import Windower, make_windower


def build_transformer_model_v1(
    name: str,
    window: int = 0,
    precision: Precision = "fp32",
    layers: Sequence[int] = (),
    tokenizer_config: Dict[str, Any] = {},  # noqa: B006 - copied, never written
    transformer_config: Dict[str, Any] = {},  # noqa: B006
) -> Model[List[Doc], EncodedBatch]:
    """The shared encoder: List[Doc] → EncodedBatch.

    Windows are counted in wordpieces, never cut a token, never exceed what the encoder has
    positions for and do not overlap: no text is encoded twice, no wordpiece is lost, no token is
    without a vector. Windows of similar length are padded together.

    name: a Hugging Face encoder's name or path (only read when the model is first initialised;
        a trained pipeline carries its weights).
    window: wordpieces a window holds at most, special tokens included; 0: what the encoder allows.
    precision: "bf16" runs the encoder under torch's autocast, on CPU and GPU; what it returns is
        float32 all the same.
    layers: hidden states handed out beside the last layer's, for poolers that ask for them: 0 the
        embeddings, n what the n-th layer says.
    tokenizer_config, transformer_config: passed on to `from_pretrained`.
    """
    use_one_thread_in_forks()
    return WindowedTransformerModel(
        name, window, precision, tuple(layers), dict(tokenizer_config), dict(transformer_config)
    )


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
    ):
        wrapper = HFWrapper(
            HFObjects(None, None, None, tokenizer_config, transformer_config),
            convert_inputs=partial(convert_inputs, inner=inner),
            convert_outputs=partial(convert_outputs, inner=inner),
            grad_scaler_config={"enabled": False},
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

    @property
    def windower(self) -> Windower:
        """Made anew when the tokenizer has been set or loaded."""
        made = self.__dict__.get("_windower")
        if made is None or made.tokenizer is not self.tokenizer:
            made = make_windower(self.tokenizer, self.transformer, self.window)
            self.__dict__["_windower"] = made
        return made

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
        )
        copied._dims = copy.deepcopy(self._dims)
        copied.layers[0] = copy.deepcopy(self.layers[0])
        copied.attrs["has_transformer"] = self.attrs["has_transformer"]
        return copied


def hf_objects(model: Model) -> HFObjects:
    """Tokenizer, encoder and their settings."""
    shim: Any = model.layers[0].shims[0]
    return shim._hfmodel


def init(model: Model, X: Any = None, Y: Any = None) -> None:
    """Load the pretrained encoder, once. Raises MtnlpError E204 where there is none."""
    if model.attrs["has_transformer"]:
        return
    hf_model = hf_objects(model)
    try:
        loaded = huggingface_from_pretrained(
            model.attrs["name"], hf_model._init_tokenizer_config, hf_model._init_transformer_config
        )
    except (OSError, ValueError) as error:  # a ValueError: no encoder can have that name
        raise MtnlpError(Errors.E204.format(name=model.attrs["name"], error=error)) from error
    # Decoders would otherwise keep keys and values of every layer for a generation to come.
    loaded.transformer.config.use_cache = False
    model.attrs["set_transformer"](model, loaded)


def forward(
    model: WindowedTransformerModel, docs: List[Doc], is_train: bool
) -> Tuple[EncodedBatch, Callable[..., List[Doc]]]:
    """Encode a batch of Docs; those without tokens have no hidden states.

    RETURNS: the batch and the backward pass from an EncodedBatch of its gradient. That can be
        called again, with the gradient of another task, where `retain_graph` was True.
    """
    if not any(len(doc) for doc in docs):
        return empty_batch(
            len(docs), model.get_dim("nO")
        ), lambda d_output, retain_graph=False: docs
    windows = model.windower(docs)
    hidden, backprop_windows = encode_windows(
        model.layers[0], model.transformer, windows, model.precision, is_train
    )
    spans: List[List[Span]] = [[doc[:]] if len(doc) else [] for doc in docs]
    output = make_batch(len(docs), spans, windows.layouts, hidden, model.inner)

    def backprop(d_output: EncodedBatch, retain_graph: bool = False) -> List[Doc]:
        backprop_windows(list(cast(Any, d_output.model_output).values()), retain_graph)
        return docs

    return output, backprop
