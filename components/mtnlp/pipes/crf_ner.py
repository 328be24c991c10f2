"""`crf_ner`: flat entities with a probability for each."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Config, Model

from ..gold.entities import gold_labels, tag_targets
from ..gold.targets import Target
from .base import TorchPipe
from .entity_spans import Predictions, install_confidence, write_entities

DEFAULT_CONFIG = Config().from_str(
    """
    [crf_ner]
    spans_key = null
    scorer = {"@scorers": "mtnlp.EntityScorer.v1"}

    [crf_ner.model]
    @architectures = "mtnlp.TokenClassifier.v1"
    decoder = "crf"
    scheme = "bio"
    hidden = null
    dropout = 0.1
    loss = null

    [crf_ner.model.tok2vec]
    @architectures = "mtnlp.TransformerListener.v1"
    grad_factor = 1.0
    upstream = "*"
    transformer = null
    """
)["crf_ner"]


@Language.factory(
    "crf_ner",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.ents", "doc.spans", "token.ent_type", "token.ent_iob"],
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_crf_ner(
    nlp: Language, name: str, model: Model, spans_key: Optional[str], scorer: Optional[Callable]
) -> "CRFNER":
    """A tagger of flat entities.

    model: `mtnlp.TokenClassifier.v1` or a model of its shape.
    spans_key: where gold and predictions live: `doc.ents` (None) or `doc.spans[spans_key]`.
    scorer: `mtnlp.EntityScorer.v1`.
    """
    return CRFNER(nlp.vocab, model, name, spans_key=spans_key, scorer=scorer)


class CRFNER(TorchPipe):
    """Finds flat entities; each has a score in a SpanGroup, by default its exact probability."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "crf_ner",
        *,
        spans_key: Optional[str] = None,
        scorer: Optional[Callable] = None,
    ):
        super().__init__(vocab, model, name, scorer=scorer, spans_key=spans_key)
        install_confidence()

    def head_sizes(self) -> Dict[str, Any]:
        return {"labels": list(self.labels)}

    def find_labels(self, examples: Iterable[Example]) -> List[str]:
        return gold_labels(examples, self.cfg["spans_key"])

    def get_target(self, examples: Sequence[Example]) -> Target:
        return tag_targets(examples, self.cfg["spans_key"], self.labels, self.module.scheme)

    def predict(self, docs: Iterable[Doc]) -> Predictions:
        """The entities of the batch and their probabilities."""
        docs = list(docs)
        output, mask = self.model.predict(docs)
        spans, probabilities = self.module.decode(output.scores, mask)
        return Predictions(spans.cpu().numpy(), probabilities.cpu().numpy())

    def set_annotations(self, docs: Iterable[Doc], predictions: Predictions) -> None:
        """Write `doc.ents` or `doc.spans[spans_key]`, and the group with the scores."""
        write_entities(docs, predictions, self.labels, self.cfg["spans_key"], self.name)
