"""What the pictures of the docs are made of."""

import io
import shlex
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from scripts.docs import screens
from tests.docs.blocks import BLOCKS, command_lines


def test_the_pages_print_the_commands_that_made_their_pictures() -> None:
    printed = {
        " ".join(words) for b in BLOCKS if b.language == "bash" for words in command_lines(b.text)
    }
    own = [
        step.words for step in screens.STEPS if step.words.split()[0] not in ("convert", "train")
    ]
    assert len(own) > 4
    for words in [*own, shlex.join(screens.MAP)]:
        assert f"mtnlp {' '.join(shlex.split(words))}" in printed, words


def test_every_picture_is_on_a_page() -> None:
    pages = "".join(
        page.read_text(encoding="utf8") for page in (screens.ROOT / "docs").rglob("*.md")
    )
    assert [one.name for one in screens.SCREENS if f"screens/{one.name}.png)" not in pages] == []
    assert {f"{one.name}.png" for one in screens.SCREENS} == {
        p.name for p in screens.OUTPUT.iterdir()
    }


def test_wrong_annotations_are_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "PLANTED_EVERY", 2)
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words=list("abcdefghijklmnop"))
    # Every second one: d is left out, gh is cut, j and l.
    spans = [(0, 1, "X"), (3, 4, "X"), (5, 6, "X"), (6, 8, "Y"), (8, 9, "X"), (9, 10, "Y")]
    doc.ents = [Span(doc, *span) for span in spans]
    doc.user_data["document"] = "a"
    source, target = tmp_path / "a.spacy", tmp_path / "b.spacy"
    DocBin(docs=[doc], store_user_data=True).to_disk(source)
    screens.plant(source, target)
    (read,) = DocBin().from_disk(target).get_docs(vocab)
    found = [(ent.start, ent.end, ent.label_) for ent in read.ents]
    assert found == [(0, 1, "X"), (5, 6, "X"), (6, 7, "Y"), (8, 9, "X"), (9, 10, "X")]
    assert read.user_data["document"] == "a"


def test_pictures_have_few_colours() -> None:
    image = pytest.importorskip("PIL.Image")
    wide = image.linear_gradient("L").convert("RGB")
    png = io.BytesIO()
    wide.save(png, "PNG")
    small = image.open(io.BytesIO(screens.small(png.getvalue())))
    assert small.size == wide.size and len(small.getcolors()) <= screens.COLORS
    noise = image.effect_noise((1000, 1000), 90)
    png = io.BytesIO()
    noise.save(png, "PNG")
    with pytest.raises(ValueError, match="bytes, more than 150,000"):
        screens.small(png.getvalue())
