"""A project made of somebody's files: what it holds, and what it decides."""

import json
import shlex
from pathlib import Path
from typing import Any, Dict, List

import pytest
import typer
from spacy import Language
from spacy.tokens import DocBin
from spacy.util import load_config, load_model_from_config
from weasel.cli.run import check_rerun
from weasel.util.config import load_project_config

from mtnlp.cli import convert
from mtnlp.errors import MtnlpError
from mtnlp.recipes import assets
from mtnlp.recipes.options import EntityFactory, Precision, ProjectOptions
from mtnlp.recipes.project import Project, make_project
from tests.data.corpora import files_below, write

PEOPLE = ("Anna Keller", "Tom Berg", "Marie Curie")
PLACES = ("Paris", "Rome", "Oslo")


def make_reviews(path: Path, count: int = 20) -> Path:
    rows = (f"This is review {n},{'good' if n % 2 else 'bad'}\n" for n in range(count))
    return write(path, "text,label\n" + "".join(rows))


def make_names(path: Path, labels: Any = ("PER", "LOC"), nested: bool = False) -> Path:
    lines: List[str] = []
    for n in range(20):
        person, place = PEOPLE[n % 3], PLACES[n // 3 % 3]
        text = f"{person} sent parcel {n} to {place}."
        at = text.index(place)
        spans = [(0, len(person), labels[0]), (at, at + len(place), labels[1])]
        if nested:
            spans.append((0, person.index(" "), "FIRST"))
        rows = [{"start": start, "end": end, "label": label} for start, end, label in spans]
        lines.append(json.dumps({"text": text, "spans": rows}) + "\n")
    return write(path, "".join(lines))


@pytest.fixture
def make(backbone: Path, tmp_path: Path) -> Any:
    def make(*data: Path, **options: Any) -> Project:
        own = ProjectOptions(encoder=str(backbone), **options)
        return make_project(data, tmp_path / "shop", own)

    return make


def built(project: Project) -> Language:
    """The pipeline of its config, without weights."""
    paths = {"paths.backbone": str(project.folder / "assets" / "encoder")}
    config = load_config(project.folder / "config.cfg", overrides=paths)
    return load_model_from_config(config.interpolate(), auto_fill=True)


def exclusive_tasks(nlp: Language) -> Dict[str, bool]:
    return {name: task["exclusive"] for name, task in nlp.get_pipe("textcat").cfg["tasks"].items()}


def test_what_is_in_the_folder(make: Any, tmp_path: Path) -> None:
    project = make(make_reviews(tmp_path / "reviews.csv"))
    found = [path for path in files_below(tmp_path / "shop") if "assets/encoder" not in path]
    assert found == [
        "README.md",
        "assets/reviews/reviews.csv",
        "config.cfg",
        *(f"corpus/{split}/reviews.spacy" for split in ("dev", "test", "train")),
        "project.lock",
        "project.yml",
    ]
    assert project.plan.package == "en_shop"
    (report,) = project.reports
    assert all(path.is_file() for path in report.written.files.values())
    assert report.written.units == {"train": 16, "dev": 2, "test": 2}
    assert project.tables
    nlp = built(project)
    assert exclusive_tasks(nlp) == {"category": True}
    assert len((tmp_path / "shop" / "config.cfg").read_text(encoding="utf8").splitlines()) <= 60


def test_what_is_done_is_not_done_again(make: Any, tmp_path: Path) -> None:
    folder = make(make_reviews(tmp_path / "reviews.csv")).folder
    commands = {command["name"]: command for command in load_project_config(folder)["commands"]}
    again = {name: check_rerun(folder, command) for name, command in commands.items()}
    assert [name for name, needed in again.items() if not needed] == ["encoder", "convert"]
    with (folder / "assets" / "reviews" / "reviews.csv").open("a", encoding="utf8") as stream:
        stream.write("One more,good\n")
    assert check_rerun(folder, commands["convert"]) and not check_rerun(folder, commands["encoder"])


def test_the_command_converts_as_the_project_was_made(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(
        tmp_path / "r.csv", "who;said\nA;One\n" + "".join(f"B;It is {n}\n" for n in range(19))
    )
    project = make(
        file, delimiter=";", text_field="said", label_field="who", ratio="60:20:20", task="speaker"
    )
    train = project.folder / "corpus" / "train" / "r.spacy"
    before = list(DocBin().from_disk(train).get_docs(built(project).vocab))
    (line,) = project.plan.conversions
    train.unlink()
    monkeypatch.chdir(project.folder)
    command = typer.main.get_command(convert.app)
    command.main(shlex.split(line)[4:], standalone_mode=False)
    after = list(DocBin().from_disk(train).get_docs(built(project).vocab))
    assert [doc.text for doc in after] == [doc.text for doc in before] and len(before) == 12
    assert before[0].cats.keys() == after[0].cats.keys() == {"speaker/A", "speaker/B"}


def test_several_corpora_become_one_pipeline(make: Any, tmp_path: Path) -> None:
    project = make(make_reviews(tmp_path / "reviews.csv"), make_names(tmp_path / "names.jsonl"))
    nlp = built(project)
    assert exclusive_tasks(nlp) == {"reviews": True}
    assert nlp.get_pipe_meta("ner").factory == "crf_ner"
    (note,) = project.notes
    assert "The encoder is in assets/encoder" in note


def test_other_labels_get_a_layer_of_their_own(make: Any, tmp_path: Path) -> None:
    project = make(
        make_names(tmp_path / "names.jsonl"),
        make_names(tmp_path / "more.jsonl"),
        make_names(tmp_path / "goods.jsonl", labels=("BUYER", "CITY")),
    )
    note, _ = project.notes
    assert "goods" in note and "doc.spans['goods']" in note
    keys = [
        pipe.cfg.get("spans_key") for _, pipe in built(project).pipeline if hasattr(pipe, "cfg")
    ]
    assert [key for key in keys if key is not None] == ["goods"]
    names, more, goods = project.plan.conversions
    assert "--spans-key goods" in goods and "--spans-key" not in names + more
    docs = list(
        DocBin()
        .from_disk(project.folder / "corpus" / "train" / "goods.spacy")
        .get_docs(built(project).vocab)
    )
    assert all(doc.spans["goods"] and not doc.has_annotation("ENT_IOB") for doc in docs)


def test_an_encoder_that_spells_the_language_is_not_passed_over(make: Any, tmp_path: Path) -> None:
    texts = ("Стамбул лежит на двух берегах", "Москва встретила гостей дождём и ветром")
    rows = "".join(f"{texts[n % 2]} номер {n},{'да' if n % 2 else 'нет'}\n" for n in range(20))
    project = make(write(tmp_path / "texts.csv", "text,label\n" + rows), lang="ru")
    (note,) = project.warnings
    assert note.startswith("texts: [W180]") and "'ru'" in note
    assert "--lang ru" in project.plan.conversions[0] and project.plan.package == "ru_shop"


def test_flags_decide(make: Any, tmp_path: Path) -> None:
    project = make(
        make_reviews(tmp_path / "reviews.csv"),
        make_names(tmp_path / "names.jsonl"),
        multilabel=["reviews"],
        entities=EntityFactory.span_ner,
        spans_key="parcels",
        lang="de",
        window=32,
        batch=111,
        rate=1e-3,
        epochs=7,
        precision=Precision.fp32,
        gpu_id=0,
    )
    config = load_config(project.folder / "config.cfg").interpolate()
    assert config["nlp"]["lang"] == "de" and project.plan.package == "de_shop"
    nlp = built(project)
    assert exclusive_tasks(nlp) == {"reviews": False}
    (entities,) = [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory == "span_ner"]
    assert nlp.get_pipe(entities).cfg["spans_key"] == "parcels"
    model = config["components"]["transformer"]["model"]
    assert (model["window"], model.get("precision", "fp32")) == (32, "fp32")
    assert config["training"]["batcher"]["size"] == 111 and config["training"]["max_epochs"] == 7
    assert load_project_config(project.folder)["vars"]["gpu_id"] == 0


def test_large_files_stay_where_they_are(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_reviews(tmp_path / "reviews.csv")
    monkeypatch.setattr(assets, "COPIED_BYTES", 10)
    project = make(file)
    assert str(file) in project.plan.conversions[0] and str(file) in project.notes[0]
    assert not (project.folder / "assets" / "reviews").exists()
    folder = project.folder.rename(tmp_path / "first")
    assert not check_rerun(folder, load_project_config(folder)["commands"][1])
    assert make(file, copy_data=True).plan.files == ["assets/reviews/reviews.csv"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"exclusive": ["a"], "multilabel": ["a"]}, "E487"),
        ({"exclusive": ["nonsense"]}, "E482"),
        ({"text_field": "body"}, r"in/reviews.csv:1: "),
        ({"encoder": "no/such/encoder"}, "E401"),
    ],
)
def test_an_error_leaves_nothing(
    backbone: Path, tmp_path: Path, options: Any, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    file = make_reviews(tmp_path / "in" / "reviews.csv")
    own = ProjectOptions(**{"encoder": str(backbone), **options})
    with pytest.raises(MtnlpError, match=error):
        make_project([file], tmp_path / "out" / "shop", own)
    assert files_below(tmp_path) == ["in/reviews.csv"]


def test_a_folder_with_something_in_it_is_left_alone(make: Any, tmp_path: Path) -> None:
    file = make_reviews(tmp_path / "reviews.csv")
    kept = write(tmp_path / "shop" / "notes.txt", "mine")
    with pytest.raises(MtnlpError, match=r"E485.*shop"):
        make(file)
    assert files_below(tmp_path / "shop") == ["notes.txt"] and kept.read_text() == "mine"
    kept.unlink()
    assert make(file).folder.is_dir()  # an empty one is taken
