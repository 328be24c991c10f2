"""Proof that the embedded sample is well-formed and as large and varied as it is meant to be."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, Sequence, Set

import typer
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.data.datasets import DATASETS
from mtnlp.data.formats.bad_input import BadInput, read_lines
from mtnlp.data.formats.brat import NEREL_INVENTORY, BratDocument, read_brat
from mtnlp.data.formats.columns import DOCSTART, read_sentences
from mtnlp.data.formats.conll import read_conll
from mtnlp.data.formats.multinerd import read_multinerd
from mtnlp.data.formats.tags import scheme_evidence
from mtnlp.data.labels import CONLL_LABELS, MULTINERD_KEY, MULTINERD_LABELS
from mtnlp.data.options import Splits
from mtnlp.data.sources import find_splits, read_dataset
from mtnlp.errors import DataError, Errors, MtnlpError
from mtnlp.types import Record

SHARES = {"train": 0.60, "dev": 0.15, "test": 0.25}
# How far a split's share may be off, in units of a corpus.
SLACK = 0.02
CYRILLIC = range(0x0400, 0x0500)


@dataclass
class Check:
    """One property of one corpus: what was wanted, what was found, whether that is so."""

    corpus: str
    what: str
    wanted: str
    found: str
    holds: bool


@dataclass
class Validation:
    """All checks, the faults of reading, and the words counted so far."""

    checks: List[Check] = field(default_factory=list)
    faults: List[str] = field(default_factory=list)
    words: int = 0

    def at_least(self, corpus: str, what: str, found: int, wanted: int) -> None:
        self.check(corpus, what, f">= {wanted:,}", found, found >= wanted)

    def between(self, corpus: str, what: str, found: Sequence[int], low: int, high: int) -> None:
        """All of `found` lie within the bounds."""
        span = f"{min(found)}-{max(found)}" if found else "none"
        holds = bool(found) and low <= min(found) and max(found) <= high
        self.check(corpus, what, f"{low:,}-{high:,}", span, holds)

    def equal(self, corpus: str, what: str, found: object, wanted: object) -> None:
        self.check(corpus, what, str(wanted), found, found == wanted)

    def check(self, corpus: str, what: str, wanted: str, found: object, holds: bool) -> None:
        self.checks.append(Check(corpus, what, wanted, str(found), holds))

    def shares(self, corpus: str, sizes: Dict[str, int], wanted: Dict[str, float]) -> None:
        """The splits' sizes are in the wanted proportions."""
        total = max(sum(sizes.values()), 1)
        off = max(abs(sizes.get(split, 0) / total - share) for split, share in wanted.items())
        text = ":".join(f"{100 * share:.0f}" for share in wanted.values())
        found = ":".join(str(sizes.get(split, 0)) for split in wanted)
        self.check(corpus, " : ".join(wanted), text, found, off <= SLACK)

    @property
    def errors(self) -> List[str]:
        """Every fault, one message each."""
        failed = [
            f"{check.corpus}: {check.what}: {check.found}, wanted {check.wanted}"
            for check in self.checks
            if not check.holds
        ]
        return [*self.faults, *failed]


def validate_sample(root: Path) -> Validation:
    """Checks every file of the embedded sample.

    root: the folder with imdb/, conll/, nerel/, nerel_ru/ and multinerd/.
    Never raises for what it finds: faults are in the result.
    """
    result = Validation()
    corpora = {
        "imdb": _imdb,
        "conll": _conll,
        "nerel": _nerel,
        "nerel_ru": _nerel_ru,
        "multinerd": _multinerd,
    }
    for corpus, validate in corpora.items():
        on_bad = BadInput(skip=True)
        try:
            validate(root / corpus, on_bad, result)
        except (MtnlpError, OSError) as error:
            result.faults.append(f"{corpus}: {error}")
        result.faults.extend(f"{corpus}: {error}" for error in on_bad.errors)
    result.between("all", "words", [result.words], 19_000, 26_000)
    return result


