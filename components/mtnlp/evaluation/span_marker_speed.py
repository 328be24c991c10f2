"""SpanMarker as a contender of `pipeline_speed`."""

import time
from typing import List, Optional

from spacy.training import Example

from .pipeline_speed import PipelineContender, SpeedWorkload, Turn
from .span_marker_baseline import Recipe, Sentences, make_trainer, predict


class SpanMarkerContender:
    """SpanMarker on the documents of one of our pipelines, by its own Trainer."""

    name = "SpanMarker"

    def __init__(
        self,
        other: PipelineContender,
        spans_key: Optional[str],
        backbone: str,
        workload: SpeedWorkload,
        folder: str,
    ):
        """spans_key: where gold entities are, None for `doc.ents`. folder: for the Trainer.

        Raises MtnlpError E512 without the library span_marker.
        """
        # As many as the steps take: it goes through a document's spans before it trains.
        count = workload.steps * workload.batch_size
        self.learn = to_sentences(other.training[:count], spans_key)
        self.test = to_sentences(other.test, spans_key)
        recipe = Recipe(learning_rate=2e-4, batch_size=workload.batch_size)
        self.trainer = make_trainer(self.learn, backbone, recipe, folder)
        # The Trainer replaces it by what it makes of it.
        self.dataset = self.trainer.train_dataset

    def train(self) -> Turn:
        """One epoch, as the Trainer times it: without its preparations."""
        self.trainer.train_dataset = self.dataset
        seconds = self.trainer.train().metrics["train_runtime"]
        return Turn(self.learn.words, seconds)

    def predict(self) -> Turn:
        """`SpanMarkerModel.predict` over lists of words."""
        begin = time.perf_counter()
        predict(self.trainer.model, self.test.tokens)
        return Turn(self.test.words, time.perf_counter() - begin)


def to_sentences(examples: List[Example], spans_key: Optional[str]) -> Sentences:
    """The words and gold entities of examples that have words."""
    found = Sentences([], [])
    for example in examples:
        doc = example.y
        if len(doc):
            spans = doc.ents if spans_key is None else doc.spans.get(spans_key, ())
            found.tokens.append([token.text for token in doc])
            found.gold.append({(span.start, span.end, span.label_) for span in spans})
    return found
