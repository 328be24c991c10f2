"""From Docs to windows: nothing lost, nothing beyond the limit, in every family."""

import random
from pathlib import Path
from typing import List

import numpy as np
import pytest
import spacy
import tokenizers
import transformers
from spacy.tokens import Doc

from mtnlp.errors import MtnlpError
from mtnlp.models.windows import SpecialTokens
from mtnlp.models.wordpieces import find_limit, find_special_tokens
from tests.models.encoders import TEXTS, load_reference, make_docs, make_encoder, split_windows
from tests.tiny import LIMITS

SENTENCES = """\
Вчера вечером жители посёлка собрались на площади, чтобы обсудить ремонт старого моста.
Мэр города Анна Сергеевна Волкова сообщила: «Работы начнутся 12 мая 2021 года».
По её словам, на строительство выделено 48,5 млн рублей из областного бюджета.
— А почему так поздно? — спросил кто-то из толпы; ответа он, впрочем, не получил.
Инженер Пётр Ильич Громов, работающий в «Северстройпроекте» с 1998 года, молча достал чертежи.
Водохранилище, железнодорожная станция и противопожарная служба остались без электроснабжения.
Университет им. Лобачевского открыл лабораторию микроэлектроники (г. Нижний Новгород).
Её сын, двадцатисемилетний шахматист, выиграл турнир в Праге и уехал в Санкт-Петербург.
""".splitlines()


def long_russian_doc(n_words: int = 3000) -> Doc:
    """A document of sentences in random order, with numbers and line breaks between them."""
    order = random.Random(7)
    parts: List[str] = []
    while sum(len(part.split()) for part in parts) < n_words:
        sentence = order.choice(SENTENCES)
        if order.random() < 0.3:
            sentence = f"{order.randint(1, 10**6)}) {sentence}"
        parts.append(sentence + order.choice([" ", "  ", "\n", "\n\n"]))
    return spacy.blank("xx").make_doc("".join(parts))


@pytest.fixture(scope="module")
def russian() -> Doc:
    return long_russian_doc()


def test_long_russian_document_is_encoded_whole(any_backbone: Path, russian: Doc) -> None:
    assert len(russian.text.split()) >= 3000
    model = make_encoder(any_backbone)
    (data,) = model.predict([russian]).doc_data
    windows = split_windows(data)
    assert len(windows) > 20
    limit = LIMITS[any_backbone.name]
    assert max(len(window) for window in windows) <= limit
    special = model.windower.special
    prefix, suffix = list(special.prefix), list(special.suffix)
    inner: List[int] = []
    for window in windows:
        assert window[: len(prefix)] == prefix
        assert window[len(window) - len(suffix) :] == suffix
        inner += window[len(prefix) : len(window) - len(suffix)]
    tokenizer, _ = load_reference(any_backbone)
    assert inner == tokenizer(russian.text, add_special_tokens=False)["input_ids"]
    assert len(data.token_vectors) == len(russian)
    assert np.linalg.norm(data.token_vectors, axis=1).min() > 0
    assert data.align.lengths.min() >= 1


def test_no_token_is_cut(any_backbone: Path, russian: Doc) -> None:
    (data,) = make_encoder(any_backbone).predict([russian]).doc_data
    window = np.repeat(np.arange(len(data.wordpieces.lengths)), data.wordpieces.lengths)
    bounds = np.cumsum(data.align.lengths)[:-1]
    for pieces in np.split(window[data.align.dataXd.ravel()], bounds):
        assert len(set(pieces.tolist())) == 1


def test_alignment_covers_what_the_tokens_say(any_backbone: Path) -> None:
    """The wordpieces of a token are those whose characters it shares, by Hugging Face's offsets."""
    tokenizer, _ = load_reference(any_backbone)
    docs = make_docs(TEXTS[:3])
    for doc, data in zip(docs, make_encoder(any_backbone).predict(docs).doc_data, strict=True):
        offsets = tokenizer(doc.text, return_offsets_mapping=True)["offset_mapping"]
        for token in doc:
            begin, end = token.idx, token.idx + len(token)
            expected = [i for i, (a, b) in enumerate(offsets) if a < end and b > begin]
            assert data.align[token.i].dataXd.ravel().tolist() == expected


SPECIAL = {
    "bert": ("[CLS]", "[SEP]"),
    "distilbert": ("[CLS]", "[SEP]"),
    "roberta": ("<s>", "</s>"),
    "xlm-r": ("<s>", "</s>"),
    "llama": ("<s>",),
}


def test_special_tokens_and_limit_of_each_family(any_backbone: Path) -> None:
    model = make_encoder(any_backbone)
    special = find_special_tokens(model.tokenizer)
    strings = model.tokenizer.convert_ids_to_tokens([*special.prefix, *special.suffix])
    assert tuple(strings) == SPECIAL[any_backbone.name]
    assert len(special.prefix) == 1
    limit = find_limit(model.tokenizer, model.transformer)
    assert limit == LIMITS[any_backbone.name]
    assert model.windower.capacity == limit - len(special)


def test_limit_of_an_encoder_without_positions(backbone: Path) -> None:
    tokenizer, transformer = load_reference(backbone)
    tokenizer.model_max_length = 10**30
    transformer.config.max_position_embeddings = None
    assert find_limit(tokenizer, transformer) == 512


def test_truncation_and_padding_of_the_tokenizer_file_are_ignored(backbone: Path) -> None:
    model = make_encoder(backbone)
    docs = make_docs()
    expected = [split_windows(data) for data in model.predict(docs).doc_data]
    model.tokenizer.backend_tokenizer.enable_truncation(8)
    model.tokenizer.backend_tokenizer.enable_padding(length=8)
    assert [split_windows(data) for data in model.predict(docs).doc_data] == expected


def test_slow_tokenizer_is_refused(backbone: Path) -> None:
    model = make_encoder(backbone, tokenizer_config={"use_fast": False})
    with pytest.raises(MtnlpError, match="E201"):
        model.predict(make_docs(["Hello"]))


def test_tokenizer_without_letters_is_refused() -> None:
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={"<s>": 0}, merges=[]))
    with pytest.raises(MtnlpError, match="E202"):
        find_special_tokens(transformers.PreTrainedTokenizerFast(tokenizer_object=inner))


def test_tokenizer_without_special_tokens() -> None:
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={"b": 0, "a": 1}, merges=[]))
    special = find_special_tokens(transformers.PreTrainedTokenizerFast(tokenizer_object=inner))
    assert special == SpecialTokens(prefix=(), suffix=(), fallback=1)
    assert len(special) == 0
