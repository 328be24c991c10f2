"""Dropout on attention, by whatever name an encoder's config has for it."""

from typing import Any, List, Optional

from transformers import AutoConfig

from ..errors import Errors, MtnlpError
from .cpu_kernels import choose_attention

# BERT and most of its kin; DistilBERT, ModernBERT, XLM; GPT-2 and Nomic's BERT.
NAMES = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")


def find_names(config: Any) -> List[str]:
    """What an encoder's config calls its dropout on attention; empty where it has none."""
    return [name for name in NAMES if hasattr(config, name)]


def own_dropout(config: Any) -> Optional[float]:
    """The dropout on attention of an encoder's config, a probability; None where it has none."""
    return max((float(getattr(config, name) or 0) for name in find_names(config)), default=None)


class EncoderConfigs:
    """transformers' `AutoConfig`, with settings of our own: what spacy-transformers reads the
    config of an encoder by, be it pretrained or one that a pipeline has saved.

    attention_dropout: a probability; None leaves what the config says. precision: what torch
    computes in, by which the form of attention is chosen (see `choose_attention`); None leaves it
    to transformers.
    """

    def __init__(self, attention_dropout: Optional[float], precision: Optional[str] = None):
        self.attention_dropout = attention_dropout
        self.precision = precision

    def from_pretrained(self, name: Any, **settings: Any) -> Any:
        """As `AutoConfig.from_pretrained`. Raises: MtnlpError E280 where the encoder has no dropout
        on attention of its own."""
        attention = None if self.precision is None else choose_attention(self.precision)
        if attention is not None:
            settings = {"attn_implementation": attention, **settings}
        config = AutoConfig.from_pretrained(name, **settings)
        if self.attention_dropout is None:
            return config
        names = find_names(config)
        if not names:
            others = sorted(key for key in config.to_dict() if "drop" in key)
            raise MtnlpError(
                Errors.E280.format(
                    encoder=config.model_type, names=", ".join(NAMES), others=", ".join(others)
                )
            )
        for found in names:
            setattr(config, found, self.attention_dropout)
        return config
