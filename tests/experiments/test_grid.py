from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.experiments.grid import Cell, read_grid

GRID = """
config = "a.cfg"
metrics = ["ents_f"]
seeds = [0, 1]

[paths]
train = "corpus/train"

[overrides]
training.max_epochs = 3
"training.dropout" = 0.2

[axes.decoder.crf]
model.decoder = "crf"

[axes.decoder.softmax]
model.decoder = "softmax"

[axes.loss.default]
model.loss = "null"

[axes.loss.focal]
model.loss = { "@losses" = "mtnlp.FocalLoss.v1", alpha = "null", weights = { a = 1.0 } }
training.max_epochs = 5

[axes.loss.other]
config = "b.cfg"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "losses.toml"
    path.write_text(text, encoding="utf8")
    return path


def settings(cell: Cell) -> Dict[Tuple[str, ...], Any]:
    return {setting.path: setting.value for setting in cell.settings}


def test_the_product_of_the_axes(tmp_path: Path) -> None:
    grid = read_grid(write(tmp_path, GRID))
    assert (grid.name, grid.axes, grid.seeds) == ("losses", ["decoder", "loss"], [0, 1])
    assert (grid.metrics, grid.model) == (["ents_f"], "last")
    assert [cell.name for cell in grid.cells] == [
        "decoder=crf,loss=default",
        "decoder=crf,loss=focal",
        "decoder=crf,loss=other",
        "decoder=softmax,loss=default",
        "decoder=softmax,loss=focal",
        "decoder=softmax,loss=other",
    ]
    assert [str(cell.config) for cell in grid.cells] == ["a.cfg", "a.cfg", "b.cfg"] * 2


def test_blocks_stay_whole_and_tables_are_paths(tmp_path: Path) -> None:
    cells = {cell.name: cell for cell in read_grid(write(tmp_path, GRID)).cells}
    found = settings(cells["decoder=softmax,loss=focal"])
    block = {"@losses": "mtnlp.FocalLoss.v1", "alpha": None, "weights": {"a": 1.0}}
    assert found == {
        ("paths", "train"): "corpus/train",
        ("training", "max_epochs"): 5,
        ("training", "dropout"): 0.2,
        ("model", "decoder"): "softmax",
        ("model", "loss"): block,
    }
    assert settings(cells["decoder=crf,loss=default"])[("model", "loss")] is None
    sources = {s.source for s in cells["decoder=crf,loss=focal"].settings}
    assert {"[paths]", "[overrides]", "axis decoder = crf", "axis loss = focal"} == sources


def test_excluded_combinations(tmp_path: Path) -> None:
    text = GRID + '[[exclude]]\ndecoder = "softmax"\nloss = "focal"\n[[exclude]]\nloss = "other"\n'
    assert [cell.name for cell in read_grid(write(tmp_path, text)).cells] == [
        "decoder=crf,loss=default",
        "decoder=crf,loss=focal",
        "decoder=softmax,loss=default",
    ]


def test_the_command_line_has_the_last_word(tmp_path: Path) -> None:
    grid = read_grid(write(tmp_path, GRID), {"training.max_epochs": 1}, seeds=[7, 7, 8])
    assert grid.seeds == [7, 8]
    assert {settings(cell)[("training", "max_epochs")] for cell in grid.cells} == {1}


def test_a_grid_without_axes_has_one_cell(tmp_path: Path) -> None:
    (cell,) = read_grid(write(tmp_path, 'config = "a.cfg"\nmetrics = ["ents_f"]\n')).cells
    assert (cell.name, cell.values, cell.settings) == ("config", {}, ())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("config = ", "Invalid value"),
        ('metrics = ["f"]', "no 'config'"),
        ('config = "a.cfg"', "'metrics'"),
        ('config = "a.cfg"\nmetrics = []', "'metrics'"),
        ('config = "a.cfg"\nmetrics = ["f"]\nseed = 1', "'seed'"),
        ('config = "a.cfg"\nmetrics = ["f"]\nseeds = [true]', "'seeds'"),
        ('config = "a.cfg"\nmetrics = ["f"]\nmodel = "first"', "last, best"),
        ('config = "a.cfg"\nmetrics = ["f"]\n[axes.loss]', "[axes.loss] has no values"),
        ('config = "a.cfg"\nmetrics = ["f"]\n[axes]\nloss = "focal"', "[axes.loss]"),
        ('config = "a.cfg"\nmetrics = ["f"]\n[axes.loss]\nfocal = 2.0', "[axes.loss]"),
        ('config = "a.cfg"\nmetrics = ["f"]\n[axes.loss."a/b"]', "[axes.loss]"),
        ('config = "a.cfg"\nmetrics = ["f"]\n[axes.seed.a]', "[axes.seed]"),
        (GRID + '[[exclude]]\nloss = "nope"', "nope"),
        (GRID + '[[exclude]]\nseed = "crf"', "seed"),
        (GRID + '[[exclude]]\ndecoder = "crf"\n[[exclude]]\ndecoder = "softmax"', "no cells"),
    ],
)
def test_what_is_no_grid(text: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match="E420") as error:
        read_grid(write(tmp_path, text))
    assert named in str(error.value) and "losses.toml" in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match="E420"):
        read_grid(tmp_path / "nope.toml")
