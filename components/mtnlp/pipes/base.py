"""What all trainable pipes of mtnlp share: update, loss, initialisation, serialisation."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import (
    Any,
    Callable,
    ClassVar,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import torch
from spacy import util
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate

from ..errors import Errors, MtnlpError
from ..gold.targets import Target
from ..models import concat_tok2vec
from ..models.forking import use_one_thread_if_forked
from ..models.listener import require_encoded
from ..models.torch_head import build_head, head_module
from ..types import HeadOutput
from .encoder_vectors import find_width, select, zeros_like
from .labels import Labelled
from .loss_normalization import count_gold
from .score_loss import ScoresLoss
from .upstream import require_upstream
from .weighting import WeightedTasks

# Enough for an encoder to say its width.
SAMPLE_SIZE = 10


class TorchPipe(Labelled, ScoresLoss, WeightedTasks, TrainablePipe):
    """A pipe whose model is an encoder (`tok2vec`) and a torch head (`head`).

    A subclass says what the head is built from (`head_sizes`), what the gold of a batch is
    (`get_target`), what labels the data has (`find_labels`) and what predictions become on a Doc
    (`predict`, `set_annotations`).

    `cfg` holds everything that must survive a round trip: `labels`, `width` of the encoder,
    `units`, the annotated units of an average batch, by which summed losses are divided so that
    sub-batches add up exactly; `score_loss`, whether `score` has the loss, too; the weights of
    tasks, see `WeightedTasks`. `step_loss`, not saved, is the loss of the last step (or the one
    under way), summed over its sub-batches. `skipped_labels`, not saved, counts the gold labels
    seen in training that are none of the pipe's.
    """

    # What keys of `cfg` were called in pipelines saved before, and are called now.
    earlier_names: ClassVar[Dict[str, str]] = {}

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        scorer: Optional[Callable] = None,
        **settings: Any,
    ):
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: Dict[str, Any] = {"labels": [], "width": None, "units": 1.0}
        self.cfg.update({"task_weight": 1.0, "weighting": "static", **settings})
        self.check_weights()
        self.watch_loss()
        self.step_loss, self._step_is_over = 0.0, False
        self.skipped_labels = Counter()

    # What a subclass provides

    def head_sizes(self) -> Dict[str, Any]:
        """What the head's module is built from, besides the width."""
        raise NotImplementedError

    def get_target(self, examples: Sequence[Example]) -> Target:
        """The gold of a batch."""
        raise NotImplementedError

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
        Raises MtnlpError E302 where there are none, E306 where the data has no text, E311 to E313
        where the encoder's vectors cannot reach this component, E340 to E344 for gold that cannot
        be.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        # An encoder says nothing of its width on empty Docs.
        docs = (eg.predicted for eg in get_examples() if len(eg.predicted))
        sample = list(islice(docs, SAMPLE_SIZE))
        if not sample:
            raise MtnlpError(Errors.E306.format(name=self.name))
        before = self.labels
        if labels is not None:
            self.set_labels(labels if self.is_built else [*before, *labels])
        else:
            self.set_labels(self.choose_labels(self.find_labels(get_examples())))
        try:
            self.require_labels()
        except MtnlpError:  # the head, where there is one, is that of the old labels
            self.set_labels(before)
            raise
        if "temperature" in self.cfg:  # fitted to weights that go now
            self.cfg["temperature"] = 1.0
        require_upstream(self.model, sample, self.name, nlp)
        encoder = self.model.get_ref("tok2vec")
        encoder.initialize(X=sample)
        self.cfg["width"] = find_width(encoder, sample)
        self.build()
        self.skipped_labels = Counter()
        count_classes = getattr(self.module, "count", None)
        units, counts = count_gold(
            lambda: self.checked(get_examples()), self.get_target, count_classes, nlp
        )
        self.cfg["units"] = units
        if counts is not None:
            self.module.set_counts(counts)

    def build(self) -> None:
        """Build the head from `cfg`."""
        head = self.model.get_ref("head")
        build_head(head, self.cfg["width"], **self.head_sizes())
        self.build_weighting()

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """One step on a batch.

        Only annotated Docs go through the head. The encoder is backpropagated into in any case,
        with zeros where nothing is annotated, because the last listener's backward pass is
        everybody's; the head's own parameters then have no gradient at all, since an optimizer
        with momentum or decay moves weights on zeros. Raises MtnlpError E315 where the encoder has
        neither given its batch nor left its vectors.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        if self._step_is_over:
            self.step_loss, self._step_is_over = 0.0, False
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        docs = [eg.predicted for eg in examples]
        if not any(len(doc) for doc in docs):
            return losses
        require_encoded(self.model, docs, self.name, is_train=True)
        set_dropout_rate(self.model, drop)
        vectors, backprop_vectors = self.model.get_ref("tok2vec").begin_update(docs)
        d_vectors = zeros_like(vectors)
        target = self.get_target(examples)
        self.count_skipped(examples)
        if target.rows:
            chosen = select(vectors, target.rows)
            (output, _), backprop_head = self.model.get_ref("head").begin_update(chosen)
            loss, d_output = self.get_loss_gradient(target, output)
            losses[self.name] += loss
            self.step_loss += loss
            for row, d_row in zip(target.rows, backprop_head(d_output), strict=True):
                d_vectors[row] = d_row
        backprop_vectors(d_vectors)
        if sgd not in (None, False):
            self.finish_update(sgd)
            if hasattr(sgd, "make_step"):  # it waits for further pipes, but this one is alone
                sgd.make_step()
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Step on the gradients there are; without any, the weights stay as they are.

        thinc leaves zeros behind, and a loss gives zeros to the task of a head that nobody
        annotated. The next step's momentum and decay would move weights on them, so they are
        taken away here.

        sgd: may have a step of its own for heads (`for_heads`), as `mtnlp.AdamW.v1` does.
        """
        self._step_is_over = True
        if not any(parameter.grad is not None for parameter in self.module.parameters()):
            return
        for parameter in self.module.parameters():
            if parameter.grad is not None and not parameter.grad.any():
                parameter.grad = None
        for_heads = getattr(sgd, "for_heads", sgd)
        concat_tok2vec.finish_update(self.model.get_ref("tok2vec"), sgd, for_heads)
        self.model.get_ref("head").finish_update(for_heads)
        self.module.zero_grad(set_to_none=True)

    def get_loss_gradient(self, target: Target, output: HeadOutput) -> Tuple[float, HeadOutput]:
        """The loss of a batch before weighting, divided by the expected units, and the gradient
        of the weighted one.

        The gradients of the loss's own parameters (CRF transitions) are left on them.
        """
        scores = output.scores.detach().requires_grad_()
        assert output.features is not None
        features = output.features.detach().requires_grad_()
        losses = self.head_losses(target, HeadOutput(scores, features))
        (self.weighted_loss(losses, target) / self.cfg["units"]).backward()
        assert scores.grad is not None
        loss = losses.detach().sum() / self.cfg["units"]
        return float(loss), HeadOutput(scores.grad, features.grad)

    def head_loss(self, target: Target, output: HeadOutput) -> torch.Tensor:
        """The head's summed loss over the annotated units of a batch, a scalar tensor."""
        return self.head_losses(target, output).sum()

    def get_loss(self, examples: Iterable[Example], scores: Any) -> Tuple[float, HeadOutput]:
        """The loss and its gradient for the output of the annotated Docs among the examples.

        scores: the `HeadOutput` of exactly the Docs that `get_target(examples).rows` names.
        """
        return self.get_loss_gradient(self.get_target(list(examples)), scores)

    @torch.no_grad()
    def loss_on(self, examples: Sequence[Example]) -> Tuple[float, float]:
        """The loss without training, for reports.

        examples: their predicted Docs have been through the encoder.
        RETURNS: the sum over annotated units, and their number.
        """
        target = self.get_target(examples)
        if not target.rows:
            return 0.0, 0.0
        docs = [examples[row].predicted for row in target.rows]
        require_encoded(self.model, docs, self.name)
        output, _ = self.model.predict(docs)
        return float(self.head_loss(target, output)), target.units

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """As `TrainablePipe.pipe`. It is called before any component of a pipeline runs, so that
        another's encoder, too, does not wait for the threads of a parent process."""
        use_one_thread_if_forked()
        return super().pipe(stream, batch_size=batch_size)

    @property
    def module(self) -> Any:
        """The head's torch module. Raises MtnlpError E205 where it has not been built."""
        return head_module(self.model.get_ref("head"))

    # Serialisation: the head is rebuilt from cfg before its weights are read. Settings go through
    # Python's json: spaCy's writes ten decimals and reads some numbers wrong in their last bit, and
    # a fitted threshold that is loaded would not be the one that was measured.

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """All of the pipe as a bytestring. Numbers in `cfg` come back exactly."""
        getters: Dict[str, Callable[[], Any]] = {
            "cfg": lambda: json.dumps(self.cfg),
            "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
            "model": lambda: self.model.to_bytes(),
        }
        return util.to_bytes(getters, exclude)

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write the pipe to a folder. Numbers in `cfg` come back exactly."""
        writers: Dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: Path(p).write_text(json.dumps(self.cfg, indent=2), encoding="utf8"),
            "vocab": lambda p: self.vocab.to_disk(p, exclude=exclude),
            "model": lambda p: self.model.to_disk(p),
        }
        util.to_disk(Path(path), writers, exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TorchPipe":
        """Load from a bytestring of `to_bytes`."""
        setters = {
            "cfg": lambda b: self.restore(json.loads(b)),
            "vocab": lambda b: self.vocab.from_bytes(b, exclude=exclude),
            "model": lambda b: self.model.from_bytes(b),
        }
        util.from_bytes(bytes_data, setters, exclude)
        return self

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "TorchPipe":
        """Load from a folder of `to_disk`."""
        setters: Dict[str, Callable[[Path], Any]] = {
            "vocab": lambda p: self.vocab.from_disk(p, exclude=exclude),
            "cfg": lambda p: self.restore(json.loads(Path(p).read_text(encoding="utf8"))),
            "model": lambda p: self.model.from_bytes(Path(p).read_bytes()),
        }
        util.from_disk(path, setters, exclude)
        return self

    def restore(self, cfg: Dict[str, Any]) -> None:
        """Take over a saved `cfg` and build the head it describes."""
        self.cfg.update(cfg)
        self.take_over_earlier_names()
        if self.cfg["width"] is not None:
            self.build()

    def take_over_earlier_names(self) -> None:
        """Move what `cfg` holds under an earlier name to the name of today. Only a saved `cfg` or
        somebody who sets it by hand has one, so it counts more than what is there."""
        for earlier, name in self.earlier_names.items():
            if earlier in self.cfg:
                self.cfg[name] = self.cfg.pop(earlier)
