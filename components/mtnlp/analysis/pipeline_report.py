"""The numbers of all that a pipeline decides."""

from typing import Any, Dict, Iterable, List, Optional, Sequence

from spacy.language import Language
from spacy.training import Example

from ..annotation.layers import EntsLayer, SpansLayer
from ..evaluation.confusions import LabelTask
from ..evaluation.evaluator import vector_pipe
from ..evaluation.vectors import VectorEvaluation
from .category_report import CategoryReport
from .entity_report import EntityReport
from .options import Settings
from .task_lines import category_line, entity_line, vector_line
from .train_facts import TrainFacts


class PipelineReport:
    """Collects the tasks of a pipeline.

    facts: of train; None without train.
    """

    def __init__(
        self,
        nlp: Language,
        tasks: Dict[str, LabelTask],
        facts: Optional[TrainFacts],
        settings: Settings,
    ) -> None:
        self._settings = settings
        self._entities: Dict[str, EntityReport] = {}
        self._categories: Dict[str, CategoryReport] = {}
        self._vectors = VectorEvaluation()
        self._vector_pipe = vector_pipe(nlp)
        for name, task in tasks.items():
            support = None if facts is None else facts.support[name]
            if isinstance(task.source, (EntsLayer, SpansLayer)):
                dictionary = None if facts is None else facts.dictionaries[name]
                parts = (name, task.source, settings, dictionary, support)
                self._entities[name] = EntityReport(*parts)
            else:
                cats = facts.cats if facts else ()
                self._categories[name] = CategoryReport(task.source, settings, support, cats)

    def add(self, examples: Sequence[Example]) -> None:
        """Take up a chunk."""
        collectors: Iterable[Any] = (*self._entities.values(), *self._categories.values())
        for collector in (*collectors, self._vectors):
            collector.add(list(examples))

    def result(self) -> Dict[str, Any]:
        """Returns: {"tasks", "entities", "classification"}, of what any document is annotated
        for."""
        lines: List[Dict[str, Any]] = []
        entities: Dict[str, Any] = {}
        categories: Dict[str, Any] = {}
        for name, report in self._entities.items():
            if (found := report.result()) is not None:
                entities[name] = found
                lines.append(entity_line(name, found, report.baseline))
        for name, task in self._categories.items():
            if (found := task.result()) is not None:
                categories[name] = found
                lines.append(category_line(name, found))
        if self._vectors.pairs:
            metrics = self._vectors.result(self._settings.samples, self._settings.seed)
            lines.append(vector_line(self._vector_pipe, metrics))
        return {"tasks": lines, "entities": entities, "classification": categories}
