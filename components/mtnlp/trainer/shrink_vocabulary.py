"""A smaller encoder that says the same: the wordpieces that some languages need, and no others.

Source: Abdaoui, Pradel and Sigel, 2020, "Load What You Need: Smaller Versions of Multilingual
BERT". Most weights of a multilingual encoder are the embeddings of its pieces, and a text reads few
of them.
"""

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import tokenizers
import torch
from safetensors.torch import load_file, save
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from ..data.options import Progress, quiet
from ..data.texts import find_texts
from ..errors import Errors, MtnlpError
from ..files import copy_file, fresh_folder, is_replaceable, write_bytes, write_text
from .backbone import SENTENCE_TRANSFORMERS, fetch_backbone
from .kept_pieces import (
    Agreement,
    basic_characters,
    compare_tokenizers,
    pieces_of_alphabets,
    pieces_of_texts,
)
from .tokenizer_json import Pieces, load_plain


@dataclass(frozen=True)
class Size:
    """pieces: of the vocabulary. parameters: in the weights. weights, files: bytes of the weights,
    and of all files."""

    pieces: int
    parameters: int
    weights: int
    files: int


@dataclass(frozen=True)
class Shrunk:
    """What `shrink_vocabulary` did.

    kept: pieces by what they are kept for; those of a later reason that no earlier one has.
    texts: how many were read, all of which are cut into the same pieces as before. left_out: files
    in the folders that are no texts, by the end of their names. heads: weights that are no part of
    the encoder, by name, which are left out. check: on the texts held out, if there were any.
    """

    before: Size
    after: Size
    kept: Dict[str, int]
    texts: int
    left_out: Counter
    heads: List[str]
    check: Optional[Agreement]


def shrink_vocabulary(
    name: str,
    output: Path,
    texts: Sequence[Path] = (),
    alphabets: Sequence[str] = (),
    check: Sequence[Path] = (),
    progress: Progress = quiet,
) -> Shrunk:
    """Write the encoder `name` with only the pieces that some texts and alphabets need.

    name: a local folder, or a name as for `fetch_backbone`. output: another folder, which is
        replaced.
    texts: .txt files, .spacy corpora, folders with such. Their pieces and single characters stay,
        and they are cut into the same pieces as before.
    alphabets: such as "cyrillic". All pieces with letters of these alone stay, and those without
        letters.
    check: more texts, none of whose pieces is kept for their sake.

    Raises: MtnlpError E282 for neither texts nor alphabets, E144 for an output that holds something
        else than an encoder or is the encoder itself, E464 for texts that are none, E465 for
        an unknown alphabet; as `fetch_backbone`; E281 and E283 for an encoder that cannot be
        shrunk; E466 where a text would be cut into other pieces.
    """
    if not texts and not alphabets:
        raise MtnlpError(Errors.E282)
    if not is_replaceable(output, "config.json") or output.resolve() == Path(name).resolve():
        form = "a new folder, or one of another encoder: what the folder holds would be lost"
        raise MtnlpError(Errors.E144.format(option="--output", value=output, form=form))
    read, held_out = find_texts(texts), find_texts(check)
    with tempfile.TemporaryDirectory() as temporary, fresh_folder(output) as fresh:
        source = fetch_backbone(name, Path(temporary, "encoder")).folder
        encoder = Encoder(source)
        kept = select(encoder, read.read("texts", progress), alphabets)
        data, old_ids = encoder.pieces.cut(set().union(*kept.values()))
        new = load_plain(data)

        def compare(texts: Iterable[str]) -> Agreement:
            return compare_tokenizers(encoder.plain, new, old_ids, encoder.pieces, texts)

        agreement = compare(read.read("texts, compared", progress))
        if agreement.same < agreement.texts:
            different = agreement.texts - agreement.same
            raise MtnlpError(Errors.E466.format(different=different, texts=agreement.texts))
        before, after, heads = encoder.write(fresh, data, old_ids)
        return Shrunk(
            before,
            after,
            {reason: len(pieces) for reason, pieces in kept.items()},
            agreement.texts,
            read.left_out + held_out.left_out,
            heads,
            compare(held_out.read("texts held out", progress)) if check else None,
        )


def select(
    encoder: "Encoder", texts: Iterable[str], alphabets: Sequence[str]
) -> Dict[str, Set[str]]:
    """The pieces to keep, by what for. None of them is in two sets."""
    pieces = encoder.pieces
    wanted = {
        "special tokens": pieces.indispensable() | encoder.named_pieces(),
        "texts": pieces_of_texts(pieces, encoder.plain, texts),
        "single characters": basic_characters(pieces),
        "alphabets": pieces_of_alphabets(pieces, alphabets) if alphabets else set(),
    }
    wanted["parts of these"] = pieces.with_parts(set().union(*wanted.values()))
    kept: Dict[str, Set[str]] = {}
    for reason, found in wanted.items():
        kept[reason] = found.difference(*kept.values())
    return kept


