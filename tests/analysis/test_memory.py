"""A large corpus in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from spacy.tokens import Doc, DocBin, Span

from mtnlp.data.docbin import ATTRS
from tests.conftest import Joint

DOCUMENTS, WORDS = 25_000, 60
SCRIPT = """
import json, resource, sys
from pathlib import Path
from mtnlp.analysis.report import analyse
numbers = analyse(Path(sys.argv[1]), Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
tasks = {task["name"]: task["documents"] for task in numbers["tasks"]}
print(json.dumps({"peak": peak, "bytes": len(json.dumps(numbers)), "tasks": tasks}))
"""


def write_corpus(joint: Joint, folder: Path) -> None:
    """Documents of chance words and annotations, every one annotated for each task."""
    rng = np.random.default_rng(0)
    docbin = DocBin(attrs=list(ATTRS))
    for _ in range(DOCUMENTS):
        words = [f"w{number}" for number in rng.zipf(1.3, WORDS).clip(max=200_000)]
        doc = Doc(joint.nlp.vocab, words=words)
        starts = sorted(rng.choice(WORDS // 4, 6, replace=False) * 4)
        spans = [Span(doc, s, s + 1 + s % 3, ("PER", "LOC", "ORG")[s % 3]) for s in starts]
        doc.set_ents(spans, default="outside")
        doc.spans["multinerd"] = spans
        doc.spans["nerel"] = [*spans, Span(doc, 0, 8, "EVENT")]
        label = "positive" if rng.random() < 0.5 else "negative"
        event = float(rng.random() < 0.3)
        doc.cats = {f"sentiment/{label}": 1.0, "event/BIRTH": event, "event/DEATH": 1 - event}
        docbin.add(doc)
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        docbin.to_disk(folder / split / "large.spacy")


@pytest.mark.skipif(not os.environ.get("MTNLP_LONG"), reason="minutes; MTNLP_LONG=1 runs it")
def test_25000_documents_stay_within_2_gb(joint: Joint, tmp_path: Path) -> None:
    joint.nlp.to_disk(tmp_path / "model")
    write_corpus(joint, tmp_path / "corpus")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "model"), str(tmp_path / "corpus")]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert list(found["tasks"].values()) == [DOCUMENTS] * 5
    assert found["peak"] < 2 * 2**30
    # The page holds these numbers.
    assert found["bytes"] < 2 * 2**20
