"""The tasks' gradients on the shared encoder, one by one: `mtnlp.TaskGradients.v1`."""

import dataclasses
from functools import partial, reduce
from itertools import combinations, islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

import torch
from spacy.language import Language
from spacy.training import Example, validate_examples
from spacy_transformers.data_classes import TransformerData
from spacy_transformers.layers import TransformerListener
from thinc.api import Optimizer, set_dropout_rate
from transformers.file_utils import ModelOutput

from ..errors import Errors, MtnlpError
from ..log import logger
from ..models.doc_data import EncodedBatch
from ..models.windowed_model import WindowedTransformerModel
from .pcgrad import (
    Gradient,
    add_weighted,
    cosine_matrix,
    gram_matrix,
    pcgrad_weights,
    random_orders,
)

# What a watched component has beside its own.
ATTRIBUTES = ("task_gradients", "update", "finish_update", "gradient_norms", "gradient_cosines")


def create_task_gradients_v1(
    every: int = 100, pcgrad: bool = False, seed: int = 0, component: str = "transformer"
) -> Callable[..., None]:
    """A callback for `[training.before_update]`, or, where another one stands there, for
    `[initialize.after_init]`: measures whether components pull the shared encoder apart.

    The gradient of each component on the encoder's weights is computed by itself, and the log
    says the norm of each and the cosine between each two. They also stand in the attributes
    `gradient_norms` and `gradient_cosines` of the transformer component. Measuring changes nothing
    in what is learnt, to the bit.

    With `pcgrad`, each component's gradient is projected onto the plane normal to those it
    conflicts with before they are added up (PCGrad; Yu et al., 2020), on the weights of the shared
    encoder alone. Under `accumulate_gradient` the gradients of all sub-batches come first.

    Cost: the encoder's backward pass is run once for each component annotated in the batch, plus
    once where only measured, and each one's gradient takes as much memory as the encoder's
    weights: with `pcgrad` in every step, else in every n-th. The other steps cost nothing.

    every: steps from one measurement to the next.
    seed: of the order in which gradients are projected, drawn anew each step.
    component: the name of the shared encoder.

    Raises: MtnlpError E443 for an `every` below 1, and, when called, E442 for an encoder that is
    not `mtnlp.TransformerModel.v1`.
    """
    if every < 1:
        raise MtnlpError(Errors.E443.format(every=every))
    settings = Settings(every, pcgrad, seed)

    def watch_gradients(nlp: Language, args: Optional[Dict[str, Any]] = None) -> None:
        pipe: Any = nlp.get_pipe(component)
        installed = pipe.__dict__.get("task_gradients")
        if installed is None or installed.settings != settings:
            remove_task_gradients(nlp, component)
            installed = TaskGradients(pipe, settings)
        if args is not None:  # the training loop counts, also when it goes on from a checkpoint
            installed.step = args["step"]

    return watch_gradients


def remove_task_gradients(nlp: Language, component: str = "transformer") -> None:
    """Let a transformer component train as if it had never been watched. component: its name."""
    pipe: Any = nlp.get_pipe(component)
    if "task_gradients" in pipe.__dict__:
        for name in ATTRIBUTES:
            delattr(pipe, name)


class Settings(NamedTuple):
    """The arguments of `mtnlp.TaskGradients.v1`."""

    every: int
    pcgrad: bool
    seed: int


