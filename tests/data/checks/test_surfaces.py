"""Words with several labels, and wide entities."""

from typing import List

from mtnlp.data.checks.surfaces import SurfaceCheck, WidthCheck, default_max_width, has_overlaps
from mtnlp.data.checks.unit import Finding, Mention, record_unit
from mtnlp.pipes.span_ner import DEFAULT_CONFIG
from mtnlp.types import Annotation, Record


def labelled(label: str, text: str = "Paris", line: int = 1) -> Record:
    meta = {"path": "a.jsonl", "line": line}
    return Record(text=text, entities=[Annotation(0, len(text), label)], meta=meta)


def look(records: List[Record]) -> List[Finding]:
    check = SurfaceCheck()
    for record in records:
        check.look(record_unit(record), "train")
    return check.findings()


def test_a_label_that_hardly_occurs() -> None:
    london = [labelled("LOC", "London")] * 30 + [labelled("PER", "London", 9)]
    paris = [labelled("LOC")] * 19 + [labelled("ORG", line=5), labelled("PER", line=6)]
    (finding,) = look([*paris, *london])
    assert finding.count == 2
    assert list(finding.places) == [
        "'London' LOC 30, PER 1 at a.jsonl:9",
        "'Paris' LOC 19, ORG 1, PER 1 at a.jsonl:6",
    ]


def test_words_that_mean_several_things_are_no_fault() -> None:
    assert look([labelled("LOC")] * 12 + [labelled("ORG")] * 8) == []
    assert look([labelled("LOC")] * 8 + [labelled("ORG")]) == []  # too few to tell


def wide(*annotations: Annotation) -> List[Finding]:
    record = Record(tokens=["w"] * 20, spans={"deep": list(annotations)})
    check = WidthCheck()
    check.look(record_unit(record), "train")
    return check.findings()


def test_wide_entities_matter_where_layers_overlap() -> None:
    limit = default_max_width()
    long = Annotation(0, limit + 1, "A")
    (finding,) = wide(long, Annotation(0, 2, "B"), Annotation(15, 16, "B"))
    assert finding.count == 1 and not finding.is_fault
    assert f"more than {limit} words" in finding.message and "33.3% of all" in finding.message
    assert wide(long, Annotation(limit + 1, limit + 3, "B")) == []
    assert wide(Annotation(0, limit, "A"), Annotation(0, 2, "B")) == []


def test_the_width_is_the_components_default() -> None:
    assert default_max_width() == DEFAULT_CONFIG["model"]["max_width"]


def test_overlaps() -> None:
    def mention(start: int, end: int, label: str = "A") -> Mention:
        return Mention("ents", start, end, label, "", end - start, "", False)

    assert not has_overlaps([mention(4, 6), mention(0, 4), mention(0, 4)])
    assert has_overlaps([mention(0, 4), mention(0, 4, "B")])
    assert has_overlaps([mention(2, 6), mention(0, 4)])
