"""What the tests of the encoder share."""

from pathlib import Path
from typing import Any, Iterable, List, Tuple

import spacy
import torch
import transformers
from spacy.tokens import Doc

from mtnlp.models.transformer import WindowedTransformerModel, build_transformer_model_v1

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}

# Short and long, with white space, contractions, signs outside the vocabulary and other scripts.
TEXTS = [
    "Anna Keller flew to Paris on Monday.",
    "He didn't go; the fox — red as ever — slept.",
    "Ok",
    "  Two  spaces,\n\na line break and a tab\t.",
    "Директор музея Ольга Петрова открыла выставку в Москве.",
    "The mayor of the old town opened the new bridge over the river Aller in May . " * 12,
    "Straße, naïve, 日本, 😀 and https://example.org/a?b=c",
]


def make_docs(texts: Iterable[str] = TEXTS) -> List[Doc]:
    nlp = spacy.blank("en")
    return [nlp.make_doc(text) for text in texts]


def make_encoder(folder: Path, **settings: Any) -> WindowedTransformerModel:
    """An initialised `mtnlp.TransformerModel.v1`."""
    model = build_transformer_model_v1(str(folder), **settings)
    model.initialize()
    assert isinstance(model, WindowedTransformerModel)
    return model


def load_reference(folder: Path) -> Tuple[Any, Any]:
    """The tokenizer and the encoder as Hugging Face loads them."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    return transformers.AutoTokenizer.from_pretrained(folder), model


def run_windows(transformer: torch.nn.Module, data: Any) -> torch.Tensor:
    """The encoder over each window of a Doc alone, without padding: `[wordpieces, width]`."""
    ids = torch.from_numpy(data.wordpieces.input_ids[0])
    parts = ids.split(list(data.wordpieces.lengths))
    return torch.cat([transformer(input_ids=part[None]).last_hidden_state[0] for part in parts])


def split_windows(data: Any) -> List[List[int]]:
    """The wordpiece ids of each window."""
    ids = torch.from_numpy(data.wordpieces.input_ids[0])
    return [part.tolist() for part in ids.split(list(data.wordpieces.lengths))]
