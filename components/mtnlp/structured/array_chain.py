"""Linear-chain conditional random fields in numpy: the best tags, and how probable entities are.

Shapes: emissions `[batch, seq, tags]`; lengths `[batch]`, real tokens of each row. All is float64
and runs over the positions, each for the rows that reach it: rows are sorted by length for that.
Scores may be -inf where a sequence is left.

What `crf.py` does with tensors. A step of numpy costs a third of one of torch, so that small
batches take a third of the time; there is no gradient.
"""

from typing import NamedTuple, Optional, Tuple

import numpy as np

from ..types import Bools, Doubles, Ints
from .array_scheme import Scheme
from .array_spans import trim_spans, widen_spans

# As in `structured.scaled`, which says why: with factors and variables within these limits nothing
# vanishes in probability space.
LEAST_FACTOR = -170.0
LEAST_VARIABLE = 1e-150
# A score so far below the greatest counts as impossible.
IMPOSSIBLE = 2000.0


class Chain(NamedTuple):
    """transitions: `[tags, tags]`, of the second after the first. start, end: `[tags]`. -inf where
    the tag scheme forbids."""

    transitions: Doubles
    start: Doubles
    end: Doubles

    def divided(self, temperature: float) -> "Chain":
        """All scores over a temperature."""
        return Chain(*(scores / temperature for scores in self))


class Marginals(NamedTuple):
    """Logs of forward and backward scores, `[batch, seq, tags]`, and of the partition, `[batch]`;
    what they are at padding is not said."""

    alpha: Doubles
    beta: Doubles
    total: Doubles


def find_entities(
    emissions: Doubles,
    mask: Bools,
    chain: Chain,
    scheme: Scheme,
    temperature: float = 1.0,
    space: Optional[Bools] = None,
) -> Tuple[Ints, Doubles]:
    """The entities of the best tag sequences, and the exact probability of each: that of all
    sequences which have it, with or without white space around it.

    mask: `[batch, seq]`, a prefix of each row. temperature: what scores are divided by where
    probabilities are computed from them. space: `[batch, seq]`, the tokens of white space; None
    where none is.
    Returns: `[n, 4]`, document, start, end, label index, and `[n]`.
    """
    lengths = mask.sum(1)
    spans = scheme.spans(best_tags(emissions, lengths, chain), mask)
    if temperature != 1.0:
        emissions, chain = emissions / temperature, chain.divided(temperature)
    if space is None:
        return spans, np.exp(log_probabilities(emissions, lengths, chain, spans, scheme))
    spans = trim_spans(spans, space)
    wider, owner = widen_spans(spans, space)
    each = np.exp(log_probabilities(emissions, lengths, chain, wider, scheme))
    return spans, np.minimum(np.bincount(owner, each, minlength=len(spans)), 1.0)


def best_tags(emissions: Doubles, lengths: Ints, chain: Chain) -> Ints:
    """`[batch, seq]`: the best sequence of each row, 0 at padding. Of equally good tags the first
    wins."""
    order, rows, reach = by_length(emissions, lengths)
    tags = np.zeros(emissions.shape[:2], dtype=np.int64)
    if not len(reach) or not reach[0]:
        return tags
    into = np.ascontiguousarray(chain.transitions.T)
    reached = reach.tolist()
    rows[:, 0] += chain.start
    # A maximum over all pairs of tags costs much less without its index, which is worked out along
    # the best path alone.
    for t, n in enumerate(reached[1:], start=1):
        rows[:n, t] += (rows[:n, t - 1, None] + into).max(2)
    ends, places = last_tokens(reach), np.arange(reached[0])
    found = np.zeros_like(tags)
    found[places, ends] = (rows[places, ends] + chain.end).argmax(1)
    for t in range(len(reached) - 1, 0, -1):
        n = reached[t]
        found[:n, t - 1] = (rows[:n, t - 1] + into[found[:n, t]]).argmax(1)
    tags[order] = found
    return tags


def log_probabilities(
    emissions: Doubles, lengths: Ints, chain: Chain, spans: Ints, scheme: Scheme
) -> Doubles:
    """`[n]`: the log of the probability that exactly these entities are there, `[n, 4]`, each for
    itself; see `structured.crf.span_log_probability`."""
    if not len(spans):
        return np.zeros(0)
    # Only texts with entities need both passes.
    texts, doc = np.unique(spans[:, 0], return_inverse=True)
    emissions, lengths = emissions[texts], lengths[texts]
    marginals = find_marginals(emissions, lengths, chain)
    start, stop = spans[:, 1], spans[:, 2]
    first, inside, last = scheme.path(spans)
    step = np.arange(int((stop - start).max()))
    tag = np.where(step == (stop - start)[:, None] - 1, last[:, None], inside[:, None])
    tag = np.where(step == 0, first[:, None], tag)
    # Beyond its end a span repeats its last token, which counts for nothing.
    token = np.minimum(start[:, None] + step, stop[:, None] - 1)
    along = emissions[doc[:, None], token, tag][:, 1:]
    along = along + chain.transitions[tag[:, :-1], tag[:, 1:]]
    along = np.where((step < (stop - start)[:, None])[:, 1:], along, 0.0).sum(1)
    at_end = stop == lengths[doc]
    behind = np.where(at_end, stop - 1, stop)
    onward = chain.transitions[last] + emissions[doc, behind] + marginals.beta[doc, behind]
    onward = np.where(scheme.extending(last, onward.shape[1]), -np.inf, onward)
    onward = np.where(at_end, chain.end[last], log_sum(onward, 1))
    found = marginals.alpha[doc, start, first] + along + onward - marginals.total[doc]
    # Rounding may lift a certain entity a little above 1.
    return np.minimum(found, 0.0)


