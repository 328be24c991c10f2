"""Other readings of a text than a given one, in numpy: the best that has not a certain entity, and
how probable it is that a stretch of a text is read in a certain way.

Shapes as in `array_chain.py`: emissions `[batch, seq, tags]`, lengths `[batch]`, spans `[n, 4]`:
row, start, end, label index. All is exact, and float64.
"""

from typing import Tuple

import numpy as np

from ..types import Bools, Doubles, Ints
from .array_chain import Chain, best_tags, by_length, find_marginals, hold_to, last_tokens
from .array_scheme import Scheme


def max_marginals(emissions: Doubles, lengths: Ints, chain: Chain) -> Doubles:
    """`[batch, seq, tags]`: the score of the best sequence of each row that has this tag at this
    token; what it is at padding is not said. Rows have a token at least."""
    order, rows, reach = by_length(emissions, lengths)
    before, after = np.zeros_like(rows), np.zeros_like(rows)
    before[:, 0] = rows[:, 0] + chain.start
    into = np.ascontiguousarray(chain.transitions.T)
    for t, n in enumerate(reach[1:], start=1):
        before[:n, t] = (before[:n, t - 1, None] + into).max(2) + rows[:n, t]
    after[np.arange(len(rows)), last_tokens(reach)] = chain.end
    for t in range(len(reach) - 1, 0, -1):
        n = reach[t]
        after[:n, t - 1] = (chain.transitions + (rows[:n, t] + after[:n, t])[:, None]).max(2)
    found: Doubles = (before + after)[np.argsort(order)]
    return found


def best_without(
    emissions: Doubles, lengths: Ints, chain: Chain, spans: Ints, scheme: Scheme
) -> Ints:
    """`[n, seq]`: for each of `spans` the best sequence of its row in which exactly this entity is
    not there: one of its tokens has another tag, or the next token goes on with it.

    Each is the best of the sequences that differ at some one token, so the maxima by token and tag
    say where, and one more Viterbi pass finds it. Time grows with n times the length of the rows.
    """
    row, start, end, _ = spans.T
    first, inside, last = scheme.path(spans)
    size = emissions.shape[2]
    best = max_marginals(emissions, lengths, chain)
    step = np.arange(int((end - start).max()) + 1)
    token = np.minimum(start[:, None] + step, lengths[row][:, None] - 1)
    own = np.where(step == (end - start)[:, None] - 1, last[:, None], inside[:, None])
    own = np.where(step == 0, first[:, None], own)
    # What breaks the entity: within it each tag but its own, behind it what goes on with it.
    breaks = np.arange(size) != own[..., None]
    behind = step == (end - start)[:, None]
    breaks = np.where(behind[..., None], scheme.extending(last, size)[:, None], breaks)
    breaks &= (start[:, None] + step < np.minimum(end + 1, lengths[row])[:, None])[..., None]
    values = np.where(breaks, best[row[:, None], token], -np.inf).reshape(len(spans), -1)
    place, tag = np.divmod(values.argmax(1), size)
    held = emissions[row]
    number = np.arange(len(spans))
    where = token[number, place]
    kept = held[number, where, tag]
    held[number, where] = -np.inf
    held[number, where, tag] = kept
    return best_tags(held, lengths[row], chain)


def spell(spans: Ints, shape: Tuple[int, int], scheme: Scheme) -> Ints:
    """`[batch, seq]`: spans that do not overlap as tags, 0 (O) elsewhere. shape: of that."""
    tags = np.zeros(shape, dtype=np.int64)
    row, start, end, _ = spans.T
    first, inside, last = scheme.path(spans)
    length = end - start
    owner = np.repeat(np.arange(len(spans)), length)
    tags[row[owner], start[owner] + np.arange(len(owner)) - (np.cumsum(length) - length)[owner]] = (
        inside[owner]
    )
    tags[row, end - 1] = last
    tags[row, start] = first
    return tags


def stretch_log_probability(
    emissions: Doubles,
    lengths: Ints,
    chain: Chain,
    stretches: Ints,
    spans: Ints,
    scheme: Scheme,
) -> Doubles:
    """`[n]`: the log of the probability that a stretch of each row has exactly these entities: each
    of them, no other one, and none that goes on behind it; whatever is around it.

    emissions, lengths: a row for each stretch. stretches: `[n, 2]`, start and end. spans: those of
    all stretches, within them, none overlapping; `row` is that of the stretch.
    """
    size, seq = emissions.shape[2], emissions.shape[1]
    tags = spell(spans, (len(stretches), seq), scheme)
    place = np.arange(seq)
    within = (place >= stretches[:, :1]) & (place < stretches[:, 1:])
    allowed: Bools = ~within[..., None] | (np.arange(size) == tags[..., None])
    number, end = np.arange(len(stretches)), stretches[:, 1]
    inner = end < lengths
    onward = scheme.extending(tags[number, end - 1], size)
    allowed[number[inner], end[inner]] &= ~onward[inner]
    total = find_marginals(emissions, lengths, chain).total
    found = find_marginals(hold_to(emissions, allowed), lengths, chain).total - total
    # Rounding may lift a certain reading a little above 1.
    return np.minimum(found, 0.0)
