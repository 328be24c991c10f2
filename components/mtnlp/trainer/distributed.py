"""Data-parallel training over torch.distributed: processes, and the sum of their gradients.

Start with `torchrun --nproc-per-node N -m mtnlp train …`. Each process has the whole pipeline and
takes its share of every batch. The pipes' losses are sums divided by a constant, so the sum of the
processes' gradients is the gradient of the whole batch, and a training with N processes is the
training with one.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Callable, Dict, Iterator, List, Sequence, cast

import torch
import torch.distributed as dist
from spacy.language import Language
from spacy.training import Example
from thinc.api import torch2xp, xp2torch
from thinc.types import FloatsXd

from .weights_state import thinc_parameters, torch_modules

# The others wait while one evaluates. Where one ends with an error, torchrun ends them all.
PATIENCE = timedelta(days=1)


@dataclass(frozen=True)
class Processes:
    """The processes that train together. rank: which of them this is, from 0. count: how many."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that evaluates, logs and writes."""
        return self.rank == 0

    def deal(self, batch: Sequence[Example]) -> List[Example]:
        """This process's share of a batch; shares have about the same number of tokens each."""
        if self.count == 1:
            return list(batch)
        return sorted(batch, key=lambda example: len(example.predicted))[self.rank :: self.count]

    def broadcast(self, make: Callable[[], Any]) -> Any:
        """What the first process makes, in every process. The others wait for it."""
        if self.count == 1:
            return make()
        box = [make() if self.is_first else None]
        dist.broadcast_object_list(box)
        return box[0]

    def gather(self, value: Any) -> List[Any]:
        """Every process's value, in order, in every process."""
        if self.count == 1:
            return [value]
        values: List[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values

    def sum(self, values: Dict[str, float]) -> Dict[str, float]:
        """The sums of all processes' values by name."""
        total: Dict[str, float] = {}
        for part in self.gather(values):
            for name, value in part.items():
                total[name] = total.get(name, 0.0) + value
        return total


@contextmanager
def processes_of_torchrun(use_gpu: bool) -> Iterator[Processes]:
    """The processes that `torchrun` has started, connected within the block; else this one alone.

    use_gpu: nccl in place of gloo.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    dist.init_process_group("nccl" if use_gpu else "gloo", timeout=PATIENCE)
    try:
        yield Processes(dist.get_rank(), count)
    finally:
        dist.destroy_process_group()


def local_gpu(use_gpu: int) -> int:
    """The GPU of this process: the one named, or with several processes one each.

    use_gpu: as given on the command line, -1 for the CPU.
    """
    if use_gpu < 0 or int(os.environ.get("LOCAL_WORLD_SIZE", "1")) == 1:
        return use_gpu
    return int(os.environ["LOCAL_RANK"])


@torch.no_grad()
def send_weights(nlp: Language) -> None:
    """Give every process the weights of the first."""
    for _, _, module in torch_modules(nlp):
        for value in module.state_dict().values():
            dist.broadcast(value, 0)
    for _, node, name in thinc_parameters(nlp):
        value = xp2torch(node.get_param(name)).contiguous()
        dist.broadcast(value, 0)
        node.set_param(name, cast(FloatsXd, torch2xp(value)))


@torch.no_grad()
def sum_gradients(nlp: Language) -> None:
    """Put the sum of all processes' gradients in place of each process's own.

    A share of a batch may lack a task, or be empty: a gradient that is missing counts as zero, and
    one that is missing everywhere stays missing.
    """
    parameters = [
        parameter
        for _, _, module in torch_modules(nlp)
        for parameter in module.parameters()
        if parameter.requires_grad
    ]
    layers = [(node, name) for _, node, name in thinc_parameters(nlp)]
    # Those that `mtnlp.TaskGradients.v1` keeps apart are not the parameters' own yet.
    apart = [watch for _, pipe in nlp.pipeline if (watch := getattr(pipe, "task_gradients", None))]
    own: List[Any] = [parameter.grad for parameter in parameters]
    own += [xp2torch(node.get_grad(name)) if node.has_grad(name) else None for node, name in layers]
    own += [gradient for watch in apart for gradient in watch.flat_gradients()]
    shapes = [parameter.shape for parameter in parameters]
    shapes += [torch.Size(node.get_param(name).shape) for node, name in layers]
    shapes += [shape for watch in apart for shape in watch.flat_shapes()]
    summed = iter(sum_tensors(own, shapes, device_of(parameters)))
    for parameter, gradient in zip(parameters, summed, strict=False):
        parameter.grad = None if gradient is None else gradient.to(parameter.dtype)
    for (node, name), gradient in zip(layers, summed, strict=False):
        if gradient is not None:
            node.set_grad(name, cast(FloatsXd, torch2xp(gradient)))
    for watch in apart:
        watch.set_flat_gradients(summed)


def device_of(parameters: Sequence[torch.nn.Parameter]) -> torch.device:
    """Where the gradients meet."""
    return parameters[0].device if parameters else torch.device("cpu")


def sum_tensors(
    own: Sequence[Any], shapes: Sequence[torch.Size], device: torch.device
) -> List[Any]:
    """The sums over all processes of float32 tensors, each None where it is None everywhere.

    own: this process's tensors, or None. shapes: of all, the same in every process.
    """
    present = torch.tensor([float(value is not None) for value in own], device=device)
    dist.all_reduce(present, dist.ReduceOp.MAX)
    chosen = [i for i, there in enumerate(present.tolist()) if there]
    if not chosen:
        return [None] * len(own)
    # One message: its cost is the network's, not that of a hundred small ones.
    flat = torch.cat(
        [
            torch.zeros(shapes[i].numel(), device=device)
            if own[i] is None
            else own[i].reshape(-1).float().to(device)
            for i in chosen
        ]
    )
    dist.all_reduce(flat)
    summed: List[Any] = [None] * len(own)
    for i, part in zip(chosen, flat.split([shapes[i].numel() for i in chosen]), strict=True):
        summed[i] = part.reshape(shapes[i]).clone()
    return summed


class WithSummedGradients:
    """A pipeline as spaCy's loop sees it in data-parallel training.

    The loop updates (`nlp.update`, on no batch at all where the share is empty), then asks for
    `nlp.pipeline`, once per step, to call `finish_update` of its pipes: that is where gradients are
    summed.
    """

    def __init__(self, nlp: Language, is_training: Callable[[], bool]) -> None:
        self._nlp = nlp
        self._is_training = is_training

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nlp, name)

    @property
    def pipeline(self) -> Any:
        """The pipes, their gradients those of the whole batch."""
        if self._is_training():
            sum_gradients(self._nlp)
        return self._nlp.pipeline