def require_valid(root: Path) -> Validation:
    """`validate_sample`, shown as a table.

    Raises: MtnlpError listing every fault, if there is one.
    """
    result = validate_sample(root)
    rows = [
        (check.corpus, check.what, check.wanted, check.found, "yes" if check.holds else "NO")
        for check in result.checks
    ]
    header = ("Corpus", "What", "Wanted", "Found", "Holds")
    msg.table(rows, header=header, divider=True)
    if result.errors:
        faults = "\n".join(result.errors)
        raise MtnlpError(Errors.E149.format(count=len(result.errors), faults=faults))
    msg.good(f"The sample is well-formed: {len(result.checks)} checks, {result.words:,} words.")
    return result


def _texts_differ(result: Validation, corpus: str, texts: Iterable[str]) -> None:
    counts = Counter(" ".join(text.casefold().split()) for text in texts)
    result.equal(corpus, "repeated texts", sum(counts.values()) - len(counts), 0)


def _imdb(root: Path, on_bad: BadInput, result: Validation) -> None:
    splits = read_dataset(DATASETS["imdb"], root / "aclImdb", on_bad)
    reviews = [record for split in splits.values() for record in split]
    lengths = [len((review.text or "").split()) for review in reviews]
    labels = Counter(review.meta["stratum"] for review in reviews)
    sizes = {split: len(records) for split, records in splits.items()}
    breaks = sum(b"<br />" in Path(review.meta["path"]).read_bytes() for review in reviews)
    movies = {split: {r.meta.get("group") for r in records} for split, records in splits.items()}
    result.words += sum(lengths)
    result.equal("imdb", "reviews", len(reviews), 160)
    result.equal("imdb", "positive : negative", f"{labels['pos']}:{labels['neg']}", "80:80")
    # dev is carved from the tree's train split.
    result.shares("imdb", sizes, {"train": SHARES["train"] + SHARES["dev"], "test": SHARES["test"]})
    result.between("imdb", "words a review", lengths, 40, 120)
    result.at_least("imdb", "reviews with <br />", breaks, 10)
    result.equal("imdb", "reviews without a movie", sum(None in m for m in movies.values()), 0)
    shared = movies.get("train", set()) & movies.get("test", set())
    result.equal("imdb", "movies in train and test", len(shared - {None}), 0)
    _texts_differ(result, "imdb", (review.text or "" for review in reviews))


def _conll(root: Path, on_bad: BadInput, result: Validation) -> None:
    files = find_splits("conll", root)
    sentences: Splits = {split: list(read_conll(path, on_bad)) for split, path in files.items()}
    everything = [record for records in sentences.values() for record in records]
    documents = {record.meta.get("group") for record in everything}
    found = {entity.label for record in everything for entity in record.entities or []}
    result.words += sum(len(record.tokens or []) for record in everything)
    result.equal("conll", "sentences", len(everything), 240)
    result.at_least("conll", "documents", len(documents - {None}), 24)
    result.shares("conll", {split: len(rows) for split, rows in sentences.items()}, SHARES)
    result.equal("conll", "entity types", len(found), len(CONLL_LABELS))
    result.equal("conll", "sentences without tags of speech", _untagged(everything), 0)
    adjacent = 0
    for path in files.values():
        lines = read_lines(path)
        if not lines[0].raw.startswith(DOCSTART):
            result.faults.append(str(DataError(Errors.E107, path, 1)))
        for sentence in read_sentences(path, lines, on_bad, CONLL_LABELS, columns=4):
            _, iob2_only = scheme_evidence(sentence.tags)
            adjacent += sum(tag.prefix == "B" for tag in sentence.tags) - len(iob2_only)
            for index in iob2_only:
                result.faults.append(str(DataError(Errors.E106, path, sentence.lines[index])))
    result.at_least("conll", "adjacent entities (B-)", adjacent, 1)
    _texts_differ(result, "conll", (" ".join(record.tokens or []) for record in everything))


def _untagged(records: Sequence[Record]) -> int:
    return sum(not record.tags for record in records)


