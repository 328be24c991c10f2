import pytest

from mtnlp.data.options import parse_delimiter, parse_labels, parse_limit, parse_ratio
from mtnlp.errors import MtnlpError


def test_ratio() -> None:
    assert parse_ratio("60:15:25") == pytest.approx((0.6, 0.15, 0.25))
    assert parse_ratio("3:1:0") == pytest.approx((0.75, 0.25, 0))


@pytest.mark.parametrize(
    "value", ["", "60:40", "a:b:c", "60:-5:45", "0:50:50", "nan:1:1", "inf:1:1"]
)
def test_not_a_ratio(value: str) -> None:
    with pytest.raises(MtnlpError, match=r"E144.*--ratio"):
        parse_ratio(value)


def test_limit() -> None:
    assert parse_limit("0") == (0, 0, 0)
    assert parse_limit("500") == (500, 500, 500)
    assert parse_limit("500:0:20") == (500, 0, 20)


@pytest.mark.parametrize("value", ["", "-1", "1:2", "a", "1.5", "1:2:3:4"])
def test_not_a_limit(value: str) -> None:
    with pytest.raises(MtnlpError, match=r"E144.*--limit"):
        parse_limit(value)


def test_delimiter() -> None:
    written = ["tab", "\\t", "\t", "space", ";"]
    assert [parse_delimiter(value) for value in written] == ["\t", "\t", "\t", " ", ";"]
    for value in (";;", '"', "\n"):
        with pytest.raises(MtnlpError, match=r"E144.*--delimiter"):
            parse_delimiter(value)


def test_labels() -> None:
    assert parse_labels("PER, ORG,,LOC ") == ["PER", "ORG", "LOC"]
