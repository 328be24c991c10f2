"""How well `mtnlp find-label-errors` finds the errors of CoNLL-2003's training part that people who
audited it listed, beside cleanlab's token classification on the same out-of-fold probabilities.

    mtnlp find-label-errors corpus/train/conll.spacy --config configs/conll.cfg -o errors \\
        --keep-models
    python -m scripts.benchmarks.label_errors errors corpus/train/conll.spacy corrections.jsonl

The list is not complete: what it lacks is not thereby right, and precision is a lower bound.

Both rank everything, and are scored by average precision on three units: tokens; places, which are
annotated entities and the tokens outside of them; sentences. Positive is what a correction of the
list is about: the words that are annotated, and those that are missing. cleanlab ranks tokens by
their label's quality and sentences by their worst token, by each of its methods, on BIO tags and on
types alone. What could be chosen is shown on halves of the documents, by a hash of their names.
"""

import sys
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import spacy
import typer
from spacy.tokens import Doc
from spacy.util import minibatch
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.analysis.label_errors.corpus import CheckedCorpus
from mtnlp.analysis.label_errors.find import read_judged
from mtnlp.analysis.label_errors.folds import Fold
from mtnlp.analysis.label_errors.ranking import Scored, rank
from mtnlp.analysis.label_errors.readings import tag_scores
from mtnlp.analysis.label_errors.sentence_ends import CutSpot
from mtnlp.analysis.label_errors.training import fold_files
from mtnlp.cli.verb import verb_app
from mtnlp.data.document_ids import document_of
from mtnlp.data.reading import bare_copy
from mtnlp.files import write_json
from mtnlp.pipes.run_encoders import encode
from mtnlp.structured.array_chain import find_marginals
from mtnlp.structured.array_readings import spell
from mtnlp.types import Bools, Doubles, Ints
from scripts.benchmarks.corrections import Correction, read_corrections

PIPE = "ner"
FIRST = (100, 500)
UNITS = ("tokens", "places", "sentences")
WITHIN = "mtnlp without ends of sentences"


class Truth(NamedTuple):
    """The corpus as tokens, one Doc after another.

    lengths: `[docs]`. starts: `[docs]`, where each begins. places: the first token of each place.
    wrong: `[tokens]`, what a correction is about. half: `[docs]`, 0 or 1.
    """

    lengths: Ints
    starts: Ints
    places: Ints
    wrong: Bools
    half: Ints


def read_truth(docs: Sequence[Doc], corrections: Sequence[Correction]) -> Truth:
    """Which tokens the list says something of."""
    lengths = np.array([len(doc) for doc in docs])
    starts = np.cumsum(lengths) - lengths
    begins, wrong = np.ones(lengths.sum(), dtype=bool), np.zeros(lengths.sum(), dtype=bool)
    for first, doc in zip(starts.tolist(), docs, strict=True):
        for span in doc.ents:
            begins[first + span.start + 1 : first + span.end] = False
    for item in corrections:
        for number, start, end in item.places:
            wrong[starts[number] + start : starts[number] + end] = True
    names = [str(document_of(doc)).encode() for doc in docs]
    half = np.array([blake2b(name).digest()[0] % 2 for name in names])
    return Truth(lengths, starts, np.flatnonzero(begins), wrong, half)


