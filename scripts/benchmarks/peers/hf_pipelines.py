"""What answers as a joint pipeline does, without one: Hugging Face pipelines, an encoder each."""

from typing import Any, List, Sequence

import torch
from sentence_transformers import SentenceTransformer
from spacy.language import Language
from spacy.tokens import Doc
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedTokenizerBase,
    pipeline,
)

from mtnlp.pipes.crf_ner import CRFNER
from scripts.benchmarks.peers.hf_trainer import load_tokenizer

BATCH_SIZE = 32
# Wordpieces of a chunk, special tokens included; a joint pipeline's windows are as long.
CHUNK = 256


class FourPipelines:
    """Entities, an exclusive class, classes that exclude none, and vectors, by four models one
    after the other.

    Entities are found by the encoder of `nlp` and the weights of its tagger `ner`, so that there
    are as many as in text; what classifiers say does not change what they cost. Texts come in
    chunks that every model reads whole, sorted by length, in batches of BATCH_SIZE.
    """

    def __init__(self, nlp: Language, backbone: str, labels: int):
        """nlp: has a `crf_ner` called `ner`. backbone: the encoder's folder. labels: of the
        classes that exclude none."""
        self.tokenizer: Any = load_tokenizer(backbone)
        tagger = self.make_tagger(nlp, backbone)
        settings: Any = {"tokenizer": self.tokenizer, "batch_size": BATCH_SIZE, "device": -1}
        self.pipelines: List[Any] = [
            pipeline("token-classification", tagger, aggregation_strategy="simple", **settings),
            pipeline("text-classification", self.make_classifier(backbone, 2), **settings),
            pipeline(
                "text-classification",
                self.make_classifier(backbone, labels),
                top_k=None,
                function_to_apply="sigmoid",
                **settings,
            ),
        ]
        self.vectors = SentenceTransformer(backbone, device="cpu")
        self.vectors.max_seq_length = CHUNK

    def make_tagger(self, nlp: Language, backbone: str) -> Any:
        """The tagger of a pipeline as a model of its own."""
        pipe: Any = nlp.get_pipe("ner")
        assert isinstance(pipe, CRFNER)
        tags = pipe.module.scheme.tags(list(pipe.labels))
        config = AutoConfig.from_pretrained(backbone, id2label=dict(enumerate(tags)))
        model: Any = AutoModelForTokenClassification.from_config(config)
        encoder: Any = nlp.get_pipe("transformer").model.transformer  # type: ignore[attr-defined]
        model.base_model.load_state_dict(encoder.state_dict(), strict=False)
        with torch.no_grad():
            model.classifier.weight.copy_(pipe.module.output.weight[:, : config.hidden_size])
            model.classifier.bias.copy_(pipe.module.output.bias)
        return model.eval()

    def make_classifier(self, backbone: str, labels: int) -> Any:
        """A classifier whose head begins at random."""
        model = AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=labels)
        return model.eval()

    def prepare(self, docs: Sequence[Doc]) -> List[str]:
        """The chunks of texts, the longest first."""
        chunks = [chunk for doc in docs for chunk in cut(doc, self.tokenizer)]
        return sorted(chunks, key=len, reverse=True)

    def predict(self, chunks: List[str]) -> None:
        """All that the four say."""
        for each in self.pipelines:
            for _ in each(chunks):
                pass
        self.vectors.encode(chunks, batch_size=BATCH_SIZE)


def cut(doc: Doc, tokenizer: PreTrainedTokenizerBase) -> List[str]:
    """A text in pieces of whole words that fit in a chunk."""
    words = [token.text_with_ws for token in doc]
    encoded = tokenizer([word.strip() or word for word in words], add_special_tokens=False)
    room = CHUNK - tokenizer.num_special_tokens_to_add()
    chunks, size = [""], 0
    for word, ids in zip(words, encoded["input_ids"], strict=True):
        if size + len(ids) > room:
            chunks.append("")
            size = 0
        chunks[-1] += word
        size += len(ids)
    return [chunk for chunk in chunks if chunk.strip()]
