"""The encoder's output for a batch and for one Doc, without padding."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, cast

import numpy as np
import torch
from spacy_transformers.data_classes import FullTransformerBatch, TransformerData, WordpieceBatch
from thinc.api import torch2xp, xp2torch
from thinc.types import Floats2d, Ragged
from transformers.file_utils import ModelOutput

from ..types import Ints
from .tensors import to_device

# Where spaCy keeps `doc._.trf_data`. Read here, it is not looked up among all extensions.
TRF_DATA: Any = ("._.", "trf_data", None, None)


class Side(NamedTuple):
    """What the encoder read of one side of a Doc with separators (see `annotation.pairs`).

    wordpieces, windows, tokens: how many are its own. has_text: as for `DocLayout`.
    """

    wordpieces: int
    windows: int
    tokens: int
    has_text: bool


@dataclass(eq=False)
class SharedStates:
    """What the Docs of a batch have together, one behind the other, so that a layer over all of
    them need not join it again. Docs without tokens are not among them.

    states: `[wordpieces, width]` by name, as in `model_output`. sizes, tokens: `[docs]` wordpieces
    and tokens of each. windows: `[windows]` wordpieces of each window. wordpieces: `[pairs]` rows
    of the states, grouped by token. lengths: `[tokens of the batch]` wordpieces of each.
    """

    states: Dict[str, torch.Tensor]
    sizes: Ints
    tokens: Ints
    windows: Ints
    wordpieces: Ints
    lengths: Ints


@dataclass
class EncodedDoc(TransformerData):
    """A `TransformerData` whose windows lie one behind the other, without padding.

    `model_output.last_hidden_state` is `[1, wordpieces, width]`, special tokens included, and
    `model_output.layer_3` likewise where the encoder hands out its third layer, too;
    `wordpieces.lengths` holds the length of each window. `token_vectors` `[tokens, width]` are
    the means over each token's wordpieces, computed once for all listeners. `has_text` is False
    where nothing but a stand-in was encoded: see `DocLayout`. `shared` is the batch it was encoded
    in, and `place` its number there; a copy, and what is saved, is without them. `sides` are those
    of a Doc with separators, in order; none of any other.
    """

    token_vectors: Optional[Floats2d] = None
    has_text: bool = True
    sides: Tuple[Side, ...] = ()
    shared: Optional[SharedStates] = field(default=None, repr=False, compare=False)
    place: int = field(default=0, repr=False, compare=False)

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "shared": None}


@dataclass
class EncodedBatch(FullTransformerBatch):
    """A batch whose per-Doc data was split when it was made, so that alignment and pooling happen
    once per batch. `model_output.last_hidden_state` is `[wordpieces of the batch, width]`."""

    def unsplit_by_doc(self, arrays: List[List[Any]]) -> "EncodedBatch":
        """Join the per-Doc gradients.

        arrays: one list a non-empty Doc, its members as those of `EncodedDoc.model_output`.
        Returns: a batch whose `model_output` is the gradient.
        """
        gradient = ModelOutput()
        for i, (name, hidden) in enumerate(self.model_output.items()):
            parts = [xp2torch(doc_arrays[i])[0] for doc_arrays in arrays]
            # There are none where no listener had a gradient to give.
            gradient[name] = torch.cat(parts) if parts else torch.zeros_like(hidden)
        return EncodedBatch(
            spans=self.spans, wordpieces=self.wordpieces, model_output=gradient, align=self.align
        )


@dataclass
class DocLayout:
    """Where a Doc's data lies in the flat batch.

    index: position of the Doc in the batch. ids: its wordpiece ids, special tokens included.
    strings: their texts. window_lengths: wordpieces a window. wordpieces, lengths: the alignment,
    relative to the Doc. has_text: False where the Doc is white space alone, or the tokenizer makes
    no wordpiece of it: one then stands for all tokens, and says nothing of them. sides: as for
    `EncodedDoc`.
    """

    index: int
    ids: Ints
    strings: List[str]
    window_lengths: List[int]
    wordpieces: Ints
    lengths: Ints
    has_text: bool = True
    sides: Tuple[Side, ...] = ()


def join_layouts(parts: Sequence[DocLayout]) -> DocLayout:
    """The layout of a Doc from those of its sides; that of the only one as it is."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(part.ids) for part in parts)])
    pairs = [part.wordpieces + start for part, start in zip(parts, starts, strict=False)]
    return DocLayout(
        index=parts[0].index,
        ids=np.concatenate([part.ids for part in parts]),
        strings=[string for part in parts for string in part.strings],
        window_lengths=[length for part in parts for length in part.window_lengths],
        wordpieces=np.concatenate(pairs),
        lengths=np.concatenate([part.lengths for part in parts]),
        has_text=any(part.has_text for part in parts),
        sides=tuple(
            Side(len(part.ids), len(part.window_lengths), len(part.lengths), part.has_text)
            for part in parts
        ),
    )


