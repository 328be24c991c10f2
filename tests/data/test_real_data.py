"""The readers on the public corpora, where a copy is at hand (environment MTNLP_DATA)."""

from collections import Counter
from pathlib import Path

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.brat import read_nerel
from mtnlp.data.formats.columns import read_columns
from mtnlp.data.formats.conll import read_conll
from mtnlp.data.formats.csvfile import CsvOptions, read_csv
from mtnlp.data.formats.imdb import read_imdb
from mtnlp.data.formats.multinerd import read_multinerd
from mtnlp.data.splits import make_splits
from tests.data.corpora import REAL_DATA


def present(name: str) -> Path:
    path = REAL_DATA / name
    if not path.exists():
        pytest.skip(f"no {name} in {REAL_DATA}")
    return path


def test_conll(strict: BadInput) -> None:
    path = present("conll2003/eng.train")
    sentences = list(read_conll(path, strict))
    assert len(sentences) == 14_041
    assert len({record.meta["group"] for record in sentences}) == 946
    counts = Counter(entity.label for record in sentences for entity in record.entities or [])
    assert counts == {"LOC": 7140, "PER": 6600, "ORG": 6321, "MISC": 3438}
    documents = read_conll(present("conll2003/eng.testa"), strict, unit="document")
    assert len(list(documents)) == 108


def test_nerel(strict: BadInput) -> None:
    records = list(read_nerel(present("NEREL-v1.1/train"), strict))
    assert len(records) == 746
    assert strict.notes["stray lines ignored"] == 1
    assert strict.notes["discontinuous entities left out"] > 50
    reported = {key for r in records for key, value in (r.cats or {}).items() if value}
    assert len(reported) == 49
    for record in records:
        for span in (record.spans or {})["nerel"]:
            text = (record.text or "")[span.start : span.end]
            assert text and text == text.strip()


def test_wikineural(strict: BadInput) -> None:
    records = list(read_multinerd(present("wikineural_en/val.conllu"), strict))
    assert len(records) == 1000
    labels = {span.label for record in records for span in (record.spans or {})["multinerd"]}
    assert labels == {"PER", "ORG", "LOC", "MISC"}


def test_crossner(strict: BadInput) -> None:
    records = list(read_columns(present("crossner/ai/train.txt"), strict))
    assert len(records) == 100
    assert len({entity.label for record in records for entity in record.entities or []}) == 14


def test_goemotions(strict: BadInput) -> None:
    options = CsvOptions(text="0", label="1", label_separator=",", task="emotion")
    records = list(read_csv(present("goemotions/dev.tsv"), strict, options))
    assert len(records) == 5_426
    assert len({key for record in records for key in record.cats or {}}) == 28


@pytest.mark.slow
def test_imdb(strict: BadInput) -> None:
    splits: dict[str, list] = {}
    for record in read_imdb(present("aclImdb_v1.tar.gz"), strict):
        splits.setdefault(record.meta["split"], []).append(record)
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 22_500, "test": 2_500}
    divided = make_splits(splits, None, 0.2, seed=0)
    movies = [{record.meta["group"] for record in divided[split]} for split in ("train", "dev")]
    assert not movies[0] & movies[1]
    labels = Counter(record.meta["stratum"] for record in divided["dev"])
    assert abs(labels["pos"] - labels["neg"]) <= 50
    assert abs(len(divided["dev"]) - 4_500) <= 50
