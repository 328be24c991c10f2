"""DocBin files in, with errors that name the file."""

import zlib
from pathlib import Path
from typing import List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import DataError, Errors, MtnlpError


def open_docbin(path: Path) -> DocBin:
    """Reads a DocBin; its documents are made by `get_docs(vocab)`.

    Raises: DataError (E100, E140) for a file that cannot be read or is none.
    """
    try:
        return DocBin().from_disk(path)
    except OSError as error:
        raise DataError(Errors.E100.format(reason=error.strerror), path) from None
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise DataError(Errors.E140.format(reason=error), path) from None


def corpus_files(folder: Path, names: Optional[Sequence[str]] = None) -> List[Path]:
    """The files `NAME.spacy` of a split, sorted by name.

    names: which corpora, in this order; all of the folder by default.
    Raises: MtnlpError (E150) where a named one, or any at all, is missing.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.spacy"))}
    wanted = list(names) if names else list(found)
    missing = [f"{name}.spacy" for name in wanted if name not in found]
    if missing or not wanted:
        described = ", ".join(missing) or "no .spacy file at all"
        raise MtnlpError(Errors.E150.format(folder=folder, missing=described))
    return [found[name] for name in wanted]


def bare_copy(nlp: Language, doc: Doc) -> Doc:
    """The same tokens without annotations."""
    return copy_tokens(doc, nlp.vocab)


def copy_tokens(doc: Doc, vocab: Optional[Vocab] = None) -> Doc:
    """The same tokens without annotations. vocab: of the copy; the Doc's own by default."""
    words = [token.text for token in doc]
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(vocab or doc.vocab, words=words, spaces=spaces)


def same_words(vocab: Vocab, doc: Doc) -> Doc:
    """A Doc of the same words and spaces, unknown ones included, without annotations."""
    words = [token.text for token in doc]
    spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
    return Doc(vocab, words=words, spaces=spaces)


def bare_doc(nlp: Language, reference: Doc) -> Doc:
    """What a pipeline gets to read of a reference document: its tokens where spaces are unknown,
    else its text, tokenised anew, as spaCy's own corpus reader does."""
    if reference.has_unknown_spaces:
        return bare_copy(nlp, reference)
    return nlp.make_doc(reference.text)
