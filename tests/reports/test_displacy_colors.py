"""displaCy knows the colours of all our types by itself, and draws entities within entities."""

import re
from typing import Dict, Tuple

import pytest
import spacy
from spacy import displacy
from spacy.displacy.render import DEFAULT_ENTITY_COLOR
from spacy.tokens import Doc, Span

from mtnlp.data.labels import CONLL_LABELS, MULTINERD_LABELS, NEREL_ENTITY_LABELS
from mtnlp.reports.displacy_colors import FAMILIES, displacy_colors

LABELS = sorted({*CONLL_LABELS, *MULTINERD_LABELS, *NEREL_ENTITY_LABELS})


def test_every_type_has_one_color_and_no_other_type_has() -> None:
    listed = [label for labels in FAMILIES.values() for label in labels]
    assert sorted(listed) == LABELS
    assert set(displacy_colors()) == set(LABELS)


@pytest.mark.parametrize("color", FAMILIES)
def test_black_text_can_be_read(color: str) -> None:
    """A contrast of at least 7 to 1, WCAG 2.1's enhanced level."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    assert re.fullmatch("#[0-9a-f]{6}", color)
    red, green, blue = (linear(int(color[i : i + 2], 16)) for i in (1, 3, 5))
    assert (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) / 0.05 >= 7


def make_doc(spans: Tuple[Tuple[int, int, str], ...]) -> Doc:
    doc = Doc(spacy.blank("en").vocab, words=["Bank", "of", "New", "York", "fell"])
    doc.spans["nerel"] = [Span(doc, start, end, label=label) for start, end, label in spans]
    return doc


def rendered(doc: Doc, style: str, **options: str) -> str:
    return displacy.render(doc, style=style, options=options, jupyter=False)


def test_nested_entities() -> None:
    doc = make_doc(((0, 4, "ORGANIZATION"), (2, 4, "CITY")))
    html = rendered(doc, "span", spans_key="nerel")
    colors = displacy_colors()
    # A label where each begins, a bar below each of its tokens and one at its start.
    for label, tokens in (("ORGANIZATION", 4), ("CITY", 2)):
        assert len(re.findall(rf">\s*{label}\s*<", html)) == 1
        assert html.count(f"background: {colors[label]}") == tokens + 2
    # They stack: the inner one is drawn below the outer.
    tops = {int(top) for top in re.findall(r"top: (\d+)px", html)}
    assert len(tops) == 2


def test_no_type_is_drawn_in_the_color_of_unknown_ones() -> None:
    doc = make_doc(())
    for label in LABELS:
        doc.spans["nerel"] = [Span(doc, 2, 4, label=label)]
        doc.ents = list(doc.spans["nerel"])
        for html in (rendered(doc, "span", spans_key="nerel"), rendered(doc, "ent")):
            assert displacy_colors()[label] in html
            assert DEFAULT_ENTITY_COLOR not in html


def test_colors_of_ones_own_come_first() -> None:
    own: Dict[str, str] = {"CITY": "#000001"}
    html = rendered(make_doc(((2, 4, "CITY"),)), "span", spans_key="nerel", colors=own)  # type: ignore
    assert "#000001" in html and displacy_colors()["CITY"] not in html
