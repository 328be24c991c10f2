import builtins
from typing import Any, Dict, List, Mapping, Optional

import pytest

from mtnlp.data import hub
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.conll import CONLL, CONLL_TAGS
from mtnlp.data.formats.entry import Dataset
from mtnlp.data.formats.imdb import IMDB, imdb_row
from mtnlp.data.formats.multinerd import MULTINERD
from mtnlp.data.options import Splits
from mtnlp.errors import DataError, MtnlpError


class Loader:
    """Stands in for the library: gives the rows it was made with and notes what was asked."""

    def __init__(self, **splits: List[Dict[str, Any]]) -> None:
        self.splits = splits
        self.asked: List[tuple[str, Optional[str]]] = []

    def __call__(self, dataset: str, revision: Optional[str]) -> Mapping[str, Any]:
        self.asked.append((dataset, revision))
        return self.splits


def read_hub(dataset: Dataset, on_bad: BadInput, loader: Loader) -> Splits:
    assert dataset.hub is not None
    return hub.read_hub(dataset.hub, on_bad, loader)


def test_imdb() -> None:
    rows = [{"text": "Good.<br />Very.", "label": 1}, {"text": "Bad.", "label": 0}]
    loader = Loader(train=rows, test=rows[:1], unsupervised=[{"text": "x", "label": -1}])
    splits = read_hub(IMDB, BadInput(), loader)
    assert loader.asked == [("stanfordnlp/imdb", None)]
    assert {split: len(records) for split, records in splits.items()} == {"train": 2, "test": 1}
    first, second = splits["train"]
    assert first.text == "Good. Very."
    assert first.cats == {"sentiment/positive": 1.0, "sentiment/negative": 0.0}
    assert second.meta["stratum"] == "negative"
    assert "group" not in first.meta


class Names:
    """The class names behind a column's ids, as the library's `features` hold them."""

    def __init__(self, *names: str) -> None:
        self.feature = self
        self.names = names


class Rows(List[Dict[str, Any]]):
    """A split that knows its class names."""

    def __init__(self, *rows: Dict[str, Any]) -> None:
        super().__init__(rows)
        self.features = {"pos_tags": Names("NNP", "VB")}


def test_conll() -> None:
    row = {"tokens": ["EU", "says", "Rome"], "ner_tags": [3, 0, 5], "pos_tags": [0, 1, 0]}
    loader = Loader(train=Rows(row), validation=[row], test=[row])
    splits = read_hub(CONLL, BadInput(), loader)
    assert loader.asked == [("eriktks/conll2003", "refs/convert/parquet")]
    (record,) = splits["train"]
    assert record.entities == [(0, 1, "ORG"), (2, 3, "LOC")]
    assert record.tags == ["NNP", "VB", "NNP"]
    assert splits["dev"][0].tags is None


def test_conll_ids() -> None:
    assert CONLL_TAGS == (
        "O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"
    )  # fmt: skip


def test_multinerd() -> None:
    rows = [
        {"tokens": ["Ada"], "ner_tags": [1], "lang": "en"},
        {"tokens": ["Ada"], "ner_tags": [1], "lang": "de"},
    ]
    policy = BadInput()
    loader = Loader(train=rows, validation=rows, test=rows)
    splits = read_hub(MULTINERD, policy, loader)
    assert loader.asked == [("Babelscape/multinerd", None)]
    assert [len(records) for records in splits.values()] == [1, 1, 1]
    assert splits["dev"][0].spans == {"multinerd": [(0, 1, "PER")]}
    assert sum(policy.notes.values()) == 3


@pytest.mark.parametrize(
    "row",
    [
        {"tokens": [], "ner_tags": []},
        {"tokens": ["a"], "ner_tags": [0, 0]},
        {"tokens": ["a"], "ner_tags": [9]},
        {"tokens": ["a"], "ner_tags": [-1]},
        {"tokens": [None], "ner_tags": [0]},
    ],
)
def test_bad_conll_rows(row: Dict[str, Any]) -> None:
    good = {"tokens": ["a"], "ner_tags": [0]}
    loader = Loader(train=[good, row], validation=[good], test=[good])
    with pytest.raises(DataError, match=r"eriktks/conll2003/train:2: "):
        read_hub(CONLL, BadInput(), loader)
    policy = BadInput(skip=True)
    assert len(read_hub(CONLL, policy, loader)["train"]) == 1
    assert len(policy.errors) == 1


@pytest.mark.parametrize("row", [{"text": "", "label": 1}, {"text": "a", "label": -1}, {}])
def test_bad_imdb_rows(row: Dict[str, Any]) -> None:
    with pytest.raises(DataError):
        imdb_row(row)


def test_a_split_is_missing() -> None:
    with pytest.raises(MtnlpError, match=r"E142.*validation"):
        read_hub(CONLL, BadInput(), Loader(train=[], test=[]))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def no_datasets(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "datasets":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_datasets)
    with pytest.raises(MtnlpError, match=r"E143.*pip install 'mtnlp\[train\]'"):
        hub.load("stanfordnlp/imdb")


@pytest.mark.parametrize(
    "error", [ConnectionError("no route"), FileNotFoundError(), ValueError("x")]
)
def test_without_a_network(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    datasets = pytest.importorskip("datasets")

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(MtnlpError, match=r"E142.*--source local"):
        hub.load("stanfordnlp/imdb")