class Encoder:
    """An encoder's files, read as far as needed: its weights only when they are written.

    folder: as `fetch_backbone` makes it. Raises: MtnlpError E201 for a tokenizer without JSON, E281
    for one of another kind.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        if not self.tokenizer.is_fast:
            raise MtnlpError(Errors.E201.format(name=folder.name))
        self.data = json.loads(self.tokenizer.backend_tokenizer.to_str())
        self.pieces = Pieces(self.data)
        self.plain: tokenizers.Tokenizer = load_plain(self.data)
        self.config: Any = AutoConfig.from_pretrained(folder)
        with torch.device("meta"):
            self.module: Any = AutoModel.from_config(self.config)

    def named_pieces(self) -> Set[str]:
        """The pieces whose ids the config names, such as the padding's.

        Where positions are counted from behind the padding's id, as RoBERTa does, all pieces up to
        it, so that it stays what it is.
        """
        ids = {id for value in token_ids(self.config).values() for id in value}
        embeddings = getattr(self.module, "embeddings", None)
        table = getattr(embeddings, "position_embeddings", None)
        padding: Optional[int] = getattr(table, "padding_idx", None)
        if padding is not None:
            ids.update(range(padding + 1))
        return {piece for piece, id in self.pieces.ids.items() if id in ids}

    def write(
        self, target: Path, data: Dict[str, Any], old_ids: List[int]
    ) -> Tuple[Size, Size, List[str]]:
        """Write config, weights and tokenizer with only some pieces into a folder.

        data: the tokenizer's JSON. old_ids: the row of each of its pieces.
        Returns: the size before and after, and the names of weights that are left out.
        Raises: MtnlpError E283 where the weights do not fit the tokenizer.
        """
        stored = self._load_weights()
        weights, heads = self._split_off_heads(stored)
        parameters = sum(tensor.numel() for tensor in weights.values())
        name = self._find_embeddings(weights)
        rows = len(weights[name])
        if max(old_ids) >= rows:
            raise MtnlpError(
                Errors.E283.format(reason=f"{rows:,} rows, ids up to {max(old_ids):,}")
            )
        weights[name] = weights[name][torch.tensor(old_ids)]
        write_bytes(target / "model.safetensors", save(weights, metadata={"format": "pt"}))
        self._write_config(target, old_ids)
        self._write_tokenizer(target, data)
        for file in SENTENCE_TRANSFORMERS:
            if (self.folder / file).is_file():
                copy_file(self.folder / file, target / file)
        before = size_of(self.folder, len(self.pieces.ids), parameters)
        left = sum(tensor.numel() for tensor in weights.values())
        return before, size_of(target, len(old_ids), left), heads

    def _load_weights(self) -> Dict[str, torch.Tensor]:
        weights: Dict[str, torch.Tensor] = {}
        for file in sorted(self.folder.glob("*.safetensors")):
            weights.update(load_file(file))
        return weights

    def _split_off_heads(
        self, weights: Dict[str, torch.Tensor]
    ) -> Tuple[Dict[str, torch.Tensor], List[str]]:
        """The encoder's own weights, and the names of a language model's or classifier's."""
        prefix = f"{self.module.base_model_prefix}."
        if not any(name.startswith(prefix) for name in weights):
            return weights, []
        own = {name: tensor for name, tensor in weights.items() if name.startswith(prefix)}
        return own, sorted(weights.keys() - own.keys())

    def _find_embeddings(self, weights: Dict[str, torch.Tensor]) -> str:
        wanted = self.module.get_input_embeddings()
        path = next(name for name, module in self.module.named_modules() if module is wanted)
        for name in (f"{path}.weight", f"{self.module.base_model_prefix}.{path}.weight"):
            if name in weights:
                return name
        raise MtnlpError(Errors.E283.format(reason=f"no '{path}.weight'"))

    def _write_config(self, target: Path, old_ids: List[int]) -> None:
        new_ids = {old: new for new, old in enumerate(old_ids)}
        for name, ids in token_ids(self.config).items():
            new = [new_ids.get(id, id) for id in ids]
            setattr(
                self.config, name, new if isinstance(getattr(self.config, name), list) else new[0]
            )
        self.config.vocab_size = len(old_ids)
        self.config.architectures = [type(self.module).__name__]
        self.config.save_pretrained(target)

    def _write_tokenizer(self, target: Path, data: Dict[str, Any]) -> None:
        """As a tokenizer that is its JSON alone: the classes of many families would look for
        sentencepiece's or other files, in which all pieces are."""
        old = self.tokenizer
        new: Any = PreTrainedTokenizerFast(
            tokenizer_object=tokenizers.Tokenizer.from_str(json.dumps(data)),
            model_max_length=old.model_max_length,
            model_input_names=old.model_input_names,
            padding_side=old.padding_side,
            truncation_side=old.truncation_side,
            clean_up_tokenization_spaces=old.clean_up_tokenization_spaces,
            **old.special_tokens_map,
        )
        new.save_pretrained(target)
        # Again, without the white space that makes half of the file.
        write_text(target / "tokenizer.json", json.dumps(data, ensure_ascii=False))


def token_ids(config: Any) -> Dict[str, List[int]]:
    """The settings of an encoder's config that are ids of pieces."""
    found: Dict[str, List[int]] = {}
    for name, value in config.to_dict().items():
        if name.endswith("_token_id") and value is not None:
            found[name] = value if isinstance(value, list) else [value]
    return found


def size_of(folder: Path, pieces: int, parameters: int) -> Size:
    """The size of an encoder's folder."""
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    files = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Size(pieces, parameters, weights, files)
