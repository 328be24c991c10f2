"""Rows of tokens whose mean is the mean over a text's wordpieces."""

from typing import List, Sequence, cast

import numpy as np
import torch
from spacy_transformers.data_classes import TransformerData
from thinc.api import get_current_ops, torch2xp
from thinc.types import Floats2d

from ..types import Bools
from .doc_data import SharedStates, whole_batch
from .listener import has_text, hidden_of, is_empty
from .tensors import to_device


def wordpiece_rows(datas: Sequence[TransformerData]) -> List[Floats2d]:
    """Rows `[tokens, width]` per Doc whose mean is the mean over the Doc's wordpieces.

    A wordpiece's vector is shared out among the tokens it stands for; special tokens and the
    space between tokens go to the token before them, or the first. The sum over a span's rows is
    then the sum over the span's wordpieces.
    """
    full = [data for data in datas if has_text(data)]
    made = iter(share_out(full) if full else ())
    return [next(made) if has_text(data) else blank_rows(data) for data in datas]


def blank_rows(data: TransformerData) -> Floats2d:
    """Zeros, for a Doc without text."""
    width = 0 if is_empty(data) else data.width
    return cast(Floats2d, get_current_ops().alloc2f(len(data.align.lengths), width))


def share_out(datas: Sequence[TransformerData]) -> List[Floats2d]:
    """`wordpiece_rows` of Docs that have text, all in one operation."""
    batch = whole_batch(datas) or join_batch(datas)
    hidden, wordpieces, lengths = batch.states["last_hidden_state"], batch.wordpieces, batch.lengths
    sizes, counts = batch.sizes, batch.tokens
    begins, firsts = np.cumsum(sizes) - sizes, np.cumsum(counts) - counts
    tokens = np.repeat(np.arange(len(lengths)), lengths)
    # Nobody's wordpieces go to the last token that begins before them.
    owners = np.bincount(wordpieces, minlength=sizes.sum())
    real = np.concatenate([real_rows(data) for data in datas])
    orphans = np.flatnonzero((owners == 0) & real)
    starts = np.maximum.accumulate(wordpieces[np.cumsum(lengths) - lengths])
    own = np.searchsorted(begins, orphans, side="right") - 1
    adopters = np.maximum(np.searchsorted(starts, orphans, side="right") - 1, firsts[own])
    scale = counts / np.add.reduceat(real.astype(np.int64), begins)
    arrays = [np.concatenate([wordpieces, orphans]), np.concatenate([tokens, adopters])]
    origin, target = to_device(arrays, hidden.device)
    share = np.repeat(scale, sizes) / np.maximum(owners, 1)
    weights = torch.from_numpy(share.astype(np.float32)).to(hidden.device)
    rows = hidden.new_zeros((len(lengths), hidden.shape[1]))
    rows.index_add_(0, target, (hidden * weights.unsqueeze(1))[origin])
    return [cast(Floats2d, torch2xp(part)) for part in rows.split(counts.tolist())]


def join_batch(datas: Sequence[TransformerData]) -> SharedStates:
    """What Docs with text would have together, had they been encoded as one batch."""
    states = [hidden_of(data) for data in datas]
    sizes = np.array([len(part) for part in states])
    begins = np.cumsum(sizes) - sizes
    return SharedStates(
        states={"last_hidden_state": torch.cat(states)},
        sizes=sizes,
        tokens=np.array([len(data.align.lengths) for data in datas]),
        windows=np.concatenate([np.asarray(data.wordpieces.lengths) for data in datas]),
        wordpieces=np.concatenate(
            [np.asarray(data.align.dataXd) + begins[i] for i, data in enumerate(datas)]
        ),
        lengths=np.concatenate([np.asarray(data.align.lengths) for data in datas]),
    )


def real_rows(data: TransformerData) -> Bools:
    """`[rows]`: which hidden states are of wordpieces. The others are padding, which only the
    encoders of spacy-transformers leave in."""
    return (np.asarray(data.wordpieces.attention_mask) > 0).reshape(-1)
