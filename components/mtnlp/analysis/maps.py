"""The maps of a report: one for each thing that a pipeline decides."""

from typing import Any, Dict, List, Optional, Sequence

from spacy.language import Language
from spacy.training import Example

from .sources import predicted_sources
from .vectors import VectorCollector, map_numbers

# Points of each map: enough to see groups, and few enough that several maps fit a page.
LIMIT = 1_500
# Fewer points are no map.
FEWEST = 3


class ReportMaps:
    """Collects the vectors of all that a pipeline decides, from the documents that are annotated
    for it: entities of each component, documents by each task. It keeps no document.

    limit: points of each map, a sample of all. seed: of the samples.
    """

    def __init__(self, nlp: Language, limit: int = LIMIT, seed: int = 0) -> None:
        self._seed = seed
        self._collected = [
            VectorCollector(source, limit, seed, annotated_only=True)
            for source in predicted_sources(nlp).values()
        ]

    def add(self, examples: Sequence[Example]) -> None:
        """Take up a chunk of predicted documents."""
        for collected in self._collected:
            collected.add(examples)

    def result(self) -> Optional[Dict[str, Any]]:
        """Returns: {"maps": [see `vectors.map_numbers`]} of those with points enough, by PCA; None
        where there is none."""
        maps: List[Dict[str, Any]] = [
            map_numbers(collected, seed=self._seed)
            for collected in self._collected
            if len(collected) >= FEWEST
        ]
        return {"maps": maps} if maps else None