def mean_by_token(hidden: torch.Tensor, wordpieces: torch.Tensor, lengths: torch.Tensor) -> Any:
    """Mean of each token's wordpiece vectors.

    hidden: `[wordpieces, width]`. wordpieces: `[pairs]` rows of hidden, grouped by token.
    lengths: `[tokens]`. Returns: `[tokens, width]`.
    """
    tokens = torch.repeat_interleave(
        torch.arange(len(lengths), device=hidden.device),
        lengths,
        # A GPU need not be asked for it.
        output_size=len(wordpieces),
    )
    sums = hidden.new_zeros((len(lengths), hidden.shape[1]))
    sums.index_add_(0, tokens, hidden[wordpieces])
    return sums / lengths.clamp(min=1).unsqueeze(1)


def make_batch(
    n_docs: int,
    spans: List[List[Any]],
    layouts: List[DocLayout],
    states: Sequence[torch.Tensor],
    inner: Sequence[int],
) -> EncodedBatch:
    """Split the flat hidden states into per-Doc views.

    layouts: the non-empty Docs in order. states: `[wordpieces of the batch, width]` of the last
    layer, then of those of `inner`.
    """
    names = ["last_hidden_state", *map(layer_name, inner)]
    output, hidden = ModelOutput(zip(names, states, strict=True)), states[0]
    doc_sizes = [len(layout.ids) for layout in layouts]
    doc_starts = np.cumsum([0, *doc_sizes])
    pairs = np.concatenate(
        [layout.wordpieces + start for layout, start in zip(layouts, doc_starts, strict=False)]
    )
    lengths = np.concatenate([layout.lengths for layout in layouts])
    vectors = mean_by_token(hidden, *to_device([pairs, lengths], hidden.device))
    shared = SharedStates(
        states=dict(output),
        sizes=np.array(doc_sizes),
        tokens=np.array([len(layout.lengths) for layout in layouts]),
        windows=np.array([n for layout in layouts for n in layout.window_lengths]),
        wordpieces=pairs,
        lengths=lengths,
    )
    output_xp = {name: cast(Any, torch2xp(states)) for name, states in output.items()}
    vectors_xp = cast(Any, torch2xp(vectors))
    data: List[TransformerData] = [TransformerData.empty() for _ in range(n_docs)]
    token = 0
    for place, (layout, start) in enumerate(zip(layouts, doc_starts, strict=False)):
        n = len(layout.ids)
        data[layout.index] = EncodedDoc(
            wordpieces=flat_wordpieces(layout.ids, layout.strings, layout.window_lengths),
            model_output=ModelOutput(
                {name: states[start : start + n][None] for name, states in output_xp.items()}
            ),
            align=ragged(layout.wordpieces, layout.lengths),
            token_vectors=vectors_xp[token : token + len(layout.lengths)],
            has_text=layout.has_text,
            sides=layout.sides,
            shared=shared,
            place=place,
        )
        token += len(layout.lengths)
    return EncodedBatch(
        spans=spans,
        wordpieces=flat_wordpieces(
            np.concatenate([layout.ids for layout in layouts]),
            [string for layout in layouts for string in layout.strings],
            [length for layout in layouts for length in layout.window_lengths],
        ),
        model_output=output,
        align=ragged(pairs, lengths),
        cached_doc_data=data,
    )


def whole_batch(datas: Sequence[TransformerData]) -> Optional[SharedStates]:
    """What these have together, where they are all Docs of a batch that have tokens, in order; else
    None."""
    shared = getattr(datas[0], "shared", None) if datas else None
    if shared is None or len(datas) != len(shared.sizes):
        return None
    for i, data in enumerate(datas):
        if getattr(data, "shared", None) is not shared or cast(EncodedDoc, data).place != i:
            return None
    return cast(SharedStates, shared)


def layer_name(layer: int) -> str:
    """What the hidden states of a layer are called in `model_output`."""
    return f"layer_{layer}"


def empty_batch(n_docs: int, width: int) -> EncodedBatch:
    """The batch of Docs without tokens, which the encoder has nothing to do for."""
    batch = cast(EncodedBatch, EncodedBatch.empty(n_docs))
    batch.model_output = ModelOutput(last_hidden_state=torch.zeros((0, width)))
    return batch


def flat_wordpieces(ids: Ints, strings: List[str], window_lengths: List[int]) -> WordpieceBatch:
    """Wordpieces as one unpadded row."""
    return WordpieceBatch(
        strings=[strings],
        input_ids=cast(Any, ids[None]),
        attention_mask=cast(Any, np.ones((1, len(ids)), dtype="float32")),
        lengths=window_lengths,
        token_type_ids=None,
    )


def ragged(wordpieces: Ints, lengths: Ints) -> Ragged:
    return Ragged(cast(Any, wordpieces.astype("int32")), cast(Any, lengths.astype("int32")))
