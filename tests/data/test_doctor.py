"""The doctor as `convert` and `stats` ask it."""

import json
from pathlib import Path
from typing import List

import pytest
import spacy
from spacy.tokens import Doc

from mtnlp.data.convert import convert, print_report
from mtnlp.data.doctor import Doctor, examine_records
from mtnlp.data.options import ConvertOptions
from mtnlp.data.sources import choose_language
from mtnlp.types import Annotation, Record
from tests.data.corpora import SAMPLE, flat, invoke, write


def test_a_clean_corpus_has_no_finding() -> None:
    text = "Anna Bell went to Rome number {}"
    spans = [Annotation(0, 9, "PER"), Annotation(18, 22, "LOC")]
    records = [
        Record(text=text.format(n), entities=spans, cats={"mood/good": 1.0}) for n in range(30)
    ]
    assert examine_records({"train": records[:20], "dev": records[20:]}) == []


def test_records_and_docs_have_the_same_findings() -> None:
    texts = ["Anna saw Rome.", "Ben saw Rome.", "Anna saw Rome."]
    records = [Record(text=text, entities=[Annotation(9, 14, "LOC")]) for text in texts[::2]]
    nlp = spacy.blank("en")
    docs: List[Doc] = []
    for record in records:
        doc = nlp(record.text or "")
        doc.ents = [doc.char_span(9, 14, label="LOC")]
        docs.append(doc)
    doctor = Doctor()
    assert list(doctor.watch(docs, "train")) == docs
    found = [(finding.kind, finding.count) for finding in doctor.findings()]
    assert found == [("punctuation", 2), ("rare_labels", 1)]
    read = examine_records({"train": records})
    assert [(finding.kind, finding.count) for finding in read] == found


def test_convert_shows_what_it_found(tmp_path: Path) -> None:
    rows = [
        {"text": "Anna Bell saw it.", "spans": [{"start": 0, "end": 10, "label": "PERSON"}]},
        {"text": "Ben went to Rome.", "spans": [{"start": 12, "end": 17, "label": "Person"}]},
        {"text": "long " * 201},
    ]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("jsonl", "--train", path, "--dev", path, "--test", path, "--out", tmp_path / "o")
    result = invoke("convert", *arguments)
    assert result.exit_code == 0, result.output
    output = flat(result.output)
    assert f"white space, which is left out: 3 ({path}:1 'Anna Bell'" in output
    assert f"end with punctuation: 3 ({path}:2 'Rome.'" in output
    assert f"by one letter alone: 1 (PERSON 3, Person 3 at {path}:2)" in output
    assert "fewer than 10 examples in train: 2 (PERSON 1, Person 1)" in output
    assert f"Documents of dev whose text is also in train: 3 ({path}:1 and {path}:1" in output
    assert f"several windows of 256 wordpieces: 3 ({path}:3" in output


def test_stats_shows_what_it_found(tmp_path: Path) -> None:
    rows = [{"text": "Ben went to Rome. So did Anna.", "spans": [[12, 17, "LOC"]]}] * 2
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    options = ConvertOptions("jsonl", train=path, dev=path, test=path, name="own", out=tmp_path)
    convert(options)
    output = tmp_path / "stats.json"
    result = invoke("stats", "--corpus", tmp_path, "--output", output)
    assert result.exit_code == 0, result.output
    assert "To look at: own" in result.output
    assert "punctuation: 6 (train 0 'Rome.', train 1 'Rome.', dev 0 'Rome.', …)" in flat(
        result.output
    )
    (punctuation, *_) = json.loads(output.read_text(encoding="utf8"))["own"]["findings"]
    assert punctuation == {
        "kind": "punctuation",
        "message": "Entities that end with punctuation",
        "count": 6,
        "places": ["train 0 'Rome.'", "train 1 'Rome.'", "dev 0 'Rome.'"],
        "is_fault": True,
    }
    assert "and train 0" in flat(result.output)


def test_the_language_of_ones_own_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    german = "Der Zug fährt um acht Uhr ab, und wir sind noch nicht am Bahnhof. "
    german += "Sie hat mir gesagt, dass es heute keinen anderen gibt."
    for text, lang, message in (
        (german, None, "The texts seem to be in 'de', which is taken."),
        ("Anna 2021", None, "The language of the texts is not clear, so 'en' is taken."),
        (german, "en", ""),
    ):
        path = write(tmp_path / "a.jsonl", json.dumps({"text": text, "label": "x"}) + "\n")
        options = ConvertOptions(
            "jsonl", train=path, dev=path, test=path, out=tmp_path / "out", lang=lang
        )
        report = convert(options)
        found = [item.message for item in report.findings if item.kind == "language"]
        capsys.readouterr()
        # In a project the config is written for the language that was taken.
        for is_alone in (True, False):
            print_report(report, is_alone=is_alone)
            is_said = 'Train with lang = "de"' in capsys.readouterr().out
            assert is_said == (is_alone and "'de'" in message)
        assert [line[: len(message)] for line in found] == ([message] if message else [])
    findings = convert(ConvertOptions("imdb", sample=SAMPLE, out=tmp_path / "o")).findings
    assert "language" not in [finding.kind for finding in findings]


def test_a_language_that_cannot_be_tokenised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blank(code: str) -> None:
        raise ImportError("Japanese needs a library\nand more")

    monkeypatch.setattr("mtnlp.data.sources.spacy.blank", blank)
    rows = json.dumps({"text": "私は毎朝駅まで歩いて行きます。", "label": "x"}) + "\n"
    options = ConvertOptions("jsonl", train=write(tmp_path / "a.jsonl", rows))
    records = [Record(text=json.loads(rows)["text"])]
    language, (finding,) = choose_language(options, {"train": records})
    assert language == "en" and finding.is_fault
    assert "[W181] The texts seem to be in 'ja'" in finding.message
    assert "(Japanese needs a library)" in finding.message
