"""How several corpora are mixed: how many documents of each an epoch has, and in what order."""

import random
from itertools import cycle, islice
from math import ceil
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")

PROPORTIONAL = "proportional"
UNIFORM = "uniform"
POWER = "power"
ROUND_ROBIN = "round_robin"
SAMPLINGS: Tuple[str, ...] = (PROPORTIONAL, UNIFORM, POWER, ROUND_ROBIN)


def seeded(seed: int, *purpose: object) -> random.Random:
    """A generator of its own for each purpose, so that adding a corpus does not change what is
    drawn from the others. Seeded by a string, which Python hashes alike on every machine."""
    return random.Random(repr((seed, *purpose)))


def count_epoch(
    sampling: str, sizes: Sequence[int], weights: Sequence[float], alpha: float
) -> List[int]:
    """The documents of each corpus in an epoch, the same in every epoch.

    sampling: `proportional`: the corpus' size times its weight. `power`: as many in all, in the
        shares `weight * size ** alpha`, rounded by largest remainders, no corpus left with none
        (Devlin et al. 2018, multilingual BERT: alpha 0.7; Conneau and Lample 2019, XLM: 0.5;
        Conneau et al. 2020, XLM-R: 0.3; Arivazhagan et al. 2019 call 1 / alpha the temperature).
        `uniform`: alpha 0. `round_robin`: as many turns as the corpus that needs most of them has,
        `weight` documents of each corpus in a turn.
    sizes, weights: of each corpus, above 0; whole weights for `round_robin`.
    """
    if sampling == ROUND_ROBIN:
        turns = max(ceil(size / weight) for size, weight in zip(sizes, weights, strict=True))
        return [turns * int(weight) for weight in weights]
    counts = [max(1, round(weight * size)) for size, weight in zip(sizes, weights, strict=True)]
    if sampling == PROPORTIONAL:
        return counts
    exponent = 0.0 if sampling == UNIFORM else alpha
    shares = [weight * size**exponent for size, weight in zip(sizes, weights, strict=True)]
    return apportion(sum(counts), shares)


def apportion(total: int, shares: Sequence[float]) -> List[int]:
    """Divides `total` in whole numbers by largest remainders; every share above 0 gets at least 1.

    total: at least the number of shares. shares: positive, of any sum.
    """
    counts = largest_remainders(total, shares)
    for number, count in enumerate(counts):
        if not count:
            counts[counts.index(max(counts))] -= 1
            counts[number] = 1
    return counts


def largest_remainders(
    total: int, shares: Sequence[float], order: Optional[Sequence[int]] = None
) -> List[int]:
    """Divides `total` in whole numbers: each share rounded down, and one more for those with the
    largest remainders.

    shares: of any sum above 0. order: the places of the shares; of equal remainders that which
        stands first here goes first. By default as they come.
    """
    whole = sum(shares)
    exact = [total * share / whole for share in shares]
    counts = [int(count) for count in exact]
    places = range(len(exact)) if order is None else order
    by_remainder = sorted(places, key=lambda place: counts[place] - exact[place])
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return counts


def split_rounds(start: int, stop: int, size: int) -> Iterator[Tuple[int, int, int]]:
    """The places `start` to `stop` of an endless sequence whose rounds have `size` places each.

    Yields: (round, first, last), places counted within the round, `last` not included.
    """
    while start < stop:
        number, first = divmod(start, size)
        last = min(size, first + stop - start)
        yield number, first, last
        start += last - first


def draw_order(counts: Sequence[int], generator: random.Random) -> Iterator[int]:
    """`counts[i]` times each i, in a random order; all orders are equally likely.

    Drawing by what is left of each is the same as shuffling, without a list of all.
    """
    left = list(counts)
    for _ in range(sum(counts)):
        (number,) = generator.choices(range(len(left)), left)
        left[number] -= 1
        yield number


def round_robin(counts: Sequence[int], weights: Sequence[float]) -> Iterator[int]:
    """`weights[i]` times i, for each i in turn, until there are `counts[i]` of each."""
    turn = [number for number, weight in enumerate(weights) for _ in range(int(weight))]
    return islice(cycle(turn), sum(counts))


def shuffle_in_buffer(items: Iterable[T], size: int, generator: random.Random) -> Iterator[T]:
    """Shuffles a stream as far as a buffer of `size` items reaches: a new item takes the place of
    a random one, which goes out; the last `size` are shuffled among themselves."""
    held: List[T] = []
    for item in items:
        if len(held) < size:
            held.append(item)
            continue
        place = generator.randrange(size)
        out, held[place] = held[place], item
        yield out
    generator.shuffle(held)
    while held:
        yield held.pop()
