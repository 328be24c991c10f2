"""The scores of `spacy evaluate`, from predictions that were made anyway."""

from itertools import chain
from typing import Any, Dict, List

from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from ..files import plain


class SpacyScores:
    """Keeps the predictions of each corpus, as `nlp.evaluate` does, and scores them together and
    apart.

    spaCy's scorers want all documents at once, so these stay in memory, without what a cleaner of
    the pipeline drops.
    """

    def __init__(self, nlp: Language) -> None:
        self._nlp = nlp
        self._examples: Dict[str, List[Example]] = {}
        self._seconds: Dict[str, float] = {}

    def add(self, corpus: str, examples: List[Example], seconds: float) -> None:
        """Take up one chunk of a corpus. seconds: how long its prediction took."""
        self._examples.setdefault(corpus, []).extend(examples)
        self._seconds[corpus] = self._seconds.get(corpus, 0.0) + seconds

    def overall(self) -> Dict[str, Any]:
        """What `spacy evaluate` writes for all corpora together, JSON-serialisable."""
        examples = list(chain.from_iterable(self._examples.values()))
        return self._scores(examples, sum(self._seconds.values()))

    def by_corpus(self) -> Dict[str, Dict[str, Any]]:
        """The same for each corpus, by name."""
        return {
            name: self._scores(examples, self._seconds[name])
            for name, examples in self._examples.items()
        }

    def _scores(self, examples: List[Example], seconds: float) -> Dict[str, Any]:
        scores = Scorer(self._nlp).score(examples)
        words = sum(len(example.predicted) for example in examples)
        scores["speed"] = words / seconds if seconds else 0.0
        return dict(plain(scores))


def clean(nlp: Language, cleaners: List[str], docs: List[Doc]) -> None:
    """Run the cleaners of a pipeline on documents, in place."""
    for name in cleaners:
        pipe = nlp.get_pipe(name)
        for doc in docs:
            pipe(doc)
