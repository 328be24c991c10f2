"""The pieces of a fast tokenizer, as its JSON has them, and that JSON with fewer of them."""

import copy
import json
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Set, Tuple

import tokenizers

from ..errors import Errors, MtnlpError

# What sentencepiece writes for a space.
SPACE = "▁"
BYTES = tokenizers.decoders.ByteLevel()


class Merge(NamedTuple):
    """Two neighbouring pieces that BPE makes one of. written: as in the JSON."""

    left: str
    right: str
    result: str
    written: Any


class Pieces:
    """The vocabulary of a fast tokenizer.

    data: the tokenizer's JSON, which is never written.

    ids: every piece's id, those of added tokens included. added: the added tokens, special ones and
    others. unknown: the piece for what no other stands for, or None.
    Raises: MtnlpError E281 for a tokenizer that is neither Unigram, WordPiece nor BPE.
    """

    def __init__(self, data: Dict[str, Any]):
        self.data = data
        self.model: Dict[str, Any] = data["model"]
        self.kind: str = self.model["type"]
        if self.kind not in ("Unigram", "WordPiece", "BPE"):
            raise MtnlpError(Errors.E281.format(kind=self.kind))
        self.scores: List[Tuple[str, float]] = []
        if self.kind == "Unigram":
            self.scores = [(piece, score) for piece, score in self.model["vocab"]]
            own = {piece: i for i, (piece, _) in enumerate(self.scores)}
            index = self.model["unk_id"]
            self.unknown = None if index is None else self.scores[index][0]
        else:
            own = dict(self.model["vocab"])
            self.unknown = self.model["unk_token"]
        self.own_ids: Dict[str, int] = own
        self.added: Dict[str, int] = {
            token["content"]: token["id"] for token in data["added_tokens"]
        }
        self.ids: Dict[str, int] = {**own, **self.added}
        self.prefix: str = self.model.get("continuing_subword_prefix") or ""
        self.suffix: str = self.model.get("end_of_word_suffix") or ""
        parts = [data[name] for name in ("normalizer", "pre_tokenizer", "decoder")]
        self.byte_level = "ByteLevel" in set(types_of(parts))
        self.merges: List[Merge] = [
            self._read_merge(merge) for merge in self.model.get("merges", ())
        ]

    def _read_merge(self, written: Any) -> Merge:
        left, right = written.split(" ") if isinstance(written, str) else written
        return Merge(left, right, left + right.removeprefix(self.prefix), written)

    def text_of(self, piece: str) -> str:
        """What a piece stands for in a text: of bytes those that are whole characters, of others
        all but sentencepiece's spaces."""
        if self.byte_level:
            return BYTES.decode([piece]).replace("\ufffd", "")
        return piece.removeprefix(self.prefix).removesuffix(self.suffix).replace(SPACE, "")

    def forms_of(self, character: str) -> Set[str]:
        """The pieces that a single character may be: alone, and as the beginning, the inside or the
        end of a word."""
        begins = (character, SPACE + character, self.prefix + character)
        return {form for begin in begins for form in (begin, begin + self.suffix)} & set(self.ids)

    def indispensable(self) -> Set[str]:
        """The pieces that a tokenizer needs whatever it reads: added tokens, the unknown piece, and
        all bytes where it falls back on them.

        Of a Unigram also the least likely piece: by its score the unknown piece is scored.
        """
        kept = set(self.added)
        if self.unknown is not None:
            kept.add(self.unknown)
        if self.scores:
            kept.add(min(self.scores, key=lambda entry: entry[1])[0])
        if self.byte_level:
            kept.update(tokenizers.pre_tokenizers.ByteLevel.alphabet())
        if self.model.get("byte_fallback"):
            kept.update(f"<0x{byte:02X}>" for byte in range(256))
        return kept & set(self.ids)

    def greedy_pieces(self, word: str) -> List[str]:
        """The pieces that WordPiece finds in a word before it gives it up as unknown. Without one
        of them it might go on, and find others."""
        found: List[str] = []
        start = 0
        while start < len(word):
            begin = self.prefix if start else ""
            ends = (
                end for end in range(len(word), start, -1) if begin + word[start:end] in self.ids
            )
            stop = next(ends, start)
            if stop == start:
                break
            found.append(begin + word[start:stop])
            start = stop
        return found

    def with_parts(self, kept: Iterable[str]) -> Set[str]:
        """Some pieces, and all that merges make them of, down to single characters."""
        parts: Dict[str, List[Merge]] = {}
        for merge in self.merges:
            parts.setdefault(merge.result, []).append(merge)
        closed: Set[str] = set()
        waiting = list(kept)
        while waiting:
            piece = waiting.pop()
            if piece not in closed:
                closed.add(piece)
                for merge in parts.get(piece, ()):
                    waiting += [merge.left, merge.right]
        return closed

    def cut(self, kept: Set[str]) -> Tuple[Dict[str, Any], List[int]]:
        """The JSON of the tokenizer that has only the pieces `kept`, in the same order.

        kept: with `indispensable` ones and, of BPE, with parts.
        Returns: it, and for each new id the old one.
        """
        own = sorted((id, piece) for piece, id in self.own_ids.items() if piece in kept)
        # Tokens added behind the vocabulary are numbered on from its end.
        own_pieces = {piece for _, piece in own}
        behind = sorted((id, piece) for piece, id in self.added.items() if piece not in own_pieces)
        entries = [*own, *behind]
        new_ids = {piece: new for new, (_, piece) in enumerate(entries)}
        data = copy.deepcopy({name: part for name, part in self.data.items() if name != "model"})
        data["model"] = {**self.model}
        if self.kind == "Unigram":
            data["model"]["vocab"] = [self.scores[id] for id, _ in own]
            if self.unknown is not None:
                data["model"]["unk_id"] = new_ids[self.unknown]
        else:
            data["model"]["vocab"] = {piece: new_ids[piece] for _, piece in own}
        if self.kind == "BPE":
            data["model"]["merges"] = [
                merge.written for merge in self.merges if merge.result in own_pieces
            ]
        for token in data["added_tokens"]:
            token["id"] = new_ids[token["content"]]
        if data.get("padding"):
            data["padding"]["pad_id"] = new_ids[data["padding"]["pad_token"]]
        for processor in dicts_of(data["post_processor"]):
            renumber(processor, new_ids)
        return data, [id for id, _ in entries]


def renumber(processor: Dict[str, Any], ids: Dict[str, int]) -> None:
    """Write new ids into a part of a post-processor: the special tokens of a template, or the pair
    of name and id that BERT's and RoBERTa's own have."""
    kind = processor.get("type")
    if kind == "TemplateProcessing":
        for token in processor["special_tokens"].values():
            token["ids"] = [ids[name] for name in token["tokens"]]
    elif kind in ("BertProcessing", "RobertaProcessing"):
        for end in ("cls", "sep"):
            name, _ = processor[end]
            processor[end] = [name, ids[name]]


def dicts_of(part: Any) -> Iterator[Dict[str, Any]]:
    """All dicts in a part of a JSON, at any depth."""
    if isinstance(part, dict):
        yield part
    if isinstance(part, (dict, list)):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from dicts_of(inner)


def types_of(part: Any) -> Iterator[str]:
    """The types that a part of a tokenizer's JSON is made of."""
    return (inner["type"] for inner in dicts_of(part) if "type" in inner)


def load_plain(data: Dict[str, Any]) -> tokenizers.Tokenizer:
    """The tokenizer of a JSON, without truncation and padding."""
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(data))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
