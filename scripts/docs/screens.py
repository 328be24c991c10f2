"""Makes the pictures of docs/questions and docs/report.md from the embedded sample.

    python -m scripts.docs.screens            # all of it; trainings that are done are kept
    python -m scripts.docs.screens --only map # one picture, from pages that are there

It trains on corpus/sample by the project's configs, runs the commands that the pages print, opens
what they write in Chromium, and cuts the figures out. Only texts of the sample are shown.
"""

import base64
import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any, List, NamedTuple, Optional, Sequence

import typer

from mtnlp.cli.verb import verb_app
from tests.browser import Browser

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "docs" / "questions" / "screens"
# Pixels around what is cut out; colours of a picture; bytes of one at most.
MARGIN, COLORS, MOST_BYTES = 8, 128, 150_000
CORPORA = ("imdb", "conll", "nerel", "multinerd")
# Of the test entities of the sample, each so many-th gets a wrong annotation on purpose.
PLANTED_EVERY = 10
DRAWN = """[...document.querySelectorAll('.chart')].every(
    (one) => ['yes', 'failed'].includes(one.dataset.drawn))"""


class Step(NamedTuple):
    """A command of the pages. makes: what it writes; it is not run again where that is there."""

    words: str
    makes: str


class Screen(NamedTuple):
    """A picture. page: the file it is of. of: what is cut out, as selectors; those of a title are
    `title:`. before: JavaScript that is run first."""

    name: str
    page: str
    of: Sequence[str]
    width: int = 1280
    dark: bool = False
    before: str = ""


# configs/conll.cfg is for all of CoNLL-2003; the sample is small.
EPOCHS = "--training.max_epochs 6"
STEPS = (
    *(
        Step(f"convert {name} --source sample --out corpus", f"corpus/test/{name}.spacy")
        for name in CORPORA
    ),
    Step("train configs/en_mtnlp.cfg --output training/en_mtnlp", "training/en_mtnlp/model-best"),
    Step(f"train configs/conll.cfg --output training/conll {EPOCHS}", "training/conll/model-best"),
    Step(
        "calibrate training/en_mtnlp/model-best corpus/dev --output training/en_mtnlp/calibrated",
        "training/en_mtnlp/calibrated",
    ),
    Step("report training/en_mtnlp/model-best corpus -o report", "report"),
    Step(
        "report training/en_mtnlp/calibrated corpus -o report_calibrated",
        "report_calibrated",
    ),
    Step(
        "report training/en_mtnlp/model-best corpus --name conll "
        "--versus training/conll/model-best -o report_versus",
        "report_versus",
    ),
    Step(
        "find-label-errors planted.spacy --model training/en_mtnlp/model-best --output errors",
        "errors/index.html",
    ),
    Step(
        "report training/conll/model-best corpus --name conll --learning-curve -o report_curve",
        "report_curve",
    ),
)
MAP = [
    "visualize", "training/en_mtnlp/model-best", "corpus/train/conll.spacy", "--of", "entities",
    "--query", "the king of [Jordan] spoke", "--query", "Michael [Jordan] scored", "-o", "map.html",
]  # fmt: skip

REPORT = "report/index.html"
NER, NESTED = "#figure-entities-ner-", "#figure-entities-nested-ner-"
SCREENS = (
    Screen("overview", REPORT, [".findings", ".scores", "#figure-tasks"]),
    Screen("overview_dark", REPORT, [".findings", ".scores"], dark=True),
    Screen("phone", REPORT, [NER + "types"], width=390),
    Screen("missed", REPORT, ["title:Missed entities"]),
    Screen("unseen", REPORT, [NER + "by-seen", NER + "by-frequency"]),
    Screen("boundaries", REPORT, [NESTED + "boundaries"]),
    Screen("types", REPORT, [NESTED + "types"]),
    Screen("curve", "report_curve/index.html", ["#learning-curve .blocks"]),
    Screen("reliability", REPORT, [NESTED + "reliability"]),
    Screen("calibrated", "report_calibrated/index.html", [NESTED + "reliability"]),
    Screen("coverage", "report_calibrated/index.html", [NESTED + "coverage"]),
    Screen("confusion", REPORT, [NER + "confusion"]),
    Screen("confused", REPORT, ["title:Examples of confused types"]),
    Screen("versus", "report_versus/index.html", ["#versus .prose", "#versus figure"]),
    Screen("versus_texts", "report_versus/index.html", ["title:Texts where they differ"]),
    Screen("label_errors", "errors/index.html",
        [".examples > :is(h3, .shows)", ".examples > ul > li:nth-child(-n+4)"]),
    Screen("map", "map.html", [".map-modes", ".map-legend", ".map-parts"],
        before="document.querySelector('.map-found button').click()"),
)  # fmt: skip