def find_marginals(emissions: Doubles, lengths: Ints, chain: Chain) -> Marginals:
    """Of rows with at least one token: in probability space, which is ten times as fast, where no
    score can vanish there; else in log space."""
    order, rows, reach = by_length(emissions, lengths)
    # What underflows there is found out, and not taken.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = scaled_marginals(rows, reach, chain)
    found = found or log_marginals(rows, reach, chain)
    back = np.argsort(order)
    return Marginals(*(values[back] for values in found))


def by_length(emissions: Doubles, lengths: Ints) -> Tuple[Ints, Doubles, Ints]:
    """The rows' order, the longest first; the rows in it; how many of them reach each position."""
    order = np.argsort(-lengths, kind="stable")
    longest = int(lengths.max(initial=0))
    reach = (lengths[:, None] > np.arange(longest)).sum(0)
    return order, emissions[order].astype(np.float64), reach


def last_tokens(reach: Ints) -> Ints:
    """`[rows]`: the position of each row's last token. reach: as from `by_length`."""
    return (np.arange(reach[0])[:, None] < reach).sum(1) - 1


def scaled_marginals(rows: Doubles, reach: Ints, chain: Chain) -> Optional[Marginals]:
    """As `find_marginals`, sorted; None where something could vanish."""
    real = np.arange(rows.shape[1]) <= last_tokens(reach)[:, None]
    tokens = np.where(real[..., None], rows, 0.0)
    peak = tokens.max(2, keepdims=True)
    parts = (tokens - peak, *((scores - scores.max()) for scores in chain))
    if not all(part[part > -IMPOSSIBLE].min(initial=0.0) >= LEAST_FACTOR for part in parts):
        return None
    weights, pairs, begin, finish = map(np.exp, parts)
    alpha, beta = np.zeros_like(weights), np.zeros_like(weights)
    norm = np.ones(weights.shape[:2])
    for t, n in enumerate(reach):
        current = weights[:n, t] * (begin if t == 0 else alpha[:n, t - 1] @ pairs)
        norm[:n, t] = current.sum(1)
        alpha[:n, t] = current / norm[:n, t, None]
    ends, places = last_tokens(reach), np.arange(len(rows))
    final = alpha[places, ends] @ finish
    beta[places, ends] = finish / final[:, None]
    for t in range(len(reach) - 1, 0, -1):
        n = reach[t]
        onward = weights[:n, t] * beta[:n, t] / norm[:n, t, None]
        beta[:n, t - 1] = onward @ pairs.T
    least = min(part[part != 0.0].min(initial=1.0) for part in (alpha, beta))
    if not (least >= LEAST_VARIABLE and beta.max() <= 1 / LEAST_VARIABLE):  # NaN must fail, too
        return None
    scale = np.log(norm) + peak[..., 0] * real
    scale[:, 0] += chain.start.max()
    scale[:, 1:] += chain.transitions.max() * real[:, 1:]
    until = np.cumsum(scale, axis=1)
    total = until[:, -1] + np.log(final) + chain.end.max()
    with np.errstate(divide="ignore"):
        alpha, beta = np.log(alpha), np.log(beta)
    return Marginals(alpha + until[..., None], beta + (total[:, None] - until)[..., None], total)


def log_marginals(rows: Doubles, reach: Ints, chain: Chain) -> Marginals:
    """As `find_marginals`, sorted."""
    alpha, beta = np.full_like(rows, -np.inf), np.full_like(rows, -np.inf)
    alpha[:, 0] = rows[:, 0] + chain.start
    for t, n in enumerate(reach[1:], start=1):
        paths = alpha[:n, t - 1, :, None] + chain.transitions
        alpha[:n, t] = log_sum(paths, 1) + rows[:n, t]
    ends, places = last_tokens(reach), np.arange(len(rows))
    beta[places, ends] = chain.end
    for t in range(len(reach) - 1, 0, -1):
        n = reach[t]
        paths = chain.transitions + (rows[:n, t] + beta[:n, t])[:, None]
        beta[:n, t - 1] = log_sum(paths, 2)
    return Marginals(alpha, beta, log_sum(alpha[places, ends] + chain.end, 1))


def log_sum(scores: Doubles, axis: int) -> Doubles:
    """The log of the summed exponentiated scores; -inf where all are."""
    peak = scores.max(axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore"):
        summed: Doubles = np.log(np.exp(scores - peak).sum(axis)) + peak.squeeze(axis)
    return summed


def hold_to(emissions: Doubles, allowed: Bools) -> Doubles:
    """-inf for the tags that are not allowed, `[batch, seq, tags]`; a token that allows none counts
    as free."""
    return np.where(allowed | ~allowed.any(-1, keepdims=True), emissions, -np.inf)
