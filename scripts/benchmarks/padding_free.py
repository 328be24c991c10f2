"""Words/s of a joint pipeline whose encoder pads its windows, and one whose encoder does not.

    python -m scripts.benchmarks.padding_free ENCODER --gpu-id 0

One pipeline of random weights takes turns with itself, so that nothing differs but precision and
padding. Texts are random words of the sample.
"""

import random
import statistics
import sys
import time
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Optimizer
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.models.packed_attention import flash_kernel
from mtnlp.models.window_groups import padded_groups
from mtnlp.models.windowed_model import WindowedTransformerModel
from mtnlp.reports.tables import Table, print_tables
from scripts.benchmarks.pipeline_speed import wait_for_gpu

SAMPLE = Path("corpus/sample")
# Words of a text: from, to.
LENGTHS = {"short": (3, 30), "long": (100, 900)}
PRECISIONS = ("fp32", "bf16")
PADDING_FREE = (False, True)
PIPES: Dict[str, Tuple[str, Dict[str, Any]]] = {
    "ner": ("crf_ner", {}),
    "fine_ner": ("crf_ner", {"spans_key": "fine"}),
    "textcat": ("multitask_textcat", {"tasks": {"sentiment": {"exclusive": True}}}),
    "sentence_vectors": ("sentence_vectors", {}),
}


class Workload(NamedTuple):
    """words: of the texts of a turn, about. batch_words: of a training step, about. steps: of a
    turn. rounds: turns of each, after one that does not count."""

    words: int
    batch_words: int
    steps: int
    rounds: int


def random_words(sample: Path, lengths: Tuple[int, int], total: int) -> List[List[str]]:
    """Texts of random lengths, about `total` words in all, the same each time."""
    files = sorted(sample.rglob("*.txt"))
    words = [word for path in files for word in path.read_text(encoding="utf8").split()]
    drawn, left, texts = random.Random(0), total, []
    while left > 0:
        texts.append(drawn.choices(words, k=drawn.randint(*lengths)))
        left -= len(texts[-1])
    return texts


