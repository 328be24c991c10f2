"""The page of a report in Chromium: no error, no request, every chart, all of it by keyboard."""

from pathlib import Path
from typing import Any, Iterator

import pytest

from mtnlp.reports.page.report import report_page
from tests.browser import EXECUTABLE, Browser
from tests.reports.page.maps import made_up
from tests.reports.page.report_numbers import report_numbers
from tests.reports.page.test_report import SECTIONS

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="Chromium is not installed")

DRAWN = "[...document.querySelectorAll('.chart')].every((one) => one.dataset.drawn === 'yes')"
# Wider than the window, though nothing that scrolls within itself holds it.
TOO_WIDE = """[...document.querySelectorAll('body *')].filter((one) =>
    !one.closest('.scroll, .skip, svg') && one.getBoundingClientRect().right > innerWidth + 1
).map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("vl_convert")
    path = tmp_path_factory.mktemp("report") / "index.html"
    numbers = {**report_numbers(), "vectors": {"maps": [made_up(200)]}}
    path.write_text(report_page(numbers)[0], encoding="utf8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser, page: Path) -> Iterator[Browser]:
    """Whatever a test does: no error, no request, and no text that became a script."""
    chromium.view(1280)
    chromium.open(page)
    yield chromium
    assert chromium.errors == []
    allowed = (page.resolve().as_uri(), "data:", "blob:")
    assert [url for url in chromium.requests if not url.startswith(allowed)] == []
    assert chromium.run("window.hacked") is None


def focused(browser: Browser) -> Any:
    return browser.run("document.activeElement.textContent.trim()")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_all_is_drawn_and_fits(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.view(width, dark=dark)
    browser.open(page)
    browser.until(lambda: browser.run(DRAWN))
    charts = browser.run("document.querySelectorAll('.chart').length")
    assert charts > 30
    shapes = browser.run(
        "[...document.querySelectorAll('.chart')].map((one) => one.querySelectorAll("
        "'.mark-rect path, .mark-symbol path, .mark-line path, .mark-rule line').length)"
    )
    assert len(shapes) == charts and min(shapes) > 0
    for name in SECTIONS:
        assert browser.run(f"document.getElementById({name!r}).checkVisibility()")
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.run(TOO_WIDE) == []
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    lightness = sum(int(part) for part in ground.strip("rgb()").split(","))
    assert lightness < 200 if dark else lightness > 600
    ink = browser.run("document.querySelector('.chart svg text').getAttribute('fill')")
    assert ink == browser.run(
        "getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"
    )


def test_charts_take_the_other_scheme(browser: Browser) -> None:
    browser.until(lambda: browser.run(DRAWN))
    ink = "document.querySelector('.chart svg text')?.getAttribute('fill')"
    before = browser.run(ink)
    browser.view(1280, dark=True)
    browser.until(lambda: browser.run(ink) not in (None, before) and browser.run(DRAWN))


def test_by_keyboard(browser: Browser) -> None:
    browser.until(lambda: browser.run(DRAWN))
    browser.press("Tab")
    assert focused(browser) == "Skip to the content"
    browser.press("Tab")
    assert focused(browser) == "Overview"
    browser.press("Tab")
    assert focused(browser) == "Entities"
    browser.press("Enter")
    top = "document.getElementById('entities').getBoundingClientRect().top"
    browser.until(lambda: abs(browser.run(top)) < 100)
    assert browser.run("location.hash") == "#entities"
    # Each step shows where it is, and every kind of control can be reached.
    reached = set()
    for _ in range(400):
        browser.press("Tab")
        reached.add(browser.run("document.activeElement.tagName"))
        assert browser.run(
            "document.activeElement === document.body || "
            "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        if browser.run("document.activeElement === document.body"):
            break
    assert {"SUMMARY", "BUTTON", "DIV", "SELECT"} <= reached


def test_the_skip_link(browser: Browser) -> None:
    browser.press("Tab")
    browser.press("Enter")
    assert browser.run("document.activeElement.id") == "content"
    browser.press("Tab")
    assert focused(browser).startswith("See ")


def test_a_table_opens_and_is_sorted_by_keyboard(browser: Browser) -> None:
    figure = "document.getElementById('figure-entities-ner-types')"
    browser.run(f"{figure}.querySelector('summary').focus()")
    browser.press("Enter")
    assert browser.run(f"{figure}.querySelector('table').checkVisibility()")
    browser.press("Tab")  # the region that scrolls
    browser.press("Tab")
    browser.press("Tab")
    assert focused(browser) == "precision"
    first = f"[...{figure}.querySelectorAll('tbody td:nth-child(2)')].map((one) => one.textContent)"
    before = browser.run(first)
    browser.press("Enter")
    after = browser.run(first)
    assert after == sorted(before, reverse=True) != before
    assert browser.run(f"{figure}.querySelector('[aria-sort]').ariaSort") == "descending"
    browser.press("Enter")
    assert browser.run(first) == sorted(before)
    browser.press("Enter")
    assert browser.run(first) == before


def test_a_curve_is_picked(browser: Browser) -> None:
    browser.until(lambda: browser.run(DRAWN))
    figure = "document.getElementById('figure-classification-textcat-emotion-curves')"
    line = f"{figure}.querySelector('.layer_1_marks path').getAttribute('d')"
    before = browser.run(line)
    browser.run(f"{figure}.querySelector('select').focus()")
    browser.press("End")
    browser.until(lambda: browser.run(line) != before)


def test_a_tooltip_is_text(browser: Browser) -> None:
    browser.until(lambda: browser.run(DRAWN))
    browser.run("document.documentElement.style.scrollBehavior = 'auto'")
    figure = "document.getElementById('figure-entities-ner-types')"
    browser.run(f"{figure}.scrollIntoView()")
    box = f"{figure}.querySelectorAll('.mark-rect path')[2].getBoundingClientRect()"
    x, y = browser.run(f"(() => {{ const b = {box}; return [b.left + 20, b.top + 4]; }})()")
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    tip = "document.querySelector('#vg-tooltip-element.visible')?.textContent"
    browser.until(lambda: browser.run(tip))
    assert "onerror" in browser.run(tip)
    assert browser.run("document.querySelector('#vg-tooltip-element img')") is None


def test_what_is_saved(browser: Browser) -> None:
    browser.until(lambda: browser.run(DRAWN))
    figure = "document.getElementById('figure-tasks')"
    names = browser.run(f"[...{figure}.querySelectorAll('.save button')].map((b) => b.ariaLabel)")
    assert names == ["Save as PNG", "Save as SVG", "Save as CSV"]
    # Instead of being followed, the links are kept.
    browser.run(
        "window.saved = []; HTMLAnchorElement.prototype.click = function () {"
        " saved.push([this.download, this.href]); }"
    )
    browser.run(f"[...{figure}.querySelectorAll('.save button')].forEach((one) => one.click())")
    browser.until(lambda: browser.run("saved.length") == 3)
    saved = dict(browser.run("saved"))
    assert saved["figure-tasks.png"].startswith("data:image/png")
    assert saved["figure-tasks.svg"].startswith("blob:") or "svg" in saved["figure-tasks.svg"][:40]
    assert saved["table-tasks.csv"].startswith("blob:")
