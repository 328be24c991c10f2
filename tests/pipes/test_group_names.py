"""Two pipes that would write one SpanGroup."""

from pathlib import Path
from typing import Any, Dict

import pytest
import spacy

from mtnlp.errors import MtnlpError
from tests.pipes.cases import initialized, make_case, mixed_examples
from tests.tiny import make_nlp

KEY = {"spans_key": "multinerd"}
KEEP = {**KEY, "overwrite_ents": False}


@pytest.mark.parametrize(
    "first,second",
    [
        (("crf_ner", "one", KEY), ("crf_ner", "two", KEY)),
        (("crf_ner", "one", KEY), ("span_ner", "two", KEY)),
        (("crf_ner", "ner", {}), ("crf_ner", "fine", {"spans_key": "ner"})),
        (("span_ner", "fine", {"spans_key": "ner"}), ("crf_ner", "ner", {})),
        # What mirrors doc.ents holds nothing else, kept or not.
        (("crf_ner", "multinerd", {}), ("crf_ner", "two", KEEP)),
    ],
)
def test_one_group_has_one_pipe(first: Any, second: Any, backbone: Path) -> None:
    nlp = make_nlp(backbone, [])
    for factory, name, config in (first, second):
        if name == second[1]:
            with pytest.raises(MtnlpError, match=rf"E331.*'{first[1]}' and '{name}'.*doc.spans"):
                nlp.add_pipe(factory, name=name, config=config)
        else:
            nlp.add_pipe(factory, name=name, config=config)


def test_pipelines_that_are_right(backbone: Path, tmp_path: Path) -> None:
    nlp = make_nlp(backbone, [])
    nlp.add_pipe("crf_ner", name="multinerd", config=KEY)  # its own name
    nlp.add_pipe("crf_ner", name="later", config=KEEP)
    nlp.add_pipe("crf_ner", name="ner")
    nlp.add_pipe("span_ner", name="nested_ner", config={"spans_key": "nerel"})
    initialized(nlp).to_disk(tmp_path)
    assert len(spacy.load(tmp_path)("Anna flew .").spans) == 3
    # A copy that is not in the pipeline.
    nlp.create_pipe("crf_ner", name="multinerd", config=KEY)
    assert nlp.replace_pipe("multinerd", "crf_ner", config=KEY) is not None


@pytest.mark.parametrize("config", [KEY, KEEP])
def test_sourced_pipes_are_seen_at_initialize(config: Dict[str, Any], backbone: Path) -> None:
    """No factory is called for them."""
    source = initialized(make_case(backbone, "crf_spans"))
    nlp = make_nlp(backbone, [])
    nlp.add_pipe("crf_ner", name="new", config=config)
    nlp.add_pipe("crf_ner", source=source)  # the later one overwrites
    with pytest.raises(MtnlpError, match=r"E331.*'new' and 'crf_ner'"):
        nlp.initialize(lambda: mixed_examples(nlp))


def test_seen_at_load(backbone: Path, tmp_path: Path) -> None:
    source = initialized(make_case(backbone, "crf_spans"))
    nlp = make_nlp(backbone, [])
    nlp.add_pipe("crf_ner", name="new", config={"spans_key": "nerel"})
    nlp.add_pipe("crf_ner", source=source)
    initialized(nlp).to_disk(tmp_path)
    path = tmp_path / "config.cfg"
    path.write_text(path.read_text().replace('spans_key = "nerel"', 'spans_key = "multinerd"'))
    with pytest.raises(MtnlpError, match="E331"):
        spacy.load(tmp_path)
