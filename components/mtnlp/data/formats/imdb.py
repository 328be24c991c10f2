"""IMDB film reviews: the `aclImdb/{train,test}/{pos,neg}/ID_RATING.txt` tree, or its tar.gz."""

import re
import tarfile
import zlib
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ...errors import DataError, Errors, MtnlpError
from ...types import Record
from ..labels import SENTIMENT_LABELS, SENTIMENT_TASK
from .bad_input import UTF8_BOM, BadInput, decode
from .entry import Card, Dataset, HubSource

_REVIEW = re.compile(r"(?:^|/)(train|test)/(pos|neg)/([^/.][^/]*)$")
_URLS = re.compile(r"(?:^|/)(train|test)/urls_(pos|neg)\.txt$")
_FILE_NAME = re.compile(r"(\d+)_(\d+)\.txt")
_BREAKS = re.compile(r"\s*(?:<br\s*/?>\s*)+")
# The corpus has no reviews rated 5 or 6.
_RATINGS = {"pos": range(7, 11), "neg": range(1, 5)}
_LABELS = {"pos": "positive", "neg": "negative"}
# The hub's order of ids.
HUB_LABELS = ("negative", "positive")
# How copies name the tree or its archive.
_NAMES = ("", "aclImdb", "aclImdb_v1.tar.gz", "aclImdb_v1", "aclImdb.tar.gz", "imdb")

Folder = Tuple[str, str]  # split and label: ("train" | "test", "pos" | "neg")


def read_imdb(path: Path, on_bad: BadInput) -> Iterator[Record]:
    """Reads all reviews, in the order of split, label and ID whatever the file system's order.

    path: the `aclImdb` folder, or a tar or tar.gz of it.
    Records: `text` without `<br />`, `cats` of both sentiment labels; `meta["split"]` is "train"
    or "test", `meta["group"]` the movie's URL where the tree has a `urls_*.txt` for the folder.
    Raises: DataError through `on_bad`.
    """
    reviews: Dict[Folder, List[Tuple[str, bytes]]] = {}
    urls: Dict[Folder, Tuple[str, List[bytes]]] = {}
    try:
        members = _tree_members(path) if path.is_dir() else _tar_members(path)
        for name, data in members:
            if review := _REVIEW.search(name):
                reviews.setdefault((review[1], review[2]), []).append((name, data))
            elif listing := _URLS.search(name):
                lines = data.removeprefix(UTF8_BOM).splitlines()
                urls[listing[1], listing[2]] = (name, lines)
        if not reviews:
            raise DataError(Errors.E110, path)
    except DataError as error:
        on_bad.report(error)
        return
    for folder in sorted(reviews):
        for name, data in sorted(reviews[folder], key=_by_id):
            try:
                yield _to_record(name, data, folder, urls.get(folder), path)
            except DataError as error:
                on_bad.report(error)


def clean_review(text: str) -> str:
    """The text with every run of `<br />` as one space."""
    return _BREAKS.sub(" ", text).strip()


def sentiment_cats(label: str) -> Dict[str, float]:
    """The `cats` of a review: `sentiment/positive` and `sentiment/negative`.

    label: "positive" or "negative".
    """
    return {f"{SENTIMENT_TASK}/{name}": float(name == label) for name in SENTIMENT_LABELS}


def _to_record(
    name: str, data: bytes, folder: Folder, urls: Optional[Tuple[str, List[bytes]]], root: Path
) -> Record:
    where = _where(root, name)
    match = _FILE_NAME.fullmatch(name.rpartition("/")[2])
    if match is None:
        raise DataError(Errors.E111, where)
    number, rating = int(match[1]), int(match[2])
    if rating not in _RATINGS[folder[1]]:
        raise DataError(Errors.E112.format(rating=rating, label=folder[1]), where)
    text = clean_review(decode(data.removeprefix(UTF8_BOM), where))
    if not text:
        raise DataError(Errors.E101, where)
    record = Record(text=text, cats=sentiment_cats(_LABELS[folder[1]]))
    record.meta = {"path": str(where), "split": folder[0], "stratum": folder[1], "rating": rating}
    if urls is not None:
        record.meta["group"] = _movie(number, urls, where, root)
    return record


