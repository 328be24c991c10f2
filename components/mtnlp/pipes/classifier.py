"""What `multitask_textcat` and `event_textcat` share."""

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Unpack

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ..annotation.categories import (
    SEPARATOR,
    category_key,
    category_keys,
    split_key,
    task_keys,
    task_of,
)
from ..annotation.layers import CategoriesLayer
from ..errors import Errors, MtnlpError
from ..gold.categories import category_targets, gold_task_labels
from ..gold.opinions import Opinion
from ..gold.soft_categories import soft_categories
from ..gold.soft_targets import SoftTarget
from ..gold.targets import Target
from ..models.listener import require_encoder_output
from ..nn.temperature import scale_columns_by_temperature
from ..ranges import PROBABILITY, require
from ..types import SoftBatch, Task
from .base import TorchPipe
from .extensions import install_extension
from .opinions import category_opinions
from .settings import CommonSettings

# The model of both factories, for `default_config`.
MODEL = """
@architectures = "mtnlp.DocClassifier.v1"
hidden = null
dropout = 0.1
loss_exclusive = null
loss_multilabel = null
label_heads = "shared"
label_correlation = false
"""


class DocClassifier(TorchPipe):
    """Classifies Docs in one or several named tasks; predictions are `doc.cats["task/LABEL"]`.

    `cfg["tasks"]` holds each task's `labels` and `exclusive`, `cfg["labels"]` the full keys in the
    order of the head's scores.

    What `mtnlp calibrate` fits to held-out documents, and `initialize` takes back:
    `cfg["temperatures"]`, by task, divide the scores before they become probabilities, in
    prediction alone; `cfg["thresholds"]`, by full key, stand in for `threshold`. What is not in
    them is 1.0 and `threshold`. Exclusive tasks have no thresholds: their most probable label is
    predicted.

    A Doc that holds nothing to read has 0.0 for every label, in exclusive tasks too, as spaCy's
    `textcat` has it: one without tokens, of white space alone, or of characters that the tokenizer
    makes no wordpiece of. 0.0 is never a claim, whatever the threshold.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        tasks: Dict[str, bool],
        threshold: float = 0.5,
        task_weights: Optional[Dict[str, float]] = None,
        **common: Unpack[CommonSettings],
    ):
        """tasks: by name, whether exactly one of the task's labels holds.
        threshold: of the probability, for labels that hold each for itself.
        task_weights: of single tasks, 1.0 where there is none.
        Raises: MtnlpError E303 without tasks, E330 for a threshold that is no
        probability, E332 for a name that cannot be, E440 and E441 for weights."""
        require(name, PROBABILITY, threshold=threshold)
        super().__init__(
            vocab,
            model,
            name,
            threshold=threshold,
            task_weights=task_weights or {},
            **common,
        )
        if not tasks:
            raise MtnlpError(Errors.E303.format(name=name))
        check_task_names(name, tasks)
        self.cfg["tasks"] = {
            task: Task(labels=[], exclusive=exclusive) for task, exclusive in tasks.items()
        }
        self.cfg.update(temperatures={}, thresholds={})
        install_tasks()

    learns_from_teachers = True

    @property
    def tasks(self) -> Dict[str, Task]:
        """Each task's labels and whether it is exclusive."""
        return self.cfg["tasks"]

    @property
    def layer(self) -> CategoriesLayer:
        return CategoriesLayer(self.tasks)

    @property
    def task_names(self) -> List[str]:
        return list(self.tasks)

    def task_units(self, target: Target) -> List[float]:
        return self.count_units(target.mask)

    def head_sizes(self) -> Dict[str, Any]:
        return {"tasks": self.tasks}

    def add_label(self, label: str) -> int:
        """Add `task/LABEL`. Raises: MtnlpError E304 where there is no such task, E301 where the
        head is built."""
        self.task_and_label(label)
        return super().add_label(label)

    def set_labels(self, labels: Iterable[str]) -> None:
        """Take these labels, `task/LABEL`, for a head that is still to be built. Raises: MtnlpError
        E304 for one of another task."""
        by_task: Dict[str, List[str]] = {task: [] for task in self.tasks}
        for task, label in map(self.task_and_label, dict.fromkeys(labels)):
            by_task[task].append(label)
        for task, own in by_task.items():
            self.tasks[task]["labels"] = own
        # The head's scores are ordered by task, whatever order labels come in.
        super().set_labels(category_keys(self.tasks))

    def grow(
        self, labels: Iterable[str], exclusive: Optional[Mapping[str, bool]] = None
    ) -> List[str]:
        """As `Labelled.grow`, for `task/LABEL`.

        exclusive: of each new task, whether exactly one of its labels holds; it needs one label at
            least among `labels`, two where it is exclusive. The config's `tasks` are another
            matter: they say what `initialize` begins with.
        Raises: MtnlpError also E302 and E343 for new tasks with too few labels, E304 for a label of
            a task that neither is there nor is new, E332 for a task's name that cannot be.
        """
        new = {task: one for task, one in (exclusive or {}).items() if task not in self.tasks}
        check_task_names(self.name, new)
        for task, one in new.items():
            self.tasks[task] = Task(labels=[], exclusive=one)
        try:
            grown = super().grow(labels)
            self.require_labels()
            return grown
        except MtnlpError:
            for task in new:
                del self.tasks[task]
            raise

    def choose_labels(self, found: List[str]) -> List[str]:
        """As `TorchPipe.choose_labels`, task by task."""
        if not self.is_built:
            return super().choose_labels(found)
        seen = {task_of(label) for label in found}
        return [*found, *(label for label in self.labels if task_of(label) not in seen)]

    def task_and_label(self, key: str) -> Tuple[str, str]:
        """The two parts of `task/LABEL`. Raises: MtnlpError E304 where there is no such task."""
        task, label = split_key(key)
        if task not in self.tasks or not label:
            raise MtnlpError(
                Errors.E304.format(label=key, name=self.name, tasks=", ".join(self.tasks))
            )
        return task, label

    def find_labels(self, examples: Iterable[Example]) -> List[str]:
        found = gold_task_labels(examples, self.tasks)
        return [category_key(task, label) for task, labels in found.items() for label in labels]

    def taught_labels(self, example: Example) -> List[str]:
        return [key for key in super().taught_labels(example) if task_of(key) in self.tasks]

    def require_labels(self) -> None:
        """Raises: MtnlpError E302 for a task without labels, E343 for an exclusive one with a
        single label."""
        if not all(task["labels"] for task in self.tasks.values()):
            raise MtnlpError(Errors.E302.format(name=self.name))
        for name, task in self.tasks.items():
            if task["exclusive"] and len(task["labels"]) == 1:
                (key,) = task_keys(name, task)
                raise MtnlpError(Errors.E343.format(task=name, name=self.name, key=key))

    def get_target(self, examples: Sequence[Example]) -> Target:
        return category_targets(examples, self.tasks)

    def soft_targets(self, examples: Sequence[Example]) -> List[SoftTarget]:
        return soft_categories(examples, self.name, self.tasks, self.cfg["teacher_temperature"])

    @property
    def has_token_targets(self) -> bool:
        return False

    def whole_units(self, mask: torch.Tensor) -> torch.Tensor:
        # In an exclusive task all labels are one unit.
        whole = mask.clone()
        for part, exclusive in self.layer.columns:
            if exclusive:
                whole[:, part] = mask[:, part].any(1, keepdim=True)
        return whole

    def answered(self, target: Target) -> torch.Tensor:
        # Of an exclusive task that is annotated in part it is known which label does not hold.
        known = target.mask.clone()
        for part, exclusive in self.layer.columns:
            if exclusive:
                known[:, part] = target.mask[:, part].all(1, keepdim=True)
        return known

    def has_gold(self, target: Target) -> torch.Tensor:
        return self.whole_units(target.mask)

    def count_units(self, mask: torch.Tensor) -> List[float]:
        return [float(mask[:, part].any(1).sum()) for part in self.columns.values()]

    def soft_losses(self, batch: SoftBatch) -> torch.Tensor:
        return torch.stack(self.module.soft_losses(batch))

    def reset_fitted(self) -> None:
        self.cfg.update(temperatures={}, thresholds={})

    @property
    def columns(self) -> Dict[str, slice]:
        """Where the labels of each task stand among all."""
        parts = zip(self.tasks, self.layer.columns, strict=True)
        return {name: part for name, (part, _) in parts}

    @property
    def label_thresholds(self) -> np.ndarray:
        """float64 `[labels]`: what a probability must reach. It says nothing in exclusive tasks."""
        fitted, default = self.cfg["thresholds"], self.cfg["threshold"]
        return np.array([fitted.get(key, default) for key in self.labels], dtype=float)

    def predict(self, docs: Iterable[Doc]) -> np.ndarray:
        """Probabilities `[docs, labels]`, zeros for Docs that hold nothing to read. Raises
        MtnlpError E310 for Docs without the vectors of the encoder."""
        docs = list(docs)
        require_encoder_output(self.model, docs, self.name)
        output, has_text = self.model.predict(docs)
        probabilities = self.probabilities(output.scores)
        probabilities[~has_text.cpu().numpy()] = 0.0
        return probabilities

    def opinions(self, docs: Sequence[Doc]) -> List[Optional[Opinion]]:
        """What the head believes of some Docs, for a student to learn: the score of each label,
        over its task's temperature; None of a Doc that holds nothing to read.

        docs: they carry the encoder's vectors. Raises: MtnlpError E310 for Docs without them.
        """
        require_encoder_output(self.model, docs, self.name)
        output, has_text = self.model.predict(list(docs))
        scores = self.scaled(output.scores, self.cfg["temperatures"])
        exclusive = [name for name, task in self.tasks.items() if task["exclusive"]]
        found = scores.float().cpu().numpy(), exclusive, has_text.cpu().numpy()
        return [*category_opinions(self.labels, *found)]

    def probabilities(
        self, scores: torch.Tensor, temperatures: Optional[Mapping[str, float]] = None
    ) -> np.ndarray:
        """What scores of the head say, `[docs, labels]` both.

        temperatures: by task, 1.0 where it has none; those of `cfg` by default. Raises: MtnlpError
        E235 for one that is not above 0.
        """
        fitted = self.cfg["temperatures"] if temperatures is None else temperatures
        return self.module.decode(self.scaled(scores, fitted)).cpu().numpy()

    def scaled(self, scores: torch.Tensor, temperatures: Mapping[str, float]) -> torch.Tensor:
        """Scores `[docs, labels]` over temperatures by task, 1.0 where there is none. Raises:
        MtnlpError E235 for one that is not above 0."""
        if not temperatures:
            return scores
        each = [
            temperatures.get(name, 1.0) for name, task in self.tasks.items() for _ in task["labels"]
        ]
        return scale_columns_by_temperature(scores.float(), each)

    def set_annotations(self, docs: Iterable[Doc], probabilities: np.ndarray) -> None:
        """Write `doc.cats`: every label's probability."""
        for doc, row in zip(docs, probabilities.tolist(), strict=True):
            doc.cats.update(zip(self.labels, row, strict=True))


def check_task_names(name: str, tasks: Iterable[str]) -> None:
    """Raises: MtnlpError E332 for a name of a task that cannot be. name: of the component."""
    for task in tasks:
        if not task or SEPARATOR in task:
            raise MtnlpError(Errors.E332.format(name=name, task=task))


def install_tasks() -> None:
    """Register `doc._.tasks`; a warning E320 where another library has done so."""
    install_extension(Doc, "tasks", getter=doc_tasks, instead="doc.cats, by task/LABEL,")


def doc_tasks(doc: Doc) -> Dict[str, Dict[str, float]]:
    """`doc._.tasks`: `doc.cats`, by task and label. A task that claims nothing, with 0.0 for all of
    its labels, is left out: so are all tasks of a Doc that holds nothing to read."""
    tasks: Dict[str, Dict[str, float]] = {}
    for key, probability in doc.cats.items():
        task, label = split_key(key)
        if task is not None:
            tasks.setdefault(task, {})[label] = probability
    return {task: labels for task, labels in tasks.items() if any(labels.values())}
