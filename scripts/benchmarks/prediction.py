"""Words/s of a joint pipeline with all of its answers, beside what gives them otherwise.

    python -m scripts.benchmarks.prediction MODEL corpus/test/conll.spacy --optimized FAST

The contenders, turn by turn in one process: MODEL in torch's fp32; what `mtnlp optimize` made of
it; four Hugging Face pipelines, together; spaCy's own `ner` and `textcat`; sentence-transformers in
fp32 and its int8 forms, which give vectors alone. Needs sentence-transformers; for its int8 forms
optimum-onnx and optimum-intel, too.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Callable, Dict, List, Optional, Sequence

import spacy
import torch
import typer
from spacy.language import Language
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.data.reading import bare_doc, open_docbin
from mtnlp.models.precision import instruction_set
from mtnlp.reports.tables import Table, print_tables
from scripts.benchmarks.peers.hf_pipelines import BATCH_SIZE, CHUNK, FourPipelines
from scripts.benchmarks.peers.sentence_backends import load_backends
from scripts.benchmarks.pipeline_speed import PipelineContender, SpeedWorkload

# What a contender does in a turn.
Run = Callable[[], Any]
OURS = "joint pipeline, torch fp32"
SPACY = Path("configs/compare/spacy_ner_textcat.cfg")
# As many as of the multi-label corpus with the most.
CLASSES = 28
app = verb_app()


def pass_over(nlp: Language, texts: Sequence[str], batch_size: int) -> Run:
    """From texts to all answers."""

    def run() -> None:
        for _ in nlp.pipe(texts, batch_size=batch_size):
            pass

    return run


def spacys_own(train: Path, backbone: str) -> Language:
    """spaCy's `ner` and `textcat`, trained for as many steps as its parser needs to find entities:
    enough for speed."""
    overrides: Dict[str, Any] = {
        "paths.backbone": backbone,
        "paths.train": str(train),
        "paths.dev": str(train),
        "training.batcher.size": 2000,
    }
    contender = PipelineContender(SPACY, overrides, SpeedWorkload(steps=60, documents=1))
    contender.train()
    return contender.nlp


def take_turns(runs: Dict[str, Run], rounds: int) -> Dict[str, List[float]]:
    """Seconds of each contender's rounds, after one that does not count."""
    found: Dict[str, List[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            if number:
                found[name].append(time.perf_counter() - begin)
    return found


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="A trained pipeline with a component `ner`.")],
    corpus: Annotated[Path, typer.Argument(help="A .spacy file; its first documents are read.")],
    optimized: Annotated[
        Optional[List[Path]], typer.Option(help="A pipeline of `mtnlp optimize`; repeatable.")
    ] = None,
    backbone: Annotated[str, typer.Option(help="The encoder's folder.")] = (
        "assets/backbone/all-MiniLM-L6-v2"
    ),
    train: Annotated[
        Optional[Path],
        typer.Option(help="A folder of .spacy files that spaCy's own components learn from."),
    ] = None,
    documents: Annotated[int, typer.Option(min=1, help="Documents of a round.")] = 500,
    batch_size: Annotated[int, typer.Option(min=1, help="Documents of ours at a time.")] = 64,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each.")] = 2,
    quantized: Annotated[
        bool, typer.Option(help="Also sentence-transformers' own int8 forms.")
    ] = False,
) -> None:
    """Words/s with all answers: median (slowest to fastest round), and times the first one's."""
    torch.set_num_threads(threads)
    nlp = spacy.load(model)
    encoder: Any = nlp.get_pipe("transformer").model  # type: ignore[attr-defined]
    encoder.precision = "fp32"
    docs = list(open_docbin(corpus).get_docs(nlp.vocab))[:documents]
    docs = [bare_doc(nlp, doc) for doc in docs]
    texts, words = [doc.text for doc in docs], sum(map(len, docs))
    four = FourPipelines(nlp, backbone, CLASSES)
    chunks = four.prepare(docs)
    runs: Dict[str, Run] = {OURS: pass_over(nlp, texts, batch_size)}
    for folder in optimized or ():
        fast = spacy.load(folder)
        name = fast.get_pipe("transformer").model.engine_info  # type: ignore[attr-defined]
        runs[f"joint pipeline, {name.engine} {name.precision}"] = pass_over(fast, texts, batch_size)
    runs["four Hugging Face pipelines"] = lambda: four.predict(chunks)
    if train is not None:
        runs["spaCy's ner + textcat"] = pass_over(spacys_own(train, backbone), texts, batch_size)
    with tempfile.TemporaryDirectory() as folder:
        backends = load_backends(backbone, Path(folder), texts, CHUNK) if quantized else {}
        for name, each in backends.items():
            runs[name] = lambda each=each: each.encode(chunks, batch_size=BATCH_SIZE)
        msg.text(f"Measuring {rounds + 1} rounds of {len(runs)} contenders")
        found = take_turns(runs, rounds)
    table = Table(f"words/s, {threads} threads, {instruction_set()}", ["", "median", "range", "×"])
    first = median(found[OURS])
    for name, seconds in found.items():
        fastest, slowest = words / min(seconds), words / max(seconds)
        table.rows.append(
            [
                name,
                f"{words / median(seconds):,.0f}",
                f"{slowest:,.0f}–{fastest:,.0f}",
                f"{first / median(seconds):.2f}",
            ]
        )
    print_tables([table])
    print(f"{len(docs)} documents, {words} words; ours in batches of {batch_size}")


if __name__ == "__main__":
    app()