class TaskGradients:
    """Takes the place of `update` and `finish_update` of one transformer component.

    The component, its listeners and their data stay spacy-transformers'. In a step that is
    neither measured nor changed the component's own methods do the work.

    gradients: of the step under way, each component's, over all the encoder's parameters.
    """

    def __init__(self, pipe: Any, settings: Settings):
        """pipe: a `transformer`. Raises: MtnlpError E442 where its model cannot go back twice."""
        if not isinstance(pipe.model, WindowedTransformerModel):
            raise MtnlpError(Errors.E442.format(name=pipe.name))
        self.pipe = pipe
        self.settings = settings
        self.step = 0
        self.gradients: Dict[str, Gradient] = {}
        self.plain_update = pipe.update
        self.plain_finish_update = pipe.finish_update
        pipe.task_gradients = self
        pipe.update = self.update
        pipe.finish_update = self.finish_update
        pipe.gradient_norms = {}
        pipe.gradient_cosines = {}

    @property
    def is_measured(self) -> bool:
        """Whether this step is one of every n."""
        return self.step % self.settings.every == 0

    @property
    def is_active(self) -> bool:
        """Whether this step's gradients are kept apart."""
        return self.settings.pcgrad or self.is_measured

    @property
    def parameters(self) -> List[torch.nn.Parameter]:
        """The encoder's."""
        return list(self.pipe.model.layers[0].shims[0]._model.parameters())

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """As `Transformer.update`, but what the listeners hand back is kept apart by component."""
        if not self.is_active:
            return self.plain_update(examples, drop=drop, sgd=sgd, losses=losses)
        examples = list(examples)
        validate_examples(examples, "TaskGradients.update")
        losses = {} if losses is None else losses
        docs = [eg.predicted for eg in examples]
        if not any(len(doc) for doc in docs):
            return losses
        losses.setdefault(self.pipe.name, 0.0)
        set_dropout_rate(self.pipe.model, drop)
        encoded, backprop = self.pipe.model.begin_update(docs)
        received: Dict[str, EncodedBatch] = {}

        def receive(component: str, is_last: bool, gradients: List[TransformerData]) -> Any:
            gradient = encoded.unsplit_by_doc([list(part.tensors) for part in gradients])
            losses[self.pipe.name] += squared_norm(gradient)
            known = received.get(component)
            received[component] = gradient if known is None else add(known, gradient)
            if not is_last:
                return None
            self.backprop(received, backprop)
            received.clear()
            if sgd not in (None, False):
                self.finish_update(sgd)
            return docs

        batch_id = TransformerListener.get_batch_id(docs)
        listeners = [
            (component, listener)
            for component, listeners in self.pipe.listener_map.items()
            for listener in listeners
        ]
        for i, (component, listener) in enumerate(listeners, 1):
            callback = partial(receive, component, i == len(listeners))
            listener.receive(batch_id, encoded.doc_data, callback)
        return losses

    def backprop(self, received: Dict[str, EncodedBatch], backprop: Callable[..., Any]) -> None:
        """Go back through the encoder once per component, and, where this is only to measure, with
        the sum as well, whose gradient is the one that counts.

        received: the gradient of the encoder's output by component. backprop: the encoder's.
        """
        parameters = self.parameters
        own = [parameter.grad for parameter in parameters]
        # Some have nothing annotated here, and zeros to give.
        present = {name: part for name, part in received.items() if squared_norm(part)}
        passes = len(present) + (not self.settings.pcgrad)
        for i, (component, gradient) in enumerate(present.items(), 1):
            known = self.gradients.get(component, [None] * len(parameters))
            set_gradients(parameters, known)
            backprop(gradient, retain_graph=i < passes)
            self.gradients[component] = [parameter.grad for parameter in parameters]
        set_gradients(parameters, own)
        if not self.settings.pcgrad:
            backprop(reduce(add, received.values()))

    def finish_update(self, sgd: Optimizer) -> None:
        """Take stock of the step's gradients, put them together if that is asked for, and step."""
        if self.gradients:
            order = [name for name in self.pipe.listener_map if name in self.gradients]
            self.gradients = {name: self.gradients[name] for name in order}
            gram = gram_matrix(list(self.gradients.values()))
            self.note(gram)
            if self.settings.pcgrad:
                orders = random_orders(len(gram), self.settings.seed, self.step)
                weights = pcgrad_weights(gram, orders).tolist()
                add_weighted(self.parameters, list(self.gradients.values()), weights)
            self.gradients = {}
        self.step += 1
        self.plain_finish_update(sgd)

    def flat_gradients(self) -> Gradient:
        """The gradients kept apart so far, component after component, in an order that does not
        depend on what a batch has; none in a step that is neither measured nor changed."""
        if not self.is_active:
            return []
        missing: Gradient = [None] * len(self.parameters)
        parts = [self.gradients.get(name, missing) for name in self.pipe.listener_map]
        return [gradient for part in parts for gradient in part]

    def flat_shapes(self) -> List[torch.Size]:
        """The shapes of `flat_gradients`."""
        if not self.is_active:
            return []
        return len(self.pipe.listener_map) * [parameter.shape for parameter in self.parameters]

    def set_flat_gradients(self, gradients: Iterator[Optional[torch.Tensor]]) -> None:
        """Put others in place of `flat_gradients`. gradients: as many are taken from it."""
        if self.is_active:
            for name in self.pipe.listener_map:
                part = list(islice(gradients, len(self.parameters)))
                if any(gradient is not None for gradient in part):
                    self.gradients[name] = part

    def note(self, gram: Any) -> None:
        """Keep norms and cosines on the component, and log them in a step of every n.

        gram: inner products of `gradients`. Cosines with a gradient of zero are left out.
        """
        names = list(self.gradients)
        norms = dict(zip(names, (gram.diagonal() ** 0.5).tolist(), strict=True))
        cosines = cosine_matrix(gram)
        self.pipe.gradient_norms = norms
        self.pipe.gradient_cosines = {
            (names[i], names[j]): float(cosines[i, j])
            for i, j in combinations(range(len(names)), 2)
            if norms[names[i]] and norms[names[j]]
        }
        if self.is_measured:
            logger.info("Step %d, %s", self.step, describe(norms, self.pipe.gradient_cosines))


def describe(norms: Dict[str, float], cosines: Dict[Tuple[str, str], float]) -> str:
    """Norms and cosines as a line of the log."""
    sizes = ", ".join(f"{name} {norm:.3g}" for name, norm in norms.items())
    angles = ", ".join(f"{one}/{other} {value:+.2f}" for (one, other), value in cosines.items())
    return f"gradients on the encoder: {sizes}; cosines: {angles or 'none'}"


def set_gradients(parameters: List[torch.nn.Parameter], gradients: Gradient) -> None:
    """Let the parameters have these gradients."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient


def states(batch: EncodedBatch) -> Dict[str, torch.Tensor]:
    """The tensors of a batch, by layer."""
    return dict(batch.model_output.items())


def squared_norm(gradient: EncodedBatch) -> float:
    """The sum of a gradient's squares."""
    return sum(float(part.square().sum()) for part in states(gradient).values())


def add(one: EncodedBatch, other: EncodedBatch) -> EncodedBatch:
    """The sum of two gradients."""
    parts = {name: part + states(other)[name] for name, part in states(one).items()}
    return dataclasses.replace(one, model_output=ModelOutput(parts))