def _nerel(root: Path, on_bad: BadInput, result: Validation) -> None:
    documents = _brat(root, on_bad)
    everything = [document for rows in documents.values() for document in rows]
    entities = [entity for document in everything for entity in document.entities.values()]
    lengths = [len(document.text.split()) for document in everything]
    relations: Set[str] = {rel.label for document in everything for rel in document.relations}
    result.words += sum(lengths)
    result.equal("nerel", "documents", len(everything), 40)
    result.shares("nerel", {split: len(rows) for split, rows in documents.items()}, SHARES)
    result.between("nerel", "words per document", lengths, 60, 120)
    result.at_least("nerel", "entity types", len({entity.label for entity in entities}), 15)
    result.at_least("nerel", "relation types", len(relations), 12)
    result.at_least("nerel", "nested entities", sum(map(_nested, everything)), 40)
    broken = sum(len(entity.fragments) > 1 for entity in entities)
    result.between("nerel", "discontinuous entities", [broken], 1, 2)
    result.equal("nerel", "Cyrillic documents", sum(map(_is_russian, everything)), 0)
    result.equal("nerel", "stray lines", sum(d.stray_lines for d in everything), 0)
    _texts_differ(result, "nerel", (document.text for document in everything))


def _nerel_ru(root: Path, on_bad: BadInput, result: Validation) -> None:
    documents = [document for rows in _brat(root, on_bad).values() for document in rows]
    result.words += sum(len(document.text.split()) for document in documents)
    result.equal("nerel_ru", "documents", len(documents), 6)
    result.equal("nerel_ru", "Cyrillic documents", sum(map(_is_russian, documents)), 6)
    result.at_least("nerel_ru", "nested entities", sum(map(_nested, documents)), 1)


def _brat(root: Path, on_bad: BadInput) -> Dict[str, List[BratDocument]]:
    """The documents of each split, the malformed ones reported."""
    splits: Dict[str, List[BratDocument]] = {}
    for split, folder in find_splits("nerel", root).items():
        splits[split] = []
        stems = {file.with_suffix("") for file in folder.iterdir()}
        for stem in sorted(stems):
            try:
                text, annotation = stem.with_suffix(".txt"), stem.with_suffix(".ann")
                splits[split].append(read_brat(text, annotation, NEREL_INVENTORY))
            except DataError as error:
                on_bad.report(error)
    return splits


def _nested(document: BratDocument) -> int:
    """How many entities lie within another, longer one."""
    spans = {e.fragments[0] for e in document.entities.values() if len(e.fragments) == 1}
    return sum(
        any(outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1] for outer in spans)
        for inner in spans
    )


def _is_russian(document: BratDocument) -> bool:
    return any(ord(character) in CYRILLIC for character in document.text)


def _multinerd(root: Path, on_bad: BadInput, result: Validation) -> None:
    splits: Splits = {
        split: list(read_multinerd(path, on_bad))
        for split, path in find_splits("multinerd", root).items()
    }
    everything = [record for rows in splits.values() for record in rows]
    result.words += sum(len(record.tokens or []) for record in everything)
    result.equal("multinerd", "English sentences", len(everything), 240)
    result.shares("multinerd", {split: len(rows) for split, rows in splits.items()}, SHARES)
    other = sum(count for what, count in on_bad.notes.items() if "other languages" in what)
    result.at_least("multinerd", "sentences in other languages", other, 1)
    for split in splits:
        labels = {
            span.label for r in splits[split] for span in (r.spans or {}).get(MULTINERD_KEY, [])
        }
        missing = sorted(set(MULTINERD_LABELS) - labels)
        result.equal("multinerd", f"types missing in {split}", ", ".join(missing) or "none", "none")
    _texts_differ(result, "multinerd", (" ".join(record.tokens or []) for record in everything))


app = verb_app()


@app.command()
def main(
    root: Path = typer.Argument(Path("corpus/sample"), help="The folder of the sample."),
) -> None:
    """Prove every file of the sample well-formed: offsets, tags, ratings, counts, splits.

    Prints a table; exits with 1 on any fault.
    """
    try:
        require_valid(root)
    except MtnlpError as error:
        msg.fail("The sample has faults.")
        typer.echo(str(error))
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