def _movie(number: int, urls: Tuple[str, List[bytes]], review: Path, root: Path) -> str:
    """The URL on line `number` (from 0) of the folder's list."""
    name, lines = urls
    if number >= len(lines):
        message = Errors.E113.format(number=number, lines=len(lines), review=review.name)
        raise DataError(message, _where(root, name), len(lines))
    url = decode(lines[number], _where(root, name), number + 1).strip()
    if not url:
        raise DataError(Errors.E114.format(review=review.name), _where(root, name), number + 1)
    return url


def _where(root: Path, name: str) -> Path:
    """A member's path for messages: within its folder, or behind its archive."""
    return root / name


def _by_id(member: Tuple[str, bytes]) -> Tuple[int, str]:
    match = _FILE_NAME.fullmatch(member[0].rpartition("/")[2])
    return (int(match[1]) if match else -1, member[0])


def _tree_members(root: Path) -> Iterator[Tuple[str, bytes]]:
    for path in sorted(root.rglob("*.*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and (_REVIEW.search(name) or _URLS.search(name)):
            yield name, path.read_bytes()


def _tar_members(path: Path) -> Iterator[Tuple[str, bytes]]:
    """One pass over the archive, in its order: going back in a gz would decompress it anew."""
    try:
        with tarfile.open(path, mode="r:*") as archive:
            for member in archive:
                name = member.name
                if member.isfile() and (_REVIEW.search(name) or _URLS.search(name)):
                    content = archive.extractfile(member)
                    if content is not None:
                        yield name, content.read()
            # The checksum stands after the last file; only reading on finds that it is cut off.
            while archive.fileobj is not None and archive.fileobj.read(1 << 20):
                pass
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(Errors.E115.format(reason=error), path) from None
    except OSError as error:
        raise DataError(Errors.E100.format(reason=error.strerror or error), path) from None


def imdb_row(row: Mapping[str, Any]) -> Record:
    """`text` and `label` (0 negative, 1 positive).

    Raises: DataError for an empty text or another label.
    """
    text, label = row.get("text"), row.get("label")
    if not isinstance(text, str) or not clean_review(text):
        raise DataError(Errors.E135.format(field="text"))
    if label not in (0, 1):
        raise DataError(Errors.E136.format(field="label", form="0 or 1"))
    record = Record(text=clean_review(text), cats=sentiment_cats(HUB_LABELS[label]))
    record.meta["stratum"] = HUB_LABELS[label]
    return record


def find_imdb(root: Path) -> Dict[str, Path]:
    """The tree or archive at a path or just below it. It holds all splits: a review's
    `meta["split"]` says which is its own.

    Raises: MtnlpError (E141) when there is none.
    """
    for path in [root] if root.is_file() else [root / name for name in _NAMES]:
        if path.is_file() or (path / "train").is_dir():
            return {"train": path}
    raise MtnlpError(Errors.E141.format(path=root, wanted="aclImdb/, aclImdb_v1.tar.gz"))


# The hub keeps neither movies nor ratings, so that its reviews have no `meta["group"]`.
IMDB = Dataset(
    name="imdb",
    card=Card(
        title="Large Movie Review Dataset (IMDB)",
        author="Maas et al., 2011",
        url="https://ai.stanford.edu/~amaas/data/sentiment/",
        licence="none stated",
        notice="The reviews belong to their authors; the dataset's makers ask to be cited and "
        "state no licence.",
    ),
    read=lambda path, on_bad, unit: read_imdb(path, on_bad),
    find=find_imdb,
    hub=HubSource("stanfordnlp/imdb", lambda split: imdb_row, splits=("train", "test")),
)
