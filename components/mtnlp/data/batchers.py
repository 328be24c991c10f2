"""Batches of like cost: as many documents as fill a budget of wordpieces."""

import itertools
from functools import lru_cache
from typing import (
    Callable,
    Dict,
    Hashable,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from spacy.tokens import Doc
from spacy.training import Example
from transformers import AutoTokenizer

from ..annotation.categories import task_of
from ..annotation.layers import EntsLayer
from ..errors import Errors, MtnlpError
from ..models.trained_encoder import encoder_source
from ..ranges import COUNT, NOT_NEGATIVE, POSITIVE, Range, require

ItemT = TypeVar("ItemT", Doc, Example)

PIECES_PER_CHARACTER = 1 / 8
PIECES_PER_TOKEN = 1 / 2
SPECIAL_PIECES = 2


def create_wordpiece_batcher_v1(
    size: Union[int, Sequence[int]],
    tolerance: float = 0.2,
    max_docs: int = 0,
    tokenizer: Optional[str] = None,
    single_task: bool = False,
    min_docs: int = 0,
) -> Callable[[Iterable[Example]], Iterable[List[Example]]]:
    """Creates the batcher `mtnlp.WordpieceBatcher.v1`. See `minibatch_by_wordpieces`.

    tokenizer: name or path of the encoder whose tokenizer counts the wordpieces; None: they are
        estimated, which is right for English and much too low for a script that the encoder hardly
        knows. Raises: MtnlpError E204, when the first batch is asked for, where there is none.
    single_task: whether a batch holds documents of one task only: those annotated in the same
        `task_layers`, which are collected, in any order of the documents, until they fill a batch.
        A document annotated for two tasks is one of both. Every step is then one task's; what
        `[training] accumulate_gradient` cuts a batch into is, too, being sorted by length within
        it. A pipe's loss is divided by the same constant in all batches, so its losses of an
        epoch add up to the same; they come in fewer and larger steps.
    """
    for number in [size] if isinstance(size, int) else size if isinstance(size, list) else []:
        require("mtnlp.WordpieceBatcher.v1", POSITIVE, size=number)
    require("mtnlp.WordpieceBatcher.v1", NOT_NEGATIVE, tolerance=tolerance)
    require("mtnlp.WordpieceBatcher.v1", COUNT, max_docs=max_docs, min_docs=min_docs)
    above = Range(f"0, or from min_docs ({min_docs}) on", lambda most: not 0 < most < min_docs)
    require("mtnlp.WordpieceBatcher.v1", above, max_docs=max_docs)
    group = task_layers if single_task else None

    def batch(examples: Iterable[Example]) -> Iterable[List[Example]]:
        # Not before: a config is also resolved where its encoder is not at hand.
        count = wordpiece_counter(tokenizer) if tokenizer else None
        return minibatch_by_wordpieces(examples, size, tolerance, max_docs, count, group, min_docs)

    return batch


def minibatch_by_wordpieces(
    items: Iterable[ItemT],
    size: Union[int, Iterable[int]],
    tolerance: float = 0.2,
    max_docs: int = 0,
    count: Optional[Callable[[Union[Doc, Example]], float]] = None,
    group: Optional[Callable[[Union[Doc, Example]], Hashable]] = None,
    min_docs: int = 0,
) -> Iterator[List[ItemT]]:
    """Batches Examples or Docs by their wordpieces, so that a long review and forty short
    sentences cost the encoder alike. The order is kept, within each group; nothing is sorted or
    left out.

    size: wordpieces a batch should have: a number, or one number per batch (a list or one of
        thinc's schedules; the last one holds when they run out).
    tolerance: a batch is closed once it has reached `size`, and no document may bring it above
        `size * (1 + tolerance)`. A document larger than that makes a batch of its own.
    max_docs: the most documents in a batch, 0 for any number.
    count: the wordpieces of an item, `estimate_wordpieces` by default.
    group: no batch mixes items for which this differs. Batches come as they are filled, the
        unfilled rest of each group at the end, in the order in which groups were first seen.
    min_docs: a batch with fewer documents goes on being filled, above `size`, too: of two reviews
        the gradient of a classifier is mostly noise. A batch holds them all at once, so the longest
        texts decide what that takes of memory.
    """
    count = count or estimate_wordpieces
    sizes = itertools.repeat(size) if isinstance(size, int) else iter(size)
    target = next(sizes)
    batches: Dict[Hashable, List[ItemT]] = {}
    pieces: Dict[Hashable, float] = {}
    for item in items:
        cost = count(item)
        key = group(item) if group else None
        batch = batches.setdefault(key, [])
        filled = pieces.get(key, 0.0)
        full = filled >= target or len(batch) == max_docs > 0
        is_enough = len(batch) >= max(1, min_docs)
        if is_enough and (full or filled + cost > target * (1 + tolerance)):
            yield batch
            target = next(sizes, target)
            batches[key], filled = [], 0.0
        batches[key].append(item)
        pieces[key] = filled + cost
    yield from batches.values()


def estimate_wordpieces(item: Union[Doc, Example]) -> float:
    """About how many wordpieces an encoder sees for a Doc (an Example's `predicted`).

    No tokenizer is needed: characters / 8 + tokens / 2, and 2 for the special tokens. A piece
    begins with each token, and long tokens are cut: both terms together come within 2% of the
    MiniLM tokenizer's own count over 300 IMDB reviews and over 2,000 CoNLL-2003 sentences, where
    characters / 4 is 6% above it. A text in a script the tokenizer hardly knows has more
    pieces (Russian with MiniLM four times as many): count them by `wordpiece_counter`.
    """
    doc = _doc(item)
    if not len(doc):
        return SPECIAL_PIECES
    characters = doc[-1].idx + len(doc[-1])
    return characters * PIECES_PER_CHARACTER + len(doc) * PIECES_PER_TOKEN + SPECIAL_PIECES


def task_layers(item: Union[Doc, Example]) -> Tuple[str, ...]:
    """The layers a Doc (an Example's `reference`) is annotated in, which tell its tasks: "ents",
    the keys of `doc.spans`, and the tasks of `doc.cats` (of "sentiment/positive": "sentiment")."""
    doc = item.reference if isinstance(item, Example) else item
    entities = ["ents"] if EntsLayer().is_annotated(doc) else []
    spans = sorted(f"spans {key}" for key in doc.spans)
    cats = sorted({f"cats {task_of(key) or key}" for key in doc.cats})
    return (*entities, *spans, *cats)


# Every pipe counts its units in batches of its own making.
@lru_cache(maxsize=1)
def wordpiece_counter(name: str) -> Callable[[Union[Doc, Example]], float]:
    """A function that counts what an encoder's tokenizer makes of a Doc (an Example's `predicted`),
    special tokens included.

    name: the encoder's name or path, or that of a trained pipeline. Raises: MtnlpError E204 where
    its tokenizer cannot be loaded, E773 where the pipeline has no transformer or several.
    """
    try:
        with encoder_source(name) as source:
            tokenizer = AutoTokenizer.from_pretrained(source)
    except MtnlpError:
        raise
    except (OSError, ValueError) as error:
        raise MtnlpError(Errors.E204.format(name=name, error=error)) from error

    def count(item: Union[Doc, Example]) -> float:
        return len(tokenizer(_doc(item).text, verbose=False)["input_ids"])

    return count


def _doc(item: Union[Doc, Example]) -> Doc:
    return item.predicted if isinstance(item, Example) else item
