"""`mtnlp.TransformerModel.v1`: the shared encoder.

It is spacy-transformers' `TransformerModel` with another forward pass: spacy-transformers' pipe,
listeners and data classes work with it unchanged.
"""

from typing import Any, Dict, List, Optional, Sequence, get_args

from spacy.tokens import Doc
from thinc.api import Model

from ..errors import Errors, MtnlpError
from ..ranges import COUNT, DROPOUT, require, require_choice
from .adapters import LoRA
from .attention_dropout import EncoderConfigs
from .doc_data import EncodedBatch
from .engine import TORCH
from .fork_safety import use_one_thread_if_forked
from .packed_attention import PaddingFree
from .precision import EnginePrecision
from .runner import make_runner
from .windowed_model import WindowedTransformerModel

NAME = "mtnlp.TransformerModel.v1"


def build_transformer_model_v1(
    name: str,
    window: int = 0,
    precision: EnginePrecision = "fp32",
    layers: Sequence[int] = (),
    tokenizer_config: Dict[str, Any] = {},  # noqa: B006 - copied, never written
    transformer_config: Dict[str, Any] = {},  # noqa: B006
    adapter: Optional[LoRA] = None,
    frozen: bool = False,
    cache_size: int = 1024,
    attention_dropout: Optional[float] = None,
    engine: str = TORCH,
    threads: int = 0,
    allow_slow: bool = False,
    padding_free: PaddingFree = "auto",
    keep_layers: Sequence[int] = (),
) -> Model[List[Doc], EncodedBatch]:
    """The shared encoder: List[Doc] → EncodedBatch.

    Windows are counted in wordpieces, never cut a token, never exceed what the encoder has
    positions for and do not overlap: no text is encoded twice, no wordpiece is lost, no token is
    without a vector. Windows of similar length are padded together.

    name: a Hugging Face encoder's name or path, or the folder of a trained pipeline, or of its
        transformer, whose encoder this one begins as (only read when the model is first
        initialised; a trained pipeline carries its weights).
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
    engine: what runs the encoder: "torch", or another one, which predicts only. `mtnlp optimize`
        makes pipelines of these; where the weights are still torch's, they are converted at the
        first call. With one, `precision` may be any of the engine's.
    threads: of an engine that is not torch; 0: as many as torch has when the pipeline is loaded.
    allow_slow: whether bf16 may be computed on a processor that has no instructions for it, which
        takes many times as long.
    padding_free: whether torch's encoder reads windows one behind the other, none of them padded,
        and each attends to itself alone. "auto" does so where that is faster: on a GPU, in bf16,
        with an encoder of BERT's or RoBERTa's family, and in training without dropout on attention.
        Others, and a processor, read padded groups.
    keep_layers: the transformer layers, numbered from 0, that are kept of the encoder `name`, in
        the order they are to stand in: [0, 2, 4] makes a student of half of six. None given: all.
        They are taken when the model is first initialised. What is saved is an encoder of so many
        layers, and `layers` counts those.

    Raises: MtnlpError E273 for an adapter on a frozen encoder, E290 for an unknown engine, E291 for
        a precision it has not, E296 for bf16 that the processor has not (of torch: at the first
        call), E298 for padding_free = true and an encoder that cannot (at the first call), E330 for
        settings out of range; when the encoder is loaded, E204 where there is none, E280 where
        it has no dropout on attention, E770 to E772 for layers that cannot be kept, E773 and E774
        for a pipeline without an encoder to begin from.
    """
    require(NAME, COUNT, window=window, cache_size=cache_size, threads=threads)
    require(NAME, DROPOUT, attention_dropout=attention_dropout)
    for layer in layers:
        require(NAME, COUNT, layers=layer)
    for layer in keep_layers:
        require(NAME, COUNT, keep_layers=layer)
    require_choice(NAME, get_args(EnginePrecision), precision=precision)
    if not isinstance(padding_free, bool):
        require_choice(NAME, ["auto", "true", "false"], padding_free=padding_free)
    if frozen and adapter is not None:
        raise MtnlpError(Errors.E273)
    use_one_thread_if_forked()
    runner = make_runner(engine, precision, threads, tuple(layers), allow_slow)
    model = WindowedTransformerModel(
        name,
        window,
        precision,
        tuple(layers),
        dict(tokenizer_config),
        dict(transformer_config),
        EncoderConfigs(attention_dropout, precision if runner is None else None),
    )
    model.adapter = adapter
    model.frozen = frozen
    model.cache_size = cache_size
    model.allow_slow = allow_slow
    model.padding_free = padding_free
    model.keep_layers = tuple(keep_layers)
    model.runner = runner
    return model