def make_examples(nlp: Language, texts: Sequence[List[str]]) -> List[Example]:
    """Texts annotated for all components, by chance."""
    drawn = random.Random(1)
    examples = []
    for words in texts:
        doc = Doc(nlp.vocab, words=words)
        places = sorted(drawn.sample(range(len(words)), k=1 + len(words) // 10))
        doc.ents = [Span(doc, i, i + 1, drawn.choice(["PER", "LOC"])) for i in places]
        doc.spans["fine"] = [Span(doc, i, i + 1, drawn.choice(["ANIM", "LOC"])) for i in places]
        positive = float(drawn.random() < 0.5)
        doc.cats = {"sentiment/positive": positive, "sentiment/negative": 1.0 - positive}
        examples.append(Example(Doc(nlp.vocab, words=words), doc))
    return examples


def make_pipeline(encoder: str, window: int, sample: Path) -> Tuple[Language, Optimizer]:
    """The joint pipeline, untrained, and what trains it."""
    nlp = spacy.blank("en")
    model = {
        "@architectures": "mtnlp.TransformerModel.v1",
        "name": encoder,
        "window": window,
        "attention_dropout": 0.0,
        "allow_slow": True,
    }
    nlp.add_pipe("transformer", config={"model": model})
    for name, (factory, config) in PIPES.items():
        nlp.add_pipe(factory, name=name, config=config)
    nlp.add_pipe("trf_data_cleaner")
    texts = random_words(sample, LENGTHS["short"], 300)
    return nlp, nlp.initialize(lambda: make_examples(nlp, texts))


def encoder_of(nlp: Language) -> WindowedTransformerModel:
    """The pipeline's."""
    transformer: Any = nlp.get_pipe("transformer")
    return transformer.model  # type: ignore[no-any-return]


def predict(nlp: Language, texts: Sequence[List[str]], batch_size: int = 64) -> float:
    """Seconds of `nlp.pipe` over Docs of words."""
    docs = [Doc(nlp.vocab, words=words) for words in texts]
    begin = time.perf_counter()
    for _ in nlp.pipe(docs, batch_size=batch_size):
        pass
    wait_for_gpu()
    return time.perf_counter() - begin


def train(nlp: Language, batches: Sequence[List[Example]], sgd: Optimizer) -> float:
    """Seconds of a step on each batch."""
    begin = time.perf_counter()
    for batch in batches:
        nlp.update(batch, sgd=False, losses={})  # type: ignore[arg-type]
        for _, pipe in nlp.pipeline:
            if getattr(pipe, "is_trainable", False):
                pipe.finish_update(sgd)  # type: ignore[attr-defined]
    wait_for_gpu()
    return time.perf_counter() - begin


def padding_share(nlp: Language, texts: Sequence[List[str]], batch_size: int = 64) -> float:
    """Of what the encoder reads where it pads, in batches as `predict` has."""
    cells, real = 0, 0
    for start in range(0, len(texts), batch_size):
        docs = [Doc(nlp.vocab, words=words) for words in texts[start : start + batch_size]]
        for _, mask, positions in padded_groups(encoder_of(nlp).windower(docs)):
            cells, real = cells + mask.size, real + len(positions)
    return 1 - real / cells


def measure(nlp: Language, sgd: Optimizer, sample: Path, kind: str, workload: Workload) -> Table:
    """Words/s of one kind of texts: medians, and how many times those of fp32 with padding."""
    texts = random_words(sample, LENGTHS[kind], workload.words)
    n_words = sum(map(len, texts))
    batches = [
        make_examples(nlp, random_words(sample, LENGTHS[kind], workload.batch_words))
    ] * workload.steps
    n_trained = sum(len(eg.predicted) for batch in batches for eg in batch)
    model = encoder_of(nlp)
    found: Dict[Tuple[str, bool], List[Tuple[float, float]]] = {}
    for number in range(workload.rounds + 1):
        for case in product(PRECISIONS, PADDING_FREE):
            model.precision, model.padding_free = case
            speeds = n_words / predict(nlp, texts), n_trained / train(nlp, batches, sgd)
            if number:
                found.setdefault(case, []).append(speeds)
    share = 100 * padding_share(nlp, texts)
    table = Table(
        f"{kind} texts: {len(texts)} of {LENGTHS[kind][0]} to {LENGTHS[kind][1]} words, "
        f"{share:.1f}% padding where there is any",
        ["precision", "padding", "predicting, words/s", "times", "training, words/s", "times"],
    )
    first = [statistics.median(turn) for turn in zip(*found[PRECISIONS[0], False], strict=True)]
    for (precision, is_free), turns in found.items():
        own = [statistics.median(turn) for turn in zip(*turns, strict=True)]
        cells = [
            cell for rate, base in zip(own, first, strict=True) for cell in (rate, rate / base)
        ]
        table.rows.append([precision, "none" if is_free else "padded", *cells])
    return table


def states_differ(nlp: Language, sample: Path) -> List[float]:
    """The lowest cosine of a wordpiece's state with and without padding, by precision."""
    docs = [
        Doc(nlp.vocab, words=w)
        for kind in LENGTHS
        for w in random_words(sample, LENGTHS[kind], 500)
    ]
    model, lowest = encoder_of(nlp), []
    for precision in PRECISIONS:
        states = []
        for is_free in PADDING_FREE:
            model.precision, model.padding_free = precision, is_free
            states.append(model.predict(docs).model_output.last_hidden_state)
        lowest.append(float(torch.nn.functional.cosine_similarity(*states, dim=1).min()))
    return lowest


app = verb_app()


@app.command()
def main(
    encoder: Annotated[str, typer.Argument(help="Folder or name of an encoder of BERT's family.")],
    window: Annotated[int, typer.Option(help="Wordpieces per window.")] = 256,
    sample: Annotated[
        Path, typer.Option(exists=True, help="Texts whose words are drawn.")
    ] = SAMPLE,
    words: Annotated[int, typer.Option(min=1, help="Of a turn, to predict.")] = 30_000,
    batch_words: Annotated[int, typer.Option(min=1, help="Of a training step.")] = 4000,
    steps: Annotated[int, typer.Option(min=1, help="Training steps of a turn.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="Turns, after one that is not counted.")] = 3,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="-1 for the processor.")] = -1,
) -> None:
    """Padded windows and windows in one row, in fp32 and bf16, of short and of long texts."""
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    np.random.seed(0)
    torch.manual_seed(0)
    nlp, sgd = make_pipeline(encoder, window, sample)
    kernel = "FlashAttention" if gpu_id >= 0 and flash_kernel() else "none, window by window"
    msg.text(f"Kernel for bf16 without padding: {kernel}. In fp32: none, window by window.")
    lowest = ", ".join(
        f"{precision} {cosine:.6f}"
        for precision, cosine in zip(PRECISIONS, states_differ(nlp, sample), strict=True)
    )
    msg.text(f"Lowest cosine of states with and without padding: {lowest}")
    workload = Workload(words, batch_words, steps, rounds)
    for kind in LENGTHS:
        print_tables([measure(nlp, sgd, sample, kind, workload)])


if __name__ == "__main__":
    app()
