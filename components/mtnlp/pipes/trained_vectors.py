"""What trains the vectors of `sentence_vectors`: its objectives."""

from typing import Any, Callable, Dict, Iterable, List, Mapping, Sequence, Tuple, Unpack, cast

import torch
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ..annotation.layers import describe
from ..annotation.pairs import side_stops
from ..errors import Errors, MtnlpError
from ..gold.targets import Target
from ..log import logger
from ..models.listener import require_encoder_output
from ..ranges import SIZE, require
from ..types import HeadOutput
from .base import TorchPipe
from .objectives.base import DocObjective, Objective, PairObjective
from .pooled_sides import Pooled, begin_pooling, pool_sides
from .settings import CommonSettings
from .vector_targets import VectorTarget, objective_loss, vector_target


class TrainedVectors(TorchPipe):
    """A pipe whose tasks are its objectives, and whose head gives a vector for each row: a Doc or,
    where that holds several texts, one of them (see `pooled_sides`)."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        objectives: Mapping[str, Objective],
        dims: Sequence[int],
        store_tensor: bool,
        **common: Unpack[CommonSettings],
    ):
        """Arguments as for `make_sentence_vectors`. Raises: MtnlpError E330, E440, E441, E754."""
        self.objectives = dict(objectives)
        for key, objective in self.objectives.items():
            if not isinstance(objective, (DocObjective, PairObjective)):
                found = type(objective).__name__
                raise MtnlpError(Errors.E754.format(name=name, objective=key, found=found))
        for dim in dims:
            require(name, SIZE, dims=dim)
        weights = {key: objective.weight for key, objective in self.objectives.items()}
        settings: Dict[str, Any] = {"store_tensor": store_tensor, "dims": list(dims)}
        super().__init__(vocab, model, name, task_weights=weights, **common, **settings)
        self._is_trained = False

    @property
    def task_names(self) -> List[str]:
        return list(self.objectives)

    def build(self) -> None:
        """As any other pipe. Raises: MtnlpError E758 for a prefix beyond the width."""
        super().build()
        width, dims = self.module.projection.output_width, self.cfg.get("dims", [])
        if any(dim > width for dim in dims):
            raise MtnlpError(Errors.E758.format(name=self.name, dims=dims, width=width))

    def get_target(self, examples: Sequence[Example]) -> VectorTarget:
        """Raises: MtnlpError E756 for a pair without a separator."""
        return vector_target(examples, self.objectives, self.name)

    def task_units(self, target: Target) -> List[float]:
        return [float(len(own.gold)) for own in cast(VectorTarget, target).chosen]

    def begin_encoder(self, docs: List[Doc]) -> Tuple[Any, Callable[[Any], Any]]:
        """A row for each side of each Doc. Raises: MtnlpError E759 for an encoder that has not read
        them apart."""
        if not self.objectives:
            return super().begin_encoder(docs)
        vectors, counts, backprop = begin_pooling(self.model.get_ref("tok2vec"), docs)
        for doc, count in zip(docs, counts, strict=True):
            if count != len(side_stops(doc)):
                raise MtnlpError(Errors.E759.format(name=self.name, start=describe(doc)))
        return vectors, backprop

    def has_gradient(self) -> bool:
        """A head may have no weights, while the pooler, or an encoder of its own, has some. Zeros
        are of units that have nobody to be compared with: they train nothing."""
        for node in self.model.walk():
            modules = (getattr(shim, "_model", None) for shim in node.shims)
            for module in modules:
                weights = module.parameters() if isinstance(module, torch.nn.Module) else ()
                if any(one.grad is not None and bool(one.grad.any()) for one in weights):
                    return True
            names = (name for name in node.param_names if node.has_grad(name))
            if any(bool(node.get_grad(name).any()) for name in names):
                return True
        for parameter in self.module.parameters():
            parameter.grad = None
        return False

    def head_losses(self, target: Target, output: HeadOutput) -> torch.Tensor:
        """`[objectives]`: the loss of each, summed over its units."""
        chosen, dims = cast(VectorTarget, target).chosen, self.cfg["dims"]
        return torch.stack(
            [
                objective_loss(objective, own, output.scores, dims)
                for objective, own in zip(self.objectives.values(), chosen, strict=True)
            ]
        )

    @torch.no_grad()
    def loss_on(self, examples: Sequence[Example]) -> Tuple[float, float]:
        """As for any other pipe; objectives that compare the units of a batch do so here."""
        target = self.get_target(examples)
        if not target.doc_indices:
            return 0.0, 0.0
        _, scores = self.encode([example.predicted for example in examples])
        output = HeadOutput(scores[target.doc_indices], None)
        return float(self.head_loss(target, output)), target.units

    def log_initialized(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        """The log warns of objectives without gold, and of a projection that nothing trains."""
        unused = dict(self.objectives)
        for example in get_examples() if unused else ():
            for key, objective in list(unused.items()):
                if objective.read(example.reference, self.name) is not None:
                    del unused[key]
            if not unused:
                break
        for key, objective in unused.items():
            told = {"name": self.name, "objective": key, "needs": objective.needs}
            logger.warning(Errors.W750.format(**told))
        linear = self.module.projection.linear
        if linear is not None and len(unused) == len(self.objectives):
            sizes = {"width": linear.out_features, "own": linear.in_features}
            # To the same width it begins as the identity.
            if sizes["width"] != sizes["own"]:
                logger.warning(Errors.W314.format(name=self.name, **sizes))

    def encode(self, docs: List[Doc]) -> Tuple[Pooled, torch.Tensor]:
        """What the pooler makes of Docs, and the vectors of its rows, `[rows, width]`. Raises:
        MtnlpError E310 as `predict`."""
        require_encoder_output(self.model, docs, self.name)
        pooled = pool_sides(self.model.get_ref("tok2vec"), docs)
        output, _ = self.model.get_ref("head").predict(pooled.vectors)
        return pooled, output.scores