# The box around elements, in pixels of the page.
BOX = """((all) => {
    const boxes = all.flatMap((of) => of.startsWith('title:')
        ? [...document.querySelectorAll('.card')].filter((one) =>
            one.querySelector('h3, h4')?.textContent === of.slice(6)).slice(0, 1)
        : [...document.querySelectorAll(of)]).map((one) => one.getBoundingClientRect());
    const least = (key) => Math.min(...boxes.map((box) => box[key]));
    const most = (key) => Math.max(...boxes.map((box) => box[key]));
    return boxes.length ? [least('left'), least('top') + scrollY, most('right'),
        most('bottom') + scrollY] : null;
})"""


app = verb_app()


@app.command()
def main(
    work: Annotated[Path, typer.Option(help="Where trainings and pages are kept.")] = ROOT
    / "build"
    / "screens",
    output: Annotated[Path, typer.Option(help="Where the pictures go.")] = OUTPUT,
    only: Annotated[Optional[List[str]], typer.Option(help="A picture; repeatable.")] = None,
) -> None:
    """Train on the sample, build the pages, and cut the pictures out."""
    work.mkdir(parents=True, exist_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    for name in ("assets", "configs"):
        if not (work / name).exists():
            (work / name).symlink_to(ROOT / name)
    for step in STEPS:
        if "planted" in step.words and not (work / "planted.spacy").exists():
            plant(work / "corpus" / "test" / "conll.spacy", work / "planted.spacy")
        if not (work / step.makes).exists():
            run(step.words.split(), work)
    if not (work / "map.html").exists():
        run(MAP, work)
    with Browser() as browser:
        for screen in SCREENS:
            if not only or screen.name in only:
                path = output / f"{screen.name}.png"
                path.write_bytes(cut(browser, work / screen.page, screen))
                print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)


def run(words: Sequence[str], work: Path) -> None:
    """Run a command of mtnlp in the folder. Raises: CalledProcessError."""
    print("mtnlp", *words, flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "components")}
    subprocess.run([sys.executable, "-m", "mtnlp", *words], cwd=work, env=environment, check=True)


def plant(source: Path, target: Path) -> None:
    """Copy a corpus with wrong annotations among its entities: in turn one is left out, gets
    another label, or loses its last word (where it has but one, another label)."""
    import spacy
    from spacy.tokens import DocBin, Span

    vocab = spacy.blank("en").vocab
    docs = list(DocBin(store_user_data=True).from_disk(source).get_docs(vocab))
    labels = sorted({ent.label_ for doc in docs for ent in doc.ents})
    number = planted = 0
    for doc in docs:
        kept = []
        for ent in doc.ents:
            number += 1
            if number % PLANTED_EVERY:
                kept.append(ent)
                continue
            planted += 1
            if planted % 3 == 1:
                continue
            if planted % 3 == 2 and len(ent) > 1:
                kept.append(Span(doc, ent.start, ent.end - 1, ent.label))
            else:
                other = labels[(labels.index(ent.label_) + 1) % len(labels)]
                kept.append(Span(doc, ent.start, ent.end, other))
        doc.ents = kept
    DocBin(docs=docs, store_user_data=True).to_disk(target)
    print(f"{planted} of {number} entities annotated wrongly on purpose: {target.name}")


def cut(browser: Browser, page: Path, screen: Screen) -> bytes:
    """The figures of a page as a PNG. Raises: ValueError where one is not there."""
    browser.view(screen.width, dark=screen.dark)
    browser.open(page)
    browser.until(lambda: browser.run(DRAWN))
    if screen.before:
        browser.run(screen.before)
    time.sleep(0.4)  # The map draws in the next frames.
    box = browser.run(f"{BOX}({list(screen.of)})")
    if box is None or browser.errors:
        raise ValueError(f"{page}: {screen.of} is not there; {browser.errors}")
    left, top, right, bottom = box
    clip: Any = {
        "x": max(0, left - MARGIN),
        "y": max(0, top - MARGIN),
        "width": min(screen.width - max(0, left - MARGIN), right - left + 2 * MARGIN),
        "height": bottom - top + 2 * MARGIN,
        "scale": 1,
    }
    shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    return small(base64.b64decode(shot["data"]))


def small(png: bytes) -> bytes:
    """A PNG with few colours. Raises: ValueError where it is still too large."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    out = io.BytesIO()
    image.quantize(COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    if out.tell() > MOST_BYTES:
        raise ValueError(f"the picture has {out.tell():,} bytes, more than {MOST_BYTES:,}")
    return out.getvalue()


if __name__ == "__main__":
    app()
