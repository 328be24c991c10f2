"""A mini corpus, and the CoNLL config over a tiny encoder."""

from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, List, NamedTuple, TextIO, Tuple

import pytest

from mtnlp.data.convert import convert
from mtnlp.data.options import ConvertOptions
from mtnlp.experiments import child, comparison
from tests.tiny import SAMPLE


class Mini(NamedTuple):
    """corpus: a folder of train, dev and test. backbone: a tiny encoder."""

    corpus: Path
    backbone: Path

    def paths(self) -> str:
        """As a table of a grid file."""
        folders = "\n".join(f'{part} = "{self.corpus / part}"' for part in ("train", "dev", "test"))
        return f'[paths]\nbackbone = "{self.backbone}"\n{folders}\n'


CONFIG = SAMPLE.parents[1] / "configs" / "conll.cfg"


@pytest.fixture(scope="session")
def mini(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Mini:
    folder = tmp_path_factory.mktemp("mini")
    convert(ConvertOptions("conll", sample=SAMPLE, out=folder, limit=(24, 6, 10)))
    return Mini(folder, backbone)


@pytest.fixture
def grid_text(mini: Mini) -> str:
    """A grid without axes."""
    return f"""
config = "{CONFIG}"
metrics = ["ents_f", "ents_per_type"]
seeds = [3]

{mini.paths()}
[overrides]
components.transformer.model.window = 0
training.max_epochs = 2
"""


class Executed(List[str]):
    """The cells of the runs that were made, `probe` for a probe.

    outside: cells whose runs have a process of their own all the same.
    """

    outside: Tuple[str, ...] = ()


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Executed:
    """Makes runs in this process: one of their own takes longer to start than to train."""
    made, run_process = Executed(), comparison.run_process

    def run_here(folder: Path, log: TextIO, tick: Any = None) -> int:
        made.append("probe" if folder.name == "probe" else folder.parent.name)
        if made[-1] in made.outside:
            return run_process(folder, log, tick)
        with redirect_stdout(log), redirect_stderr(log):
            return child.attempt(folder)

    monkeypatch.setattr(comparison, "run_process", run_here)
    return made
