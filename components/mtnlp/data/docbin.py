"""Records into spaCy's DocBin. The only writer of corpora."""

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from ..annotation.white_space import trim_tokens
from ..errors import Errors, MtnlpError
from ..files import fresh_files, fresh_folder
from ..gold.entities import flatten
from ..types import Annotation, Record
from .document_ids import set_document
from .offset_units import OffsetUnits
from .options import SPLITS, Progress, Splits, quiet

# What Records can say about tokens. Lemmas, heads and the rest would double the file.
ATTRS: Tuple[str, ...] = ("ORTH", "TAG", "SENT_START", "ENT_IOB", "ENT_TYPE")
# spaCy refuses longer texts by default, for the sake of parsers; a tokenizer has no limit.
MAX_LENGTH = 100_000_000


@dataclass
class Written:
    """What became of the annotations and what was written.

    files, units, tokens: by split.
    misaligned: spans whose edges were no token edges; they were widened to the tokens.
    repeated: annotations given twice, kept once.
    overlapping: entities that after widening ran into another; the longer one was kept.
    blank: annotations with nothing but whitespace in them, left out.
    units_of_offsets: whether offsets seem to count something else than characters.
    """

    files: Dict[str, Path] = field(default_factory=dict)
    units: Dict[str, int] = field(default_factory=dict)
    tokens: Dict[str, int] = field(default_factory=dict)
    misaligned: int = 0
    repeated: int = 0
    overlapping: int = 0
    blank: int = 0
    units_of_offsets: OffsetUnits = field(default_factory=OffsetUnits)


def write_corpus(
    splits: Splits,
    out: Path,
    name: str,
    lang: str = "en",
    progress: Progress = quiet,
    ents_from: Optional[str] = None,
) -> Written:
    """Writes `out/{train,dev,test}/NAME.spacy`.

    Every split is written to a temporary name first, and only when all are complete do they take
    their places: an interruption leaves what was there before. A split that is not given is
    removed, so that no two conversions mix.
    lang: the language whose tokenizer splits the Records that have a text. ents_from: a layer whose
        longest entities, none overlapping, `doc.ents` gets where a Record has no entities.
    Raises: MtnlpError (E144) for a language that spaCy lacks, OSError when the disk refuses.
    """
    try:
        nlp = spacy.blank(lang)
    except ImportError as error:  # no such language, or a library that its tokenizer needs
        form = f"a language of spaCy, such as en ({error})"
        raise MtnlpError(Errors.E144.format(option="--lang", value=lang, form=form)) from error
    nlp.max_length = MAX_LENGTH
    written = Written()
    written.files = {split: out / split / f"{name}.spacy" for split in SPLITS if split in splits}
    with fresh_files(list(written.files.values())) as drafts:
        for split, draft in zip(written.files, drafts, strict=True):
            records = progress(splits[split], f"{name} {split}", len(splits[split]))
            docbin = DocBin(attrs=list(ATTRS), store_user_data=_has_groups(splits[split]))
            _fill(docbin, records, nlp, written, split, ents_from)
            draft.write_bytes(docbin.to_bytes())
    for split in SPLITS:
        if split not in splits:
            (out / split / f"{name}.spacy").unlink(missing_ok=True)
    return written


def _has_groups(records: Sequence[Record]) -> bool:
    """Whether any Record knows which text it is from: only then a file has user data."""
    return any("group" in record.meta for record in records)


def _fill(
    docbin: DocBin,
    records: Iterable[Record],
    nlp: Language,
    written: Written,
    split: str,
    ents_from: Optional[str],
) -> None:
    written.units[split] = written.tokens[split] = 0
    for record in records:
        doc = to_doc(record, nlp, written)
        if record.entities is None and ents_from in doc.spans:
            doc.set_ents(flatten(doc.spans[ents_from]))
        docbin.add(doc)
        written.units[split] += 1
        written.tokens[split] += len(doc)


