"""What a pipeline did in one task, document by document and label by label."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping

from spacy.training import Example

from ..annotation.layers import EntsLayer, SpansLayer
from ..evaluation.confusions import Decision, LabelTask
from ..evaluation.document_counts import ACCURACY, F1, DocumentCounts
from ..evaluation.spans import document_counts
from ..scorers.counts import Counts, add_counts, count_per_label


@dataclass
class TaskCounts:
    """Adds up one task.

    rows: of each annotated document, as `DocumentCounts` has them. per_label: right and wrong ones.
    """

    task: LabelTask
    rows: List[List[int]] = field(default_factory=list)
    per_label: Dict[str, Counts] = field(default_factory=dict)

    def add(self, example: Example) -> Decision:
        """Take up a document; where it is not annotated it counts for nothing. Returns: what was
        decided, None where it is not annotated."""
        decision = self.task.decide(example)
        if decision is not None:
            gold, given = decision
            is_exclusive = find_metric(self.task) == ACCURACY
            row = document_counts([gold], [given])[0].tolist()
            self.rows.append([int(gold == given), 1] if is_exclusive else row)
            add_counts(self.per_label, count_per_label([decision], self.task.label))
        return decision

    @property
    def counts(self) -> DocumentCounts:
        """The rows, ready to be compared."""
        return DocumentCounts.from_dict({"metric": find_metric(self.task), "counts": self.rows})

    def fscore(self, label: str) -> float:
        """F1 of a label, 0.0 where it is neither gold nor predicted."""
        return self.per_label.get(label, Counts()).fscore

    def support(self, label: str) -> int:
        """How often a label is gold."""
        return self.per_label.get(label, Counts()).support

    def to_dict(self) -> Dict[str, Any]:
        """For JSON."""
        labels = {label: [each.tp, each.fp, each.fn] for label, each in self.per_label.items()}
        return {"rows": self.rows, "per_label": labels}

    @classmethod
    def from_dict(cls, task: LabelTask, data: Mapping[str, Any]) -> "TaskCounts":
        """Of `to_dict`."""
        labels = {label: Counts(*counts) for label, counts in data["per_label"].items()}
        return cls(task, data["rows"], labels)


def find_metric(task: LabelTask) -> str:
    """What a task's documents are counted for: accuracy of an exclusive one, else micro F1."""
    if isinstance(task.source, (EntsLayer, SpansLayer)):
        return F1
    return ACCURACY if task.source.exclusive else F1


def count_tasks(
    tasks: Mapping[str, LabelTask], examples: Iterable[Example]
) -> Dict[str, TaskCounts]:
    """The counts of all tasks that a document is annotated for."""
    counts = {name: TaskCounts(task) for name, task in tasks.items()}
    for example in examples:
        for each in counts.values():
            each.add(example)
    return {name: each for name, each in counts.items() if each.rows}
