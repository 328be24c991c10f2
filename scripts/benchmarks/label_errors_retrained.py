"""CoNLL-2003 trained on as it is, and with the first suggestions of `mtnlp find-label-errors`
checked against a list of corrections.

    python -m scripts.benchmarks.label_errors_retrained errors/suggestions.jsonl \\
        corrections.jsonl --corpus corpus --config configs/conll.cfg --output errors/retrained

Of each of the first suggestions (--first 500) that touches an entry of the list, the entry is put
into the training part, as a reviewer would who has the list's knowledge. Then both training parts
are trained on with each seed, and scored on test, which stays as it is. A run that is done is not
made again. Further --section.setting VALUE overrides the config.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Annotated, Dict, List, Sequence

import spacy
import typer
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from spacy.util import filter_spans
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.analysis.label_errors.corrected import annotations, replace
from mtnlp.analysis.label_errors.suggestions import ENTS, Suggestion, read_suggestions
from mtnlp.cli.verb import OVERRIDES, config_overrides, verb_app
from mtnlp.files import fresh_file, write_json
from mtnlp.trainer.train import Options, train_from_config
from mtnlp.types import Annotation
from scripts.benchmarks.corrections import Correction, by_doc, read_corrections, touching

NAME = "conll.spacy"


def correct(
    docs: Sequence[Doc], suggestions: Sequence[Suggestion], corrections: Sequence[Correction]
) -> Dict[str, int]:
    """Put what the list says of the suggestions' places into the Docs.

    Returns: how many suggestions touch the list, entries they touch, entries that were put in. The
    others are about where sentences and tokens end.
    """
    listed = by_doc(corrections)
    hits, touched = 0, set()
    for item in suggestions:
        if item.layer != ENTS:  # the end of a sentence is not mended within it
            continue
        spans = [*item.given, *item.suggested]
        start, end = min(s[0] for s in spans), max(s[1] for s in spans)
        found = touching(listed.get(item.number, ()), item.number, start, end)
        hits += bool(found)
        touched.update(found)
    done = [item for item in touched if item.correct is not None]
    for number in {item.doc for item in done}:
        own = [item for item in done if item.doc == number]
        doc, gone = docs[number], {item.given for item in own}
        kept = [span for span in annotations(doc, ENTS) if span not in gone]
        new = {Annotation(*span) for item in own for span in item.correct or ()}
        # Of corrections that overlap the longest counts, and each more than what it overlaps.
        chosen = filter_spans([doc[a:b] for a, b, _ in new])
        labels = {(a, b): label for a, b, label in new}
        right = [Annotation(s.start, s.end, labels[s.start, s.end]) for s in chosen]
        free = [s for s in kept if not any(s.start < r.end and r.start < s.end for r in right)]
        replace(doc, ENTS, [*free, *right])
    return {"hits": hits, "entries": len(touched), "corrected": len(done)}


def write_corrected(
    corpus: Path, target: Path, suggestions: Sequence[Suggestion], corrections: Path
) -> Dict[str, int]:
    """Write a training part with the list's corrections at the suggestions' places."""
    docbin = DocBin().from_disk(corpus / "train" / NAME)
    docs = list(docbin.get_docs(spacy.blank("en").vocab))
    counts = correct(docs, suggestions, read_corrections(corrections, docs))
    with fresh_file(target) as draft:
        made = DocBin(store_user_data=True, docs=docs)
        made.to_disk(draft)
    return counts


def run(config: Path, train: Path, seed: int, output: Path, corpus: Path, own: Dict) -> float:
    """Train with a seed, and score on test; or read what an earlier run scored."""
    result = output / "result.json"
    if not result.exists():
        overrides = {**own, "paths.train": str(train), "paths.dev": str(corpus / "dev")}
        overrides |= {"system.seed": seed}
        options = Options(output, auto_resume=True, checkpoint_every=200)
        train_from_config(config, options, overrides)
        nlp = spacy.load(output / "model-last")
        scores = nlp.evaluate(list(Corpus(corpus / "test" / NAME, gold_preproc=False)(nlp)))
        write_json(result, {"f": scores["ents_f"], "per_type": scores["ents_per_type"]})
    return float(json.loads(result.read_text(encoding="utf8"))["f"])


app = verb_app()


@app.command(context_settings=OVERRIDES)
def main(
    ctx: typer.Context,
    suggestions: Annotated[Path, typer.Argument(help="The suggestions.jsonl of a run.")],
    corrections: Annotated[Path, typer.Argument(help="The list of corrections.")],
    corpus: Annotated[Path, typer.Option(help="The folder with train, dev and test.")],
    config: Annotated[Path, typer.Option(help="The config to train by.")],
    output: Annotated[Path, typer.Option(help="The folder of the trainings.")],
    first: Annotated[int, typer.Option(help="How many suggestions are checked.")] = 500,
    seeds: Annotated[int, typer.Option(help="How many seeds, from 0.")] = 3,
) -> None:
    """Train with and without corrected labels, and compare F1 on test."""
    overrides = config_overrides(ctx)
    checked = read_suggestions(suggestions)[:first]
    target = output / "corrected"
    counts = write_corrected(corpus, target / NAME, checked, corrections)
    msg.info(f"{len(checked)} suggestions checked: {counts}")
    found: Dict[str, List[float]] = {}
    for name, train in (("as it is", corpus / "train"), ("corrected", target)):
        for seed in range(seeds):
            folder = output / f"{name.replace(' ', '-')}-{seed}"
            found.setdefault(name, []).append(run(config, train, seed, folder, corpus, overrides))
            msg.good(f"{name}, seed {seed}: F1 {found[name][-1]:.4f}")
    for name, values in found.items():
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        shown = ", ".join(f"{value:.4f}" for value in values)
        print(f"{name}: F1 {statistics.mean(values):.4f} ± {spread:.4f} ({shown})")
    write_json(output / "result.json", {"counts": counts, "f": found})


if __name__ == "__main__":
    app()
