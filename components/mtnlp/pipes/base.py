"""What all trainable pipes of mtnlp share: update, loss, initialisation, serialisation."""

from itertools import islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate

from ..errors import Errors, MtnlpError
from ..gold.targets import Target
from ..models import concat_tok2vec
from ..models.fork_safety import use_one_thread_if_forked
from ..models.listener import require_encoder_output
from ..models.torch_head import build_head, head_module
from ..types import HeadOutput
from .encoder_vectors import find_width, select, zeros_like
from .labels import Labelled, SkippedLabels
from .loss_normalization import count_gold
from .read_ahead import read_ahead
from .score_loss import HeadInputs, make_loss_batch, mean_loss
from .serialization import SavedPipe
from .step_loss import StepLoss
from .taught import Taught, check_teacher_settings
from .upstream import release_encoders, require_upstream
from .weighting import Weighting, build_weighting, check_weights

# Enough for an encoder to say its width.
SAMPLE_SIZE = 10


class TorchPipe(Taught, Labelled, SavedPipe):
    """A pipe whose model is an encoder (`tok2vec`) and a torch head (`head`).

    A subclass says what the head is built from (`head_sizes`), what the gold of a batch is
    (`get_target`), what labels the data has (`find_labels`) and what predictions become on a Doc
    (`predict`, `set_annotations`).

    `cfg` holds everything that must survive a round trip: `labels`, `width` of the encoder,
    `loss_normalization`, the annotated units of an average batch, by which summed losses are
    divided so that sub-batches add up exactly; `score_loss`, whether `score` has the loss, too; the
    weights of tasks, see `weighting`.

    Not saved: `head_inputs`, what `score` computes the loss from; `skipped_labels`, the gold labels
    seen in training that are none of the pipe's; the loss of a step.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        scorer: Optional[Callable] = None,
        score_loss: bool = False,
        task_weight: float = 1.0,
        weighting: Weighting = "static",
        teacher_weight: float = 0.5,
        teacher_temperature: float = 1.0,
        teacher_confidence: float = 0.0,
        **settings: Any,
    ):
        """settings: others of `cfg`; the rest: see `CommonSettings`. Raises: MtnlpError E235, E330,
        E440 and E441 for weights and temperatures."""
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: Dict[str, Any] = {"labels": [], "width": None, "loss_normalization": 1.0}
        self.cfg.update(score_loss=score_loss, task_weight=task_weight, weighting=weighting)
        self.cfg.update(teacher_weight=teacher_weight, teacher_temperature=teacher_temperature)
        self.cfg.update(teacher_confidence=teacher_confidence, **settings)
        check_weights(name, self.cfg)
        check_teacher_settings(name, self.cfg)
        self.annealing = None
        self.head_inputs = HeadInputs()
        self.skipped_labels = SkippedLabels()
        self._step_loss = StepLoss()

    # What a subclass provides

    def head_sizes(self) -> Dict[str, Any]:
        """What the head's module is built from, besides the width."""
        raise NotImplementedError

    @property
    def task_names(self) -> List[str]:
        """The tasks, in the order of `head_losses`."""
        return [self.name]

    def task_units(self, target: Target) -> List[float]:
        """The annotated units of each task in a batch."""
        return [target.units]

    @property
    def is_built(self) -> bool:
        """Whether the head has its sizes."""
        return bool(self.model.get_ref("head").shims)

    # Training

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
    ) -> None:
        """Find labels and sizes, build the head and count the gold.

        A pipe that was trained starts anew: with the labels of this data, not with those it had.

        get_examples: gives the training data. labels: found in the data where not given.
        Raises: MtnlpError E302 where there are none, E306 where the data has no text, E311 to E313
        where the encoder's vectors cannot reach this component, E340 to E344 for gold that cannot
        be, and what `check_pipeline` does.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        # An encoder says nothing of its width on empty Docs.
        docs = (eg.predicted for eg in get_examples() if len(eg.predicted))
        sample = list(islice(docs, SAMPLE_SIZE))
        if not sample:
            raise MtnlpError(Errors.E306.format(name=self.name))
        if nlp is not None:
            self.check_pipeline(nlp)
            training = nlp.config.interpolate()["training"]
            release_encoders(nlp, training.get("frozen_components", []))
        require_upstream(self.model, sample, self.name, nlp)
        self.initialize_labels(get_examples, labels)
        self.reset_fitted()
        self.annealing = None
        encoder = self.model.get_ref("tok2vec")
        encoder.initialize(X=sample)
        self.cfg["width"] = find_width(encoder, sample)
        self.build()
        self.skipped_labels = SkippedLabels()
        count_classes = getattr(self.module, "count", None)
        units, counts = count_gold(
            lambda: self.checked(get_examples()), self.get_lesson, count_classes, nlp
        )
        self.cfg["loss_normalization"] = units
        if counts is not None:
            self.module.set_counts(counts)
        self.log_initialized(get_examples)

    def check_pipeline(self, nlp: Language) -> None:
        """Called by `initialize`: raises MtnlpError where the pipe cannot stand in a pipeline."""

    def reset_fitted(self) -> None:
        """Called by `initialize`: take back what was fitted to weights that go now."""
        if "temperature" in self.cfg:
            self.cfg["temperature"] = 1.0

    def log_initialized(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        """Called by `initialize` at its end: log what the user should know of it."""

    def build(self) -> None:
        """Build the head from `cfg`."""
        head = self.model.get_ref("head")
        build_head(head, self.cfg["width"], **self.head_sizes())
        self.module.weighting = build_weighting(self.cfg, self.task_names)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """One step on a batch.

        Only Docs with gold or an opinion go through the head. The encoder is backpropagated into in
        any case, with zeros where nothing is annotated, because the last listener's backward pass
        is everybody's; the head's own parameters then have no gradient at all, since an optimizer
        with momentum or decay moves weights on zeros. Raises: MtnlpError E315 where the encoder has
        neither given its batch nor left its vectors.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        self._step_loss.begin_batch()
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        docs = [eg.predicted for eg in examples]
        if not any(len(doc) for doc in docs):
            return losses
        require_encoder_output(self.model, docs, self.name, is_train=True)
        set_dropout_rate(self.model, drop)
        vectors, backprop_vectors = self.begin_encoder(docs)
        d_vectors = zeros_like(vectors)
        lesson = self.get_lesson(examples)
        self.skipped_labels.count(examples, self)
        if lesson.doc_indices:
            chosen = select(vectors, lesson.doc_indices)
            (output, _), backprop_head = self.model.get_ref("head").begin_update(chosen)
            loss, d_output = self.get_loss_gradient(lesson, output)
            losses[self.name] += loss
            self._step_loss.add(loss)
            for i, d_doc in zip(lesson.doc_indices, backprop_head(d_output), strict=True):
                d_vectors[i] = d_doc
        backprop_vectors(d_vectors)
        if sgd not in (None, False):
            self.finish_update(sgd)
            if hasattr(sgd, "make_step"):  # it waits for further pipes, but this one is alone
                sgd.make_step()
        return losses

    def begin_encoder(self, docs: List[Doc]) -> Tuple[Any, Callable[[Any], Any]]:
        """What the head is given, in training: vectors of the tokens of each Doc, or a row for each
        one. `Target.doc_indices` says which of these. Returns: them, and the way back."""
        return self.model.get_ref("tok2vec").begin_update(docs)

    def finish_update(self, sgd: Optimizer) -> None:
        """Step on the gradients there are; without any, the weights stay as they are.

        A loss gives zeros to the task of a head that nobody annotated. Momentum and decay would
        move weights on them, so they are taken away here.

        sgd: may have a step of its own for heads (`for_heads`), as `mtnlp.AdamW.v1` does.
        """
        self._step_loss.end_step()
        if self.annealing is not None:
            self.annealing.step += 1
        if not self.has_gradient():
            return
        for parameter in self.module.parameters():
            if parameter.grad is not None and not parameter.grad.any():
                parameter.grad = None
        for_heads = getattr(sgd, "for_heads", sgd)
        concat_tok2vec.finish_update(self.model.get_ref("tok2vec"), sgd, for_heads)
        self.model.get_ref("head").finish_update(for_heads)

    def has_gradient(self) -> bool:
        """Called by `finish_update`: whether anything has trained the pipe since its last step."""
        return any(parameter.grad is not None for parameter in self.module.parameters())

    # The loss

    @property
    def step_loss(self) -> float:
        """The loss of the last step of the optimizer, or of the one under way, summed over its
        sub-batches."""
        return self._step_loss.value

    @property
    def task_weights(self) -> Dict[str, float]:
        """What each task's loss is multiplied by now, λ or `exp(-s)`, by task.

        Raises: MtnlpError E205 where the head has not been built.
        """
        return dict(zip(self.task_names, self.module.weighting.factors(), strict=True))

    def head_losses(self, target: Target, output: HeadOutput) -> torch.Tensor:
        """`[tasks]`: the head's losses, each summed over the annotated units of a batch.

        A head of several tasks has `task_losses`, which gives them one by one.
        """
        batch = make_loss_batch(target, output)
        by_task = getattr(self.module, "task_losses", None)
        return torch.stack([self.module.loss(batch)] if by_task is None else by_task(batch))

    def head_loss(self, target: Target, output: HeadOutput) -> torch.Tensor:
        """The head's summed loss over the annotated units of a batch, a scalar tensor."""
        return self.head_losses(target, output).sum()

    def get_loss(self, examples: Iterable[Example], scores: Any) -> Tuple[float, HeadOutput]:
        """The loss and its gradient for the output of those Docs among the examples that have gold
        or an opinion.

        scores: the `HeadOutput` of exactly the Docs that `get_lesson(examples).doc_indices` names.
        """
        return self.get_loss_gradient(self.get_lesson(list(examples)), scores)

    @torch.no_grad()
    def loss_on(self, examples: Sequence[Example]) -> Tuple[float, float]:
        """The loss without training, for reports.

        examples: their predicted Docs have been through the encoder.
        Returns: the sum over annotated units, and their number.
        """
        target = self.get_target(examples)
        if not target.doc_indices:
            return 0.0, 0.0
        docs = [examples[i].predicted for i in target.doc_indices]
        require_encoder_output(self.model, docs, self.name)
        output, _ = self.model.predict(docs)
        return float(self.head_loss(target, output)), target.units

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """As `TrainablePipe.pipe`, with `read_ahead`; with `score_loss`, what `score` computes the
        loss from is kept with each Doc. It is called before any component of a pipeline runs, so
        that another's encoder, too, does not wait for the threads of a parent process."""
        use_one_thread_if_forked()
        stream = read_ahead(stream, batch_size)
        if self.cfg["score_loss"]:
            stream = self.head_inputs.watch(stream, self.model.get_ref("tok2vec"), batch_size)
        return super().pipe(stream, batch_size=batch_size)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """The scorer's scores and, with `score_loss`, the mean loss per annotated unit under
        `NAME_loss`: 0.0 where nothing is annotated, left out for Docs that this pipe has not
        predicted in this process."""
        examples = list(examples)
        scores = super().score(examples, **kwargs)
        loss = mean_loss(self, examples) if self.cfg["score_loss"] else None
        return scores if loss is None else {**scores, f"{self.name}_loss": loss}

    @property
    def module(self) -> Any:
        """The head's torch module. Raises: MtnlpError E205 where it has not been built."""
        return head_module(self.model.get_ref("head"))
