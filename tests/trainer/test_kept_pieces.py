"""Which pieces stay, and that texts are then cut as before."""

import json
import random
from pathlib import Path
from typing import Any, List, Tuple

import pytest
import transformers

from mtnlp.errors import MtnlpError
from mtnlp.trainer.kept_pieces import (
    alphabets_of,
    basic_characters,
    compare_tokenizers,
    pieces_of_alphabets,
    pieces_of_texts,
)
from mtnlp.trainer.tokenizer_json import Pieces, load_plain
from tests.models.encoders import TEXTS
from tests.tiny import training_texts


def load(folder: Path) -> Tuple[Pieces, Any]:
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    data = json.loads(tokenizer.backend_tokenizer.to_str())
    return Pieces(data), load_plain(data)


def shrink(pieces: Pieces, plain: Any, texts: List[str]) -> Tuple[Any, List[int]]:
    kept = pieces.indispensable() | pieces_of_texts(pieces, plain, texts)
    data, old_ids = pieces.cut(pieces.with_parts(kept))
    return load_plain(data), old_ids


@pytest.mark.parametrize("seed", range(5))
def test_texts_seen_are_cut_as_before(any_backbone: Path, seed: int) -> None:
    """Whatever the texts: words, torn words, signs outside the vocabulary."""
    pieces, plain = load(any_backbone)
    generator = random.Random(seed)
    words = " ".join(training_texts()).split()
    chosen = generator.sample(words, 30) + generator.sample(TEXTS[-1].split(), 3)
    torn = [word[generator.randrange(len(word)) :] + word for word in chosen]
    texts = [" ".join(chosen), " ".join(torn), "".join(chosen[:5]), ""]
    new, old_ids = shrink(pieces, plain, texts)
    assert len(old_ids) < len(pieces.ids)
    agreement = compare_tokenizers(plain, new, old_ids, pieces, texts)
    assert (agreement.texts, agreement.same, agreement.lost) == (4, 4, 0)
    assert agreement.pieces == agreement.new_pieces > 60
    assert agreement.unknown == agreement.new_unknown


def test_a_difference_is_counted(backbone: Path) -> None:
    pieces, plain = load(backbone)
    new, old_ids = shrink(pieces, plain, [TEXTS[0]])
    agreement = compare_tokenizers(plain, new, old_ids, pieces, [TEXTS[0], TEXTS[4]])
    assert (agreement.texts, agreement.same) == (2, 1)
    assert agreement.lost > 0
    assert agreement.new_unknown > agreement.unknown


def test_alphabets_of_letters() -> None:
    assert alphabets_of("Straße, naïve 12 %") == {"latin"}
    assert alphabets_of("мирa") == {"cyrillic", "latin"}
    assert alphabets_of("日本") == {"cjk"}
    assert alphabets_of("е\u0301") == {"cyrillic"}  # an accent of its own
    assert alphabets_of("12, 😀") == set()


def test_an_alphabet_keeps_all_its_pieces_and_those_without_letters(any_backbone: Path) -> None:
    pieces, plain = load(any_backbone)
    kept = pieces_of_alphabets(pieces, ["cyrillic"])
    written = {pieces.text_of(piece) for piece in kept}
    assert {"м", ".", "1"} <= written
    assert not any(alphabets_of(text) - {"cyrillic"} for text in written)
    assert not any(text.isascii() and text.isalpha() for text in written)
    # Russian that nobody has shown it is cut as before.
    data, old_ids = pieces.cut(pieces.with_parts(kept | pieces.indispensable()))
    agreement = compare_tokenizers(plain, load_plain(data), old_ids, pieces, [TEXTS[4]])
    assert (agreement.same, agreement.lost) == (1, 0)


def test_several_alphabets(backbone: Path) -> None:
    pieces, _ = load(backbone)
    both = pieces_of_alphabets(pieces, ["cyrillic", "latin"])
    one, other = (pieces_of_alphabets(pieces, [name]) for name in ("cyrillic", "latin"))
    assert one < both and other < both and one != other


def test_an_unknown_alphabet_names_those_there_are(backbone: Path) -> None:
    pieces, _ = load(backbone)
    with pytest.raises(MtnlpError, match=r"E465.*'greek'.*latin \(\d+\).*cyrillic \(\d+\)"):
        pieces_of_alphabets(pieces, ["latin", "greek"])


def test_single_characters_stay(backbone: Path) -> None:
    pieces, plain = load(backbone)
    assert {"a", "##a", "."} <= basic_characters(pieces)
    seen = pieces_of_texts(pieces, plain, ["мир"])
    assert {"м", "##м", "и", "##и"} <= seen
    assert "##ж" not in seen
