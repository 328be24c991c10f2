"""Settings become options of a conversion, and the same ones on a command line."""

import shlex
from pathlib import Path

from mtnlp.data.options import ConvertOptions
from mtnlp.recipes.conversion import plan_conversions
from mtnlp.recipes.corpora import find_sources
from mtnlp.recipes.options import ProjectOptions
from tests.data.corpora import COLUMNS, write


def test_a_line_says_what_the_options_say(tmp_path: Path) -> None:
    file = write(tmp_path / "a b.csv", "review;stars\nGood.;5\nBad.;1\n")
    options = ProjectOptions(
        format="csv",
        delimiter=";",
        text_field="review",
        label_field="stars",
        ratio="60:20:20",
        skip_bad=True,
    )
    (conversion,) = plan_conversions(find_sources([file], "csv"), options)
    made = conversion.options(tmp_path / "corpus")
    assert (made.train, made.name, made.delimiter) == (file, "a_b", ";")
    assert made.ratio == (0.6, 0.2, 0.2) and made.text_field == "review"
    assert made.task == ConvertOptions("csv").task
    words = shlex.split(conversion.command({"train": Path("assets/a_b/a b.csv")}))
    assert words[:7] == ["python", "-m", "mtnlp", "convert", "csv", "--train", "assets/a_b/a b.csv"]
    assert words[7:9] == ["--name", "a_b"]
    for option in (["--delimiter", ";"], ["--ratio", "60:20:20"], ["--label-field", "stars"]):
        assert words[words.index(option[0]) + 1] == option[1]
    assert made.skip_bad and words[-1] == "--skip-bad"


def test_settings_go_to_the_corpora_that_read_them(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "reviews.csv", "text,label\nGood.,yes\nBad.,no\n"),
        write(tmp_path / "names.txt", COLUMNS),
    ]
    options = ProjectOptions(spans_key="fine", label_separator="|")
    reviews, names = plan_conversions(find_sources(files), options)
    assert dict(reviews.settings) == {"label_separator": "|", "task": "reviews"}
    assert dict(names.settings) == {"spans_key": "fine", "task": "names"}


def test_a_setting_that_no_format_reads_reaches_the_conversion(tmp_path: Path) -> None:
    file = write(tmp_path / "names.txt", COLUMNS)
    (conversion,) = plan_conversions(find_sources([file]), ProjectOptions(label_separator="|"))
    assert conversion.settings["label_separator"] == "|"