def write_shards(docs: Iterable[Doc], folder: Path, size: int = 5000) -> List[Path]:
    """Writes Docs as `folder/000000.spacy` and so on, `size` in each file: a corpus that
    `mtnlp.MixedCorpus.v1` can stream.

    Kept are tokens, tags, sentence starts, entities, spans and categories.

    docs: read once and not kept, so there may be more of them than memory holds. What is streamed
        is shuffled well only where neighbours in the file already differ: shuffle what is sorted.
    folder: replaced where it exists. Until all files are written it is left as it was, and the new
        ones lie in a hidden folder beside it, which no reader looks into.
    Returns: the files. Raises: MtnlpError for a size below 1, OSError when the disk refuses.
    """
    if size < 1:
        raise MtnlpError(Errors.E144.format(option="size", value=size, form="1 or more"))
    names: List[str] = []
    with fresh_folder(folder) as draft:
        remaining = iter(docs)
        while shard := list(islice(remaining, size)):
            names.append(f"{len(names):06d}.spacy")
            docbin = DocBin(attrs=list(ATTRS), docs=shard)
            (draft / names[-1]).write_bytes(docbin.to_bytes())
    return [folder / name for name in names]


def to_doc(record: Record, nlp: Language, written: Optional[Written] = None) -> Doc:
    """A Record as a Doc. What the Record does not annotate stays unset on the Doc.

    `meta["group"]` becomes `doc.user_data["document"]`.

    nlp: its tokenizer splits a text. Tokens are kept as they are, with unknown spaces unless
        `meta["spaces"]` knows them, which makes every spaCy reader keep them too.
    written: where to count what had to be adjusted.
    """
    written = Written() if written is None else written
    if record.tokens is not None:
        doc = Doc(
            nlp.vocab,
            words=record.tokens,
            spaces=record.meta.get("spaces"),
            tags=record.tags,
            sent_starts=None if record.sent_starts is None else [*record.sent_starts],
        )
    else:
        doc = nlp.make_doc(record.text or "")
        written.units_of_offsets.look(record, doc)
    if record.entities is not None:
        entities = _spans(doc, record, record.entities, written)
        kept = flatten(entities)
        written.overlapping += len(entities) - len(kept)
        doc.set_ents(kept, missing=_unknown(doc, record, kept), default="outside")
    for key, layer in (record.spans or {}).items():
        doc.spans[key] = _spans(doc, record, layer, written)
    if record.cats is not None:
        doc.cats = dict(record.cats)
    set_document(doc, record)
    return doc


def _spans(
    doc: Doc, record: Record, annotations: Sequence[Annotation], written: Written
) -> List[Span]:
    """Annotations as Spans that begin and end in a word, each once, in order."""
    spans: List[Span] = []
    seen = set()
    for annotation in annotations:
        start, end = annotation.start, annotation.end
        if record.tokens is None:
            start, end = _tokens_of(doc, start, end)
        start, end = trim_tokens(doc, start, end)
        if start == end:
            written.blank += 1
            continue
        span = Span(doc, start, end, label=annotation.label)
        if record.tokens is None:
            inside = (record.text or "")[annotation.start : annotation.end]
            written.misaligned += span.text != inside.strip()
        key = (start, end, annotation.label)
        written.repeated += key in seen
        if key not in seen:
            seen.add(key)
            spans.append(span)
    return spans


def _unknown(doc: Doc, record: Record, entities: Sequence[Span]) -> List[Span]:
    """The tokens, each a Span, that the Record's missing stretches touch and no entity covers."""
    unknown = np.zeros(len(doc), dtype=bool)
    for start, end in record.missing or ():
        if record.tokens is None:
            start, end = _tokens_of(doc, start, end)
        unknown[start:end] = True
    for entity in entities:
        unknown[entity.start : entity.end] = False
    return [doc[index : index + 1] for index in np.flatnonzero(unknown).tolist()]


def _tokens_of(doc: Doc, start: int, end: int) -> Tuple[int, int]:
    """The tokens that character offsets touch."""
    span = doc.char_span(start, end, alignment_mode="expand")
    return (0, 0) if span is None else (span.start, span.end)
