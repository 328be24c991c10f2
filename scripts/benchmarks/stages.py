"""Where the time of a prediction goes: microseconds per word and stage, beside the bare encoder.

    python -m scripts.benchmarks.stages MODEL corpus/test/conll.spacy --batch-size 64 --threads 1

With one thread, counted is the time of the process on the processor, which is the time it takes:
other programs disturb it little. With several, an engine works beside the components, so that there
are no stages: counted is the time by the clock, of all and of the bare encoder.
"""

import sys
import time
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Callable, Dict, Iterator, List, Sequence, Tuple

import numpy as np
import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.data.reading import bare_doc, open_docbin
from mtnlp.models import windowed_model
from mtnlp.models.precision import instruction_set
from mtnlp.models.windowed_model import WindowedTransformerModel
from mtnlp.models.wordpieces import Windower
from mtnlp.reports.tables import Table, print_tables
from mtnlp.training.timing import PhaseTimer

NETWORK, AROUND = "network", "groups, padding, unpadding"
TOKENIZER, ALIGNMENT = "tokenizer", "alignment, windows"
REST = "spaCy: tokens, batches"
# Of a call of the bare encoder: what is fastest on most processors.
IDEAL_PIECES = 1000
Clock = Callable[[], float]
app = verb_app()


def watch(nlp: Language, timer: PhaseTimer) -> None:
    """Put a timer over the stages of a pipeline, for as long as this process lives."""
    patch(Windower, "__call__", timer, ALIGNMENT)
    patch(windowed_model, "encode_windows", timer, AROUND)
    for name, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if isinstance(model, WindowedTransformerModel):
            watch_network(model, timer)
            patch(type(model.tokenizer), "__call__", timer, TOKENIZER)
        if hasattr(pipe, "predict"):
            for method, stage in (("predict", "predict"), ("set_annotations", "write")):
                patch(pipe, method, timer, f"{name}: {stage}")


def watch_network(model: WindowedTransformerModel, timer: PhaseTimer) -> None:
    """Time what computes: the shim's prediction, or an engine's network."""
    if model.runner is None:
        patch(model.layers[0].shims[0], "predict", timer, NETWORK)
    else:
        patch(type(model.runner), "__call__", timer, NETWORK)


def patch(owner: Any, name: str, timer: PhaseTimer, stage: str) -> None:
    """Time a method or function under a stage."""
    setattr(owner, name, timer.timed(stage, getattr(owner, name)))


def read(nlp: Language, path: Path, count: int) -> List[Doc]:
    """The first documents of a file, as the pipeline gets to read them."""
    docs = list(open_docbin(path).get_docs(nlp.vocab))[:count]
    return [bare_doc(nlp, doc) for doc in docs]


def run_pipe(nlp: Language, docs: Sequence[Doc], batch_size: int) -> None:
    """One pass."""
    for _ in nlp.pipe([doc.copy() for doc in docs], batch_size=batch_size):
        pass


def bare_encoder(
    model: WindowedTransformerModel, docs: Sequence[Doc], batch_size: int
) -> Callable[[], None]:
    """A pass of tokenizer and network alone, windows sorted by length, in ideal batches; with a
    batch size of 1 a document at a time."""

    def run() -> None:
        for begin in range(0, len(docs), 1 if batch_size == 1 else len(docs)):
            encode(docs[begin : begin + (1 if batch_size == 1 else len(docs))])

    def encode(docs: Sequence[Doc]) -> None:
        windows = model.windower(list(docs))
        starts = np.cumsum(windows.lengths) - windows.lengths
        order = np.argsort(-windows.lengths, kind="stable")
        shim: Any = model.layers[0].shims[0]
        encoder: Any = shim._model
        begin = 0
        while begin < len(order):
            longest = int(windows.lengths[order[begin]])
            group = order[begin : begin + max(1, IDEAL_PIECES // longest)]
            real = np.arange(longest) < windows.lengths[group][:, None]
            ids = np.zeros(real.shape, dtype=np.int64)
            ids[real] = windows.ids[(starts[group][:, None] + np.arange(longest))[real]]
            if model.runner is not None:
                model.runner(encoder, ids, real)
            else:
                is_bf16 = model.engine_info.precision == "bf16"
                with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
                    mask = torch.from_numpy(real.astype("int64"))
                    encoder(input_ids=torch.from_numpy(ids), attention_mask=mask)
            begin += len(group)

    return run


def seconds_of(runs: Sequence[Callable[[], None]], passes: int, clock: Clock) -> List[float]:
    """Of the median pass of each, in turn, after one that does not count."""
    found: List[List[float]] = [[] for _ in runs]
    for _ in range(1 + passes):
        for run, seconds in zip(runs, found, strict=True):
            start = clock()
            run()
            seconds.append(clock() - start)
    return [median(seconds[1:]) for seconds in found]


def stage_rows(
    nlp: Language, docs: Sequence[Doc], batch_size: int
) -> Iterator[Tuple[str, float, str]]:
    """Seconds and share of each stage, the longest first, then of all of them."""
    timer = PhaseTimer(clock=time.process_time)
    watch(nlp, timer)
    run_pipe(nlp, docs, batch_size)
    timer.reset()
    start = time.process_time()
    run_pipe(nlp, docs, batch_size)
    total = time.process_time() - start
    stages: Dict[str, float] = dict(timer.seconds)
    stages[REST] = total - sum(stages.values())
    for name, seconds in sorted(stages.items(), key=lambda item: -item[1]):
        yield name, seconds, f"{seconds / total:.1%}"
    yield "all, watched", total, ""


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline's folder.")],
    corpus: Annotated[Path, typer.Argument(help="A .spacy file; its first documents are read.")],
    documents: Annotated[int, typer.Option(min=1, help="Documents of a pass.")] = 500,
    batch_size: Annotated[int, typer.Option(min=1, help="Documents at a time.")] = 64,
    passes: Annotated[int, typer.Option(min=1, help="Passes that count.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    precision: Annotated[str, typer.Option(help="fp32, bf16 or auto.")] = "fp32",
) -> None:
    """Where the time of a prediction goes, beside the bare encoder."""
    torch.set_num_threads(threads)
    nlp = spacy.load(model, config={"components.transformer.model.threads": threads})
    encoder: Any = nlp.get_pipe("transformer").model  # type: ignore[attr-defined]
    if encoder.runner is None:
        encoder.precision = precision
    docs = read(nlp, corpus, documents)
    words = sum(map(len, docs))
    runs = [bare_encoder(encoder, docs, batch_size), lambda: run_pipe(nlp, docs, batch_size)]
    clock: Clock = time.process_time if threads == 1 else time.perf_counter
    bare, whole = seconds_of(runs, passes, clock)
    table = Table(f"{encoder.engine_info}", ["stage", "µs per word", "share"])
    if threads == 1:
        for name, seconds, share in stage_rows(nlp, docs, batch_size):
            table.rows.append([name, 1e6 * seconds / words, share])
    table.rows.append(["all", 1e6 * whole / words, ""])
    table.rows.append(["bare encoder and tokenizer", 1e6 * bare / words, f"{bare / whole:.1%}"])
    print_tables([table])
    print(f"{len(docs)} documents, {words} words, batches of {batch_size}; {instruction_set()}")


if __name__ == "__main__":
    app()