def tag_probabilities(
    run: Path, corpus: CheckedCorpus, folds: Sequence[Fold]
) -> Tuple[List[Doubles], List[str], int]:
    """By Doc, `[tokens, tags]`: the exact marginals under the CRF of the fold's model. Also: the
    labels, and how many tags each has."""
    found: List[Any] = [None] * len(corpus)
    labels: List[str] = []
    prefixes = 0
    for fold in folds:
        nlp = spacy.load(fold_files(run, fold).model)
        pipe: Any = nlp.get_pipe(PIPE)
        labels, prefixes = list(pipe.labels), len(pipe.module.scheme.prefixes)
        for chunk in minibatch(fold.held.tolist(), 64):
            docs = [bare_copy(nlp, doc) for _, doc in corpus.docs(nlp.vocab, chunk)]
            scores = tag_scores(pipe, encode(nlp, docs))
            marginals = find_marginals(scores.emissions, scores.lengths, scores.chain)
            logs = marginals.alpha + marginals.beta - marginals.total[:, None, None]
            for index, row, length in zip(chunk, logs, scores.lengths, strict=True):
                each = np.exp(row[:length])
                found[index] = each / each.sum(1, keepdims=True)
        msg.good(f"Fold {fold.number}: {len(fold.held):,} sentences")
    return found, labels, prefixes


def given_tags(docs: Sequence[Doc], labels: Sequence[str], scheme: Any) -> List[Ints]:
    """The annotated tags of each Doc."""
    index = {label: number for number, label in enumerate(labels)}
    tags = []
    for doc in docs:
        spans = [(0, span.start, span.end, index[span.label_]) for span in doc.ents]
        table = np.array(spans, dtype=np.int64).reshape(-1, 4)
        tags.append(spell(table, (1, len(doc)), scheme)[0])
    return tags


