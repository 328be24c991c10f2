"""Licences and notices follow from the corpora."""

import pytest

from mtnlp.errors import MtnlpError
from scripts.project.corpora import REAL, corpora_used, licence_name, notices


def test_the_sample_is_mit_whatever_corpora_it_stands_for() -> None:
    used = corpora_used(["imdb", "conll"], "sample")
    assert len(used) == 1
    assert licence_name(used) == "MIT"
    assert "written for the mtnlp project" in notices(used)


@pytest.mark.parametrize("source", ["hub", "local"])
def test_real_corpora_each_bring_their_notice(source: str) -> None:
    used = corpora_used(["conll", "multinerd"], source)
    assert "CC BY-NC-SA 4.0" in licence_name(used)
    assert "MIT" not in licence_name(used)
    text = notices(used)
    assert "Reuters" in text and "Non-commercial" in text
    assert REAL["imdb"].title not in text


def test_unknown_names_are_refused() -> None:
    with pytest.raises(MtnlpError, match=r"E411.*corpus 'ontonotes'"):
        corpora_used(["ontonotes"], "hub")
    with pytest.raises(MtnlpError, match=r"E411.*source 'web'"):
        corpora_used(["imdb"], "web")
