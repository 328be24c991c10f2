import json
from pathlib import Path

import numpy as np
import pytest

from mtnlp.files import write_json


def test_numbers_become_plain(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.json"
    data = {
        "f": np.float32(0.5),
        "n": np.int64(3),
        "flag": np.bool_(True),
        "interval": (0.25, np.float64(0.75)),
        "array": np.arange(2),
        "nan": float("nan"),
        "path": Path("a"),
        3: None,
    }
    write_json(path, data)
    assert json.loads(path.read_text(encoding="utf8")) == {
        "f": 0.5,
        "n": 3,
        "flag": True,
        "interval": [0.25, 0.75],
        "array": [0, 1],
        "nan": None,
        "path": "a",
        "3": None,
    }
    assert [file.name for file in path.parent.iterdir()] == ["x.json"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1