def cleanlab_rankings(
    tags: Sequence[Ints], probabilities: Sequence[Doubles], prefixes: int
) -> Dict[str, Tuple[Doubles, Doubles]]:
    """By method, how wrong cleanlab finds each token and each sentence: larger is worse."""
    from cleanlab.token_classification.rank import get_label_quality_scores

    types = [(tag + prefixes - 1) // prefixes for tag in tags]
    summed = [
        np.concatenate([p[:, :1], p[:, 1:].reshape(len(p), -1, prefixes).sum(2)], axis=1)
        for p in probabilities
    ]
    found = {}
    for classes, labels, each in (("BIO", tags, probabilities), ("types", types, summed)):
        rows = [row.tolist() for row in labels]
        for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
            for pooling in ("min", "softmin"):
                sentences, tokens = get_label_quality_scores(
                    rows,
                    list(each),
                    token_score_method=method,
                    sentence_score_method=pooling,
                )
                scores = np.concatenate([token.to_numpy() for token in tokens])
                found[f"cleanlab, {method}, {pooling}, {classes}"] = -scores, -sentences
    return found


def our_ranking(
    ranked: Sequence[Scored], index: Dict[Any, int], truth: Truth, rest: Doubles
) -> Doubles:
    """How wrong we find each token: that of the highest suggestion it is in. rest: orders the
    tokens that are in none, behind all others."""
    scores = rest - rest.max() - 1e6
    for item in reversed(ranked):
        spot: Any = item.spot
        first = first_token(item, index, truth)
        scores[first + spot.start : first + spot.end] = item.odds
    return scores


def first_token(item: Scored, index: Dict[Any, int], truth: Truth) -> int:
    """Where the tokens of a suggestion are counted from: those of two Docs from the first one."""
    number = index[item.place] - isinstance(item.spot, CutSpot)
    return int(truth.starts[number])


def average_precisions(
    truth: Truth, tokens: Doubles, sentences: Doubles, chosen: Bools
) -> List[float]:
    """By unit, on the chosen Docs. tokens, sentences: how wrong each is found."""
    from sklearn.metrics import average_precision_score

    inside = np.repeat(chosen, truth.lengths)
    parts = [(truth.wrong, tokens, inside)]
    at = truth.places
    parts.append(
        (np.maximum.reduceat(truth.wrong, at), np.maximum.reduceat(tokens, at), inside[at])
    )
    parts.append((np.maximum.reduceat(truth.wrong, truth.starts), sentences, chosen))
    return [float(average_precision_score(w[kept], s[kept])) for w, s, kept in parts]


def hits_of_tokens(truth: Truth, tokens: Doubles) -> List[int]:
    """How many of the first places are on the list."""
    at = truth.places
    order = np.argsort(-np.maximum.reduceat(tokens, at), kind="stable")
    wrong = np.maximum.reduceat(truth.wrong, at)[order]
    return [int(wrong[:count].sum()) for count in FIRST]


def hits_of_suggestions(ranked: Sequence[Scored], index: Dict[Any, int], truth: Truth) -> List[int]:
    """How many of the first suggestions touch an entry of the list."""
    hits = []
    for item in ranked[: max(FIRST)]:
        spot: Any = item.spot
        first = first_token(item, index, truth)
        hits.append(bool(truth.wrong[first + spot.start : first + spot.end].any()))
    return [sum(hits[:count]) for count in FIRST]


app = verb_app()


@app.command()
def main(
    run: Annotated[Path, typer.Argument(help="The folder of find-label-errors --keep-models.")],
    corpus: Annotated[Path, typer.Argument(help="The .spacy file that was checked.")],
    corrections: Annotated[Path, typer.Argument(help="The list of corrections.")],
    folds: Annotated[int, typer.Option(help="As for find-label-errors.")] = 5,
    seed: Annotated[int, typer.Option(help="As for find-label-errors.")] = 0,
    output: Annotated[Path, typer.Option(help="The JSON file for all figures.")] = Path(
        "metrics/label_errors.json"
    ),
) -> None:
    """Compare the rankings."""
    checked = CheckedCorpus(corpus)
    parts = checked.folds(folds, seed)
    pairs = list(checked.docs(spacy.blank("en").vocab, range(len(checked))))
    docs = [doc for _, doc in pairs]
    index = {place: number for number, (place, _) in enumerate(pairs)}
    listed = read_corrections(corrections, docs)
    truth = read_truth(docs, listed)
    probabilities, labels, prefixes = tag_probabilities(run, checked, parts)
    pipe: Any = spacy.load(fold_files(run, parts[0]).model).get_pipe(PIPE)
    tags = given_tags(docs, labels, pipe.module.scheme.arrays())
    rankings = cleanlab_rankings(tags, probabilities, prefixes)
    ranked = rank(read_judged(run, parts).docs)
    given = [each[np.arange(len(tag)), tag] for each, tag in zip(probabilities, tags, strict=True)]
    ours = our_ranking(ranked, index, truth, -np.concatenate(given))
    rankings["mtnlp"] = ours, np.maximum.reduceat(ours, truth.starts)
    within = [item for item in ranked if not isinstance(item.spot, CutSpot)]
    alone = our_ranking(within, index, truth, -np.concatenate(given))
    rankings[WITHIN] = alone, np.maximum.reduceat(alone, truth.starts)
    halves = {"all": truth.half >= 0, "first half": truth.half == 0, "second half": truth.half == 1}
    results: Dict[str, Any] = {"entries": len(listed), "average_precision": {}, "hits": {}}
    for name, (tokens, sentences) in rankings.items():
        scored = {
            part: average_precisions(truth, tokens, sentences, chosen)
            for part, chosen in halves.items()
        }
        results["average_precision"][name] = scored
        results["hits"][name] = hits_of_tokens(truth, tokens)
        shown = "  ".join(" ".join(f"{value:.3f}" for value in row) for row in scored.values())
        print(f"{name:60} {shown}  {results['hits'][name]}")
    results["hits"]["mtnlp, suggestions"] = hits_of_suggestions(ranked, index, truth)
    print(f"Of the first {FIRST} suggestions on the list: {results['hits']['mtnlp, suggestions']}")
    for number, unit in enumerate(UNITS):
        rows = results["average_precision"]
        others = [name for name in rows if name.startswith("cleanlab")]
        best = max(others, key=lambda n: rows[n]["all"][number])
        for name in ("mtnlp", WITHIN):
            ratio = rows[name]["all"][number] / rows[best]["all"][number]
            print(f"{unit}: {name} {ratio:.2f} times the best of cleanlab's ({best})")
    write_json(output, results)


if __name__ == "__main__":
    app()
