"""Reviewed corrections, put into the corpus that they are of."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Set, Tuple

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ...data.formats.json_rows import first_values
from ...errors import Errors, MtnlpError
from ...files import fresh_files
from ...types import Annotation
from .corpus import CheckedCorpus, pick
from .corrected import CannotCorrect, annotations, categories, correct, replace, set_categories
from .reviewed import ReviewedDoc, read_reviewed
from .suggestions import ACCEPT, CATS, SENTENCES, Suggestion, read_suggestions

Place = Tuple[str, int]

ENDS = "accepted, but to be mended where the sentences come from: they end too early"


@dataclass
class Applied:
    """What became of reviewed corrections.

    files: what was written. answers: of suggestions, by answer; "none" for those without. docs:
    reviewed. changed: Docs that are other than before. left_out: what a file held beside, counted.
    """

    files: List[Path] = field(default_factory=list)
    answers: "Counter[str]" = field(default_factory=Counter)
    docs: int = 0
    changed: int = 0
    left_out: "Counter[str]" = field(default_factory=Counter)


def apply_reviewed(
    corpus: CheckedCorpus, reviewed: Path, output: Path, layer: Optional[str] = None
) -> Applied:
    """Write a corpus again, with what reviewers decided.

    reviewed: our own `suggestions.jsonl` with answers, of which the accepted ones count, as they
    are written there; or an export of Prodigy or Label Studio, or a folder of brat's, of which each
    Doc's layer counts as it is. layer: of an export that does not say it.
    output: a .spacy file where the corpus is one, else a folder. What is not reviewed is as it was.
    Raises: MtnlpError E725 to E728, and what the readers raise; then nothing is written.
    """
    applied = Applied()
    vocab = Vocab()
    docs: Dict[Place, Doc] = {}

    def doc_at(file: str, number: int) -> Doc:
        place = (file, number)
        if place not in docs:
            known = corpus.bins.get(file)
            if known is None or not 0 <= number < len(known):
                reason = f"the corpus has no document {number} in {file}"
                raise MtnlpError(Errors.E728.format(path=reviewed, reason=reason))
            docs[place] = next(iter(pick(known, [number]).get_docs(vocab)))
        return docs[place]

    changed: Set[Place] = set()
    if is_suggestions(reviewed):
        for item in read_suggestions(reviewed):
            applied.answers[item.answer or "none"] += 1
            if item.answer == ACCEPT and item.layer.startswith(SENTENCES):
                applied.left_out[ENDS] += 1
            elif item.answer == ACCEPT:
                _put(doc_at(item.file, item.number), item, reviewed)
                changed.add((item.file, item.number))
    else:
        for entry in read_reviewed(reviewed, list(corpus.files), layer, applied.left_out):
            if _take_over(doc_at(entry.file, entry.number), entry, reviewed, applied.left_out):
                changed.add((entry.file, entry.number))
    applied.docs, applied.changed = len(docs), len(changed)
    applied.files = _write(corpus, {place: docs[place] for place in changed}, output)
    return applied


def is_suggestions(path: Path) -> bool:
    """Whether a file is one of `write_suggestions`."""
    rows = first_values(path, 1) if path.is_file() else []
    return bool(rows) and isinstance(rows[0], dict) and {"rank", "suggested"} <= rows[0].keys()


def _put(doc: Doc, item: Suggestion, path: Path) -> None:
    try:
        correct(doc, item)
    except CannotCorrect as error:
        where = f"rank {item.rank}, number {item.number} of {item.file}: {error}"
        raise MtnlpError(Errors.E728.format(path=path, reason=where)) from error


def _take_over(doc: Doc, entry: ReviewedDoc, path: Path, left_out: "Counter[str]") -> bool:
    """Replace a layer. Returns: whether anything is other than before."""
    where = f"number {entry.number} of {entry.file}"
    if doc.text != entry.text:
        reason = f"{where} has another text: '{doc.text[:40]}…'"
        raise MtnlpError(Errors.E728.format(path=path, reason=reason))
    if entry.layer.startswith(CATS):
        task = entry.layer.removeprefix(CATS)
        before = categories(doc, task)
        set_categories(doc, task, entry.labels)
        return set(before) != set(entry.labels)
    spans = []
    for start, end, label in entry.spans:
        span = doc.char_span(start, end, alignment_mode="expand")
        assert span is not None  # a reader's spans lie within their text
        exact = (span.start_char, span.end_char) == (start, end)
        left_out["entities that end within a word: widened to it"] += not exact
        spans.append(Annotation(span.start, span.end, label))
    earlier = annotations(doc, entry.layer)
    try:
        replace(doc, entry.layer, spans)
    except CannotCorrect as error:
        raise MtnlpError(Errors.E728.format(path=path, reason=f"{where}: {error}")) from error
    return sorted(earlier) != sorted(spans)


def _write(corpus: CheckedCorpus, docs: Dict[Place, Doc], output: Path) -> List[Path]:
    """All files of the corpus, some of their Docs replaced."""
    is_file = output.suffix == ".spacy"
    if is_file and len(corpus.files) > 1:
        raise MtnlpError(Errors.E729.format(path=output, files=", ".join(corpus.files)))
    targets = [output if is_file else output / name for name in corpus.files]
    with fresh_files(targets) as drafts:
        for name, draft in zip(corpus.files, drafts, strict=True):
            own = {number: doc for (file, number), doc in docs.items() if file == name}
            draft.write_bytes(_with_docs(corpus.bins[name], own).to_bytes())
    return targets


def _with_docs(docbin: DocBin, docs: Dict[int, Doc]) -> DocBin:
    """A DocBin in which some Docs are replaced; the others are as they were."""
    made = pick(docbin, range(len(docbin)))
    made.strings = set(docbin.strings)
    fresh = DocBin(store_user_data=made.store_user_data)
    fresh.attrs = docbin.attrs
    for number, doc in docs.items():
        fresh.add(doc)
        for part in ("tokens", "spaces", "flags", "cats", "span_groups"):
            getattr(made, part)[number] = getattr(fresh, part)[-1]
        if made.store_user_data:
            made.user_data[number] = fresh.user_data[-1]
    made.strings |= fresh.strings
    return made
