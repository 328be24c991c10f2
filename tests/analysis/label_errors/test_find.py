"""The whole of it, on a tiny encoder: planted errors come first, and a killed run goes on."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from mtnlp.analysis.label_errors.find import FindOptions, Found, find_label_errors
from mtnlp.analysis.label_errors.suggestions import Suggestion, read_suggestions
from mtnlp.errors import MtnlpError
from tests.analysis.label_errors.planted import PLANTED, write_config, write_planted
from tests.training.loop_cases import SPY, Killed


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_planted(tmp_path_factory.mktemp("planted") / "own.spacy")


@pytest.fixture(scope="module")
def config(corpus: Path, backbone: Path) -> Path:
    return write_config(corpus.with_name("config.cfg"), backbone, corpus)


@pytest.fixture(scope="module")
def found(corpus: Path, config: Path) -> Found:
    """Of two folds, whose models stay."""
    output = corpus.with_name("found")
    options = FindOptions(output, folds=2, keep_models=True, top=10_000)
    SPY.kill_at = None
    return find_label_errors(corpus, config, {}, options)


def best(suggestions: List[Suggestion], layer: str) -> List[int]:
    """The Docs of the highest suggestions of a layer, one by one."""
    return [item.number for item in suggestions if item.layer == layer]


def test_planted_errors_come_first(found: Found) -> None:
    for layer, wrong in (("ents", 2), ("spans/nerel", 1), ("cats/sentiment", 1)):
        planted = {number for number, where in PLANTED.values() if where == layer}
        assert set(best(found.suggestions, layer)[:wrong]) == planted


def test_what_is_suggested(found: Found) -> None:
    by_doc = {(item.number, item.layer): item for item in found.suggestions[::-1]}
    wrong = by_doc[PLANTED["ents wrong type"]]
    assert (wrong.kind, wrong.given_texts, wrong.suggested_texts) == (
        "wrong type",
        ["Paris"],
        ["Paris"],
    )
    assert (wrong.given[0][2], wrong.suggested[0][2]) == ("PER", "LOC")
    assert wrong.p_given < 0.5 < wrong.p_suggested
    assert (wrong.component, wrong.file, wrong.document) == ("ner", "own.spacy", "text 5")
    missing = by_doc[PLANTED["ents missing"]]
    assert (missing.kind, missing.given, missing.suggested[0][2]) == ("missing", [], "PER")
    flipped = by_doc[PLANTED["sentiment"]]
    assert (flipped.kind, flipped.given, flipped.suggested) == (
        "wrong category",
        ["positive"],
        ["negative"],
    )
    nested = by_doc[PLANTED["spans wrong type"]]
    assert (nested.given[0][2], nested.suggested[0][2]) == ("LOC", "ORG")


def test_suggestions_do_not_get_into_each_others_way(found: Found) -> None:
    seen: Dict[Any, set] = {}
    for item in found.suggestions:
        if item.layer == "ents":
            words = {
                i for start, end, _ in (*item.given, *item.suggested) for i in range(start, end)
            }
            assert not words & seen.setdefault(item.number, set())
            seen[item.number] |= words
    assert [item.rank for item in found.suggestions] == list(range(1, len(found.suggestions) + 1))
    assert read_suggestions(found.files[0]) == found.suggestions


def rows(path: Path) -> List[Any]:
    return [json.loads(line) for line in path.read_text("utf8").splitlines()]


def test_killed_and_resumed(found: Found, corpus: Path, config: Path, tmp_path: Path) -> None:
    """In the middle of the first training, then in that of the second."""
    options = FindOptions(tmp_path / "out", folds=2, resume=True, top=10_000)
    done = tmp_path / "out" / "folds" / "0" / "found.jsonl"
    for is_done in (False, True):
        SPY.kill_at = 60
        with pytest.raises(Killed):
            find_label_errors(corpus, config, {}, options)
        assert done.exists() is is_done
    written = done.stat().st_mtime_ns
    SPY.kill_at = None
    again = find_label_errors(corpus, config, {}, options)
    assert done.stat().st_mtime_ns == written
    for number in "01":
        own = tmp_path / "out" / "folds" / number
        assert rows(own / "found.jsonl") == rows(
            corpus.with_name("found") / "folds" / number / "found.jsonl"
        )
        assert [path.name for path in own.iterdir()] == ["found.jsonl"]
    assert again.suggestions == found.suggestions


def test_a_run_that_is_done_trains_nothing(found: Found, corpus: Path, config: Path) -> None:
    output = found.files[0].parent
    SPY.seen = []
    with pytest.raises(MtnlpError, match="E723"):
        find_label_errors(corpus, config, {}, FindOptions(output, folds=2))
    with pytest.raises(MtnlpError, match=r"E723.*training.max_epochs \(was 8, is 3\)"):
        options = FindOptions(output, folds=2, resume=True)
        find_label_errors(corpus, config, {"training.max_epochs": 3}, options)
    again = find_label_errors(
        *(corpus, config, {}),
        FindOptions(output, folds=2, resume=True, keep_models=True, tools=["prodigy"], top=10_000),
    )
    assert SPY.seen == [] and again.suggestions == found.suggestions
    assert {path.name for path in again.files} == {
        "suggestions.jsonl",
        "ents.jsonl",
        "spans-nerel.jsonl",
        "cats-sentiment.jsonl",
    }


def test_ready_models(found: Found, corpus: Path, tmp_path: Path) -> None:
    folders = [found.files[0].parent / "folds" / number / "model" for number in "01"]
    options = FindOptions(tmp_path / "both", folds=2, models=folders, top=10_000)
    assert find_label_errors(corpus, None, {}, options).suggestions == found.suggestions
    # One that was trained elsewhere judges everything; this one knows half of it by heart.
    options = FindOptions(tmp_path / "one", models=folders[:1], top=10_000)
    alone = find_label_errors(corpus, None, {}, options)
    assert len({(item.number, item.layer) for item in alone.suggestions}) >= 64
    for models in ([], [*folders, folders[0]]):
        options = FindOptions(tmp_path / "none", folds=2, models=models)
        with pytest.raises(MtnlpError, match="E727"):
            find_label_errors(corpus, None, {}, options)


def test_time_is_said_before_the_first_training(corpus: Path, config: Path, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def announce(path: Path, count: int) -> None:
        assert path.is_file() and count == 3
        raise Stop

    SPY.seen = []
    with pytest.raises(Stop):
        find_label_errors(corpus, config, {}, FindOptions(tmp_path / "out", folds=3), announce)
    assert SPY.seen == []
