"""An encoder is loaded, once: the pretrained one or some of its layers, that of a trained pipeline,
and its tokenizer."""

from typing import Any, Dict, Sequence, cast

from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from transformers import AutoModel

from ..errors import Errors, MtnlpError
from .attention_dropout import EncoderConfigs
from .cpu_kernels import use_fast_layers
from .kept_layers import Student
from .trained_encoder import encoder_source


def load_encoder(
    name: str,
    tokenizer_config: Dict[str, Any],
    transformer_config: Dict[str, Any],
    configs: EncoderConfigs,
    keep: Sequence[int] = (),
) -> HFObjects:
    """The encoder and its tokenizer.

    name: of a Hugging Face encoder, its folder, that of a trained pipeline or of its transformer.
    keep: the numbers of the layers to keep; all where there are none.
    Raises: MtnlpError E204 where there is none, E280 where it has no dropout on attention to set,
    E770 to E772 for layers that cannot be kept, E773 and E774 for a pipeline without an encoder of
    torch's.
    """
    try:
        with encoder_source(name) as source:
            loaded = huggingface_from_pretrained(
                source,
                tokenizer_config,
                transformer_config,
                config_cls=cast(Any, configs),
                model_cls=cast(Any, Student(keep) if keep else AutoModel),
            )
    except MtnlpError:
        raise
    except (OSError, ValueError) as error:  # a ValueError: no encoder can have that name
        raise MtnlpError(Errors.E204.format(name=name, error=error)) from error
    # Decoders would otherwise keep keys and values of every layer for a generation to come.
    loaded.transformer.config.use_cache = False
    use_fast_layers(loaded.transformer)
    return loaded
