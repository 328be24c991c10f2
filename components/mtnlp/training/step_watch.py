"""What spaCy's training loop does not hand to a logger: words, time, rates and gradients of a step.

spaCy gives a logger the pipeline, not the optimizer and not the batch. Both pass through the
pipeline's own methods, and there they are seen: `nlp.update` gets the examples, each component's
`finish_update` the optimizer, while the gradients it will step on are still there.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

import torch
from spacy.language import Language
from spacy.training import Example
from thinc.api import Model, get_array_module

from .timing import PhaseTimer, WatchedMethods

STEP = "step"


@dataclass
class Step:
    """What one step of the optimizer was.

    count: itself, and before it those of a checkpoint that a resumed training has gone through
    again. words: of its examples, counted as spaCy does. seconds: from its first update on, without
    evaluation and saving. learn_rates: in force in it, of "encoder" and "heads". gradient_norms: by
    component, of all its parameters together. gradient_norm: of all components, before clipping.
    """

    count: int = 1
    words: int = 0
    seconds: float = 0.0
    learn_rates: Dict[str, float] = field(default_factory=dict)
    gradient_norms: Dict[str, float] = field(default_factory=dict)
    gradient_norm: Optional[float] = None


class StepWatch:
    """Watches the steps of a pipeline's training until `close`.

    components: the names of those that are trained. norms: whether to measure gradients, one pass
    over them per step; the norm that an optimizer itself reports (`gradient_norm`) is read anyway.
    optimizer: the one that steps, once it has been seen.
    """

    def __init__(self, nlp: Language, components: Sequence[str], *, norms: bool = True):
        self.optimizer: Any = None
        self._norms = norms
        self._step = Step()
        self._finished: Counter[str] = Counter()
        # Waiting for a GPU in every step would slow the training down.
        self._timer = PhaseTimer(synchronize=False)
        self._methods = WatchedMethods()
        self._methods.wrap(nlp, "update", self._watch_update)
        self._methods.wrap(nlp, "evaluate", self._watch_evaluate)
        for name in components:
            pipe: Any = nlp.get_pipe(name)
            watch = self._watch_finish(name, pipe)
            # `mtnlp.TaskGradients.v1` puts gradients together before it calls the plain method.
            gradients = getattr(pipe, "task_gradients", None)
            if gradients is None:
                self._methods.wrap(pipe, "finish_update", watch)
            else:
                self._methods.wrap(gradients, "plain_finish_update", watch)

    def read(self) -> Step:
        """The step that has just been made; the next one begins with the next update."""
        self._timer.stop()
        step, self._step = self._step, Step()
        step.seconds = self._timer.seconds.pop(STEP, 0.0)
        step.count = max(self._finished.values(), default=1)
        self._finished.clear()
        if step.learn_rates and hasattr(self.optimizer, "learn_rates"):
            # It knows those of the step it has made; before that it knew those of the last one.
            step.learn_rates = learn_rates(self.optimizer)
        own = getattr(self.optimizer, "gradient_norm", None)
        if own is not None:
            step.gradient_norm = float(own)
        elif step.gradient_norms:
            step.gradient_norm = sum(norm**2 for norm in step.gradient_norms.values()) ** 0.5
        return step

    def close(self) -> None:
        """Leave the pipeline's methods as they were."""
        self._methods.close()

    def _watch_update(self, update: Callable) -> Callable:
        def watched(examples: Iterable[Example], *args: Any, **kwargs: Any) -> Any:
            batch: List[Example] = list(examples)
            self._timer.start(STEP)
            self._step.words += sum(len(example) for example in batch)
            return update(batch, *args, **kwargs)

        return watched

    def _watch_evaluate(self, evaluate: Callable) -> Callable:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._timer.stop()
            return evaluate(*args, **kwargs)

        return watched

    def _watch_finish(self, name: str, pipe: Any) -> Callable[[Callable], Callable]:
        def wrap(finish_update: Callable) -> Callable:
            def watched(sgd: Any) -> Any:
                self.optimizer = sgd
                self._finished[name] += 1
                self._step.learn_rates = learn_rates(sgd)
                if self._norms:
                    self._step.gradient_norms[name] = gradient_norm(pipe.model)
                return finish_update(sgd)

            return watched

        return wrap


def learn_rates(optimizer: Any) -> Dict[str, float]:
    """The rates in force, of "encoder" and "heads": what the optimizer says (`learn_rates`), else
    its one rate, times `head_factor` for heads where it has one. {} where it has no rate."""
    given = getattr(optimizer, "learn_rates", None)
    if given is not None:
        return {name: float(rate) for name, rate in given.items()}
    rate = getattr(optimizer, "learn_rate", None)
    if rate is None:
        return {}
    factor = getattr(optimizer, "head_factor", 1.0)
    return {"encoder": float(rate), "heads": float(rate) * float(factor)}


def gradient_norm(model: Model) -> float:
    """The Euclidean norm of all gradients that wait in a model, thinc's own and torch's."""
    squares = [torch.zeros(())]
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name) and node.has_grad(name):
                gradient = node.get_grad(name)
                flat = get_array_module(gradient).ravel(gradient)
                squares.append(torch.tensor(float(flat @ flat)))
        for shim in node.shims:
            module = getattr(shim, "_model", None)
            if isinstance(module, torch.nn.Module):
                waiting = (p.grad for p in module.parameters() if p.grad is not None)
                squares += [gradient.float().square().sum() for gradient in waiting]
    device = squares[-1].device
    return float(torch.stack([square.to(device) for square in squares]).sum().sqrt())
