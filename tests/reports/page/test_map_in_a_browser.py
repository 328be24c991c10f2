"""The map in Chromium: no error, no request, and all of it by keyboard, too."""

from pathlib import Path
from typing import Any, Iterator, List

import pytest

from mtnlp.reports.page.map_page import map_page
from tests.browser import EXECUTABLE, Browser
from tests.reports.page.maps import page_numbers

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("vl_convert")
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(map_page(page_numbers(300)), encoding="utf8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser, page: Path) -> Iterator[Browser]:
    """The page, opened anew. Whatever a test does, there is no error and no request."""
    chromium.view(1280)
    chromium.open(page)
    chromium.until(lambda: chromium.run("!!document.querySelector('.map').map"))
    yield chromium
    assert chromium.errors == []
    assert [url for url in chromium.requests if url != page.resolve().as_uri()] == []
    assert chromium.run("window.hacked") is None


def texts(browser: Browser, selector: str) -> List[str]:
    found: List[str] = browser.run(
        f"[...document.querySelectorAll({selector!r})].filter((one) => one.checkVisibility())"
        ".map((one) => one.textContent)"
    )
    return found


def focused(browser: Browser) -> Any:
    return browser.run("document.activeElement.className || document.activeElement.textContent")


def click(browser: Browser, x: float, y: float, times: int = 1) -> None:
    where = {"x": x, "y": y, "button": "left", "clickCount": times}
    browser.call("Input.dispatchMouseEvent", type="mousePressed", **where)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", **where)


def place_of(browser: Browser, point: int) -> List[float]:
    """Where a point is in the window."""
    found: List[float] = browser.run(
        "(() => { const map = document.querySelector('.map').map;"
        " const box = map.canvas.getBoundingClientRect();"
        f" const [x, y] = map.at({point}); return [box.left + x, box.top + y]; }})()"
    )
    return found


def test_points_are_drawn_in_their_colours(browser: Browser) -> None:
    # Four labels, their edges, and the ground. A busy machine draws late.
    browser.until(
        lambda: browser.run(
            "(() => { const map = document.querySelector('.map').map;"
            " return new Set(map.pixels).size > 20; })()"
        )
    )
    shown = texts(browser, ".map-legend button")
    assert [name.rstrip("0123456789") for name in shown] == ["PER", "ORG", "LOC", "MISC"]


def test_neighbours_by_keyboard(browser: Browser) -> None:
    browser.run("document.querySelector('.map-search').focus()")
    browser.press("Tab")
    assert "query" in focused(browser)
    browser.press("Tab")
    browser.press("Tab")
    assert "Name1" in focused(browser)
    browser.press("Enter")
    assert focused(browser) == "map-picked"
    assert "Name1 & Co" in texts(browser, ".map-chosen")[0]
    near = texts(browser, ".map-near button")
    assert len(near) == 5 and all("cosine 0." in line for line in near)
    browser.press("Tab")
    assert focused(browser) == "map-back"
    browser.press("Tab")
    browser.press("Enter")  # the first neighbour's neighbours
    assert texts(browser, ".map-chosen .map-text")[0] == near[0].split("cosine")[0]
    assert texts(browser, ".map-near button") != near
    browser.run("document.querySelector('.map-back').focus()")
    browser.press("Enter")
    assert texts(browser, ".map-near button") == near
    browser.press("Escape")
    assert texts(browser, ".map-near button") == [] and texts(browser, ".map-found button")


def test_neighbours_by_mouse_and_the_text_under_it(browser: Browser) -> None:
    browser.run("document.querySelector('.map-place').scrollIntoView({behavior: 'instant'})")
    x, y = place_of(browser, 7)
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    (tip,) = texts(browser, ".map-tip")
    assert (tip.startswith("In text") and "score" in tip) or "missed" in tip
    click(browser, x, y)
    assert texts(browser, ".map-chosen")[0] == tip
    assert len(texts(browser, ".map-near button")) == 5
    rings = browser.run("document.querySelector('.map').map.marks.rings.length")
    assert rings == 7  # the point, its neighbours, the query


def test_search(browser: Browser) -> None:
    browser.run("document.querySelector('.map-search').focus()")
    browser.call("Input.insertText", text="name2")
    # The words that are meant are searched, not those around them: Name2, Name20 to 29 and so on.
    assert texts(browser, ".map-status")[0].startswith("111 of 300 entities with “name2”")
    assert len(texts(browser, ".map-found button")) == 40
    faint = browser.run("document.querySelector('.map').map.faint.reduce((a, b) => a + b)")
    assert faint == 300 - 111
    browser.call("Input.insertText", text="<img>")
    assert texts(browser, ".map-status")[0].startswith("0 of 300")


def test_the_legend_hides_and_shows(browser: Browser) -> None:
    browser.run("document.querySelector('.map-legend button').focus()")
    browser.press("Enter")
    pressed = "[...document.querySelectorAll('.map-legend button')].map((b) => b.ariaPressed)"
    assert browser.run(pressed) == ["false", "true", "true", "true"]
    assert browser.run("document.querySelector('.map').map.shown[0]") is False
    assert not texts(browser, ".map-status")[0].startswith("300 of 300")
    assert "PER" in browser.run("document.activeElement.textContent")
    browser.press("Enter", shift=True)
    assert browser.run(pressed) == ["true", "false", "false", "false"]
    browser.press("Enter", shift=True)
    assert browser.run(pressed) == ["true"] * 4


@pytest.mark.parametrize(("mode", "name"), [("score", "0 to 0.5"), ("error", "spurious")])
def test_other_colours(browser: Browser, mode: str, name: str) -> None:
    browser.run(f"document.querySelector('input[value={mode}]').click()")
    assert any(shown.startswith(name) for shown in texts(browser, ".map-legend button"))


def test_moving_and_zooming(browser: Browser) -> None:
    scale = "document.querySelector('.map').map.scale"
    before = browser.run(scale)
    browser.run("document.querySelector('.map-place canvas').focus()")
    browser.run("document.querySelector('.map-in').click()")
    assert browser.run(scale) == pytest.approx(1.5 * before)
    browser.run("document.querySelector('.map-whole').click()")
    assert browser.run(scale) == pytest.approx(before)
    browser.run("document.querySelector('.map-place').scrollIntoView({behavior: 'instant'})")
    x, y = place_of(browser, 7)
    browser.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left")
    for i in range(1, 6):
        browser.call(
            "Input.dispatchMouseEvent",
            type="mouseMoved",
            x=x + 6 * i,
            y=y,
            button="left",
            buttons=1,
        )
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", x=x + 30, y=y, button="left")
    assert place_of(browser, 7) == pytest.approx([x + 30, y], abs=0.01)
    assert texts(browser, ".map-chosen") == []  # moving is not choosing


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, width: int, dark: bool) -> None:
    browser.view(width, dark=dark)
    browser.until(lambda: browser.run("document.querySelector('.map').map.width") < width)
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    card = "getComputedStyle(document.documentElement).getPropertyValue('--card').trim()"
    ground = "document.querySelector('.map').map.marks.page"
    browser.until(lambda: browser.run(f"{card} === {ground}"))
    # The picture's own ground follows.
    value = "document.querySelector('.map').map.ground & 0xff"
    browser.until(lambda: browser.run(value) == (0x19 if dark else 0xFF))


def test_20000_points_stay_fluid(chromium: Browser, tmp_path: Path) -> None:
    """A picture takes less than a thirtieth of a second: a tenth of that on an idle machine."""
    path = tmp_path / "large.html"
    path.write_text(map_page({**page_numbers(20_000), "sentences": None}), encoding="utf8")
    chromium.view(1280)
    chromium.open(path)
    chromium.until(lambda: chromium.run("!!document.querySelector('.map').map"))
    seconds = chromium.run(
        "(() => { const map = document.querySelector('.map').map, times = [];"
        " for (let i = 0; i < 15; i++) {"
        " map.move(3, 2); map.zoom(1.01); const start = performance.now(); map.draw();"
        " map.find(400, 300); times.push(performance.now() - start); }"
        " return times.sort((a, b) => a - b)[7] / 1000; })()"
    )
    assert seconds < 1 / 30
    assert chromium.errors == []
