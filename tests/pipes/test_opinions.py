"""What the heads of a trained pipeline believe of Docs."""

from typing import Any, List

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc

from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import CategoryOpinion, SpanOpinion, TagOpinion
from mtnlp.pipes.opinions import LEAST, tag_opinions
from tests.pipes.cases import TEXTS, initialized, make_case


def encoded(nlp: Language, texts: List[str] = TEXTS) -> List[Doc]:
    docs = [nlp.make_doc(text) for text in texts]
    list(nlp.get_pipe("transformer").pipe(docs, batch_size=8))  # type: ignore[attr-defined]
    return docs


def test_tags(trained: Language) -> None:
    """The marginals of each token, those of the tagging that is predicted above all."""
    pipe: Any = trained.get_pipe("ner")
    docs = encoded(trained)
    opinions = pipe.opinions(docs)
    assert [opinion is None for opinion in opinions] == [not len(doc) for doc in docs]
    for doc, opinion in zip(pipe.pipe(docs), opinions, strict=True):
        if opinion is None:
            continue
        assert isinstance(opinion, TagOpinion) and opinion.tags[:3] == ("O", "B-LOC", "I-LOC")
        assert len(opinion.starts) == len(doc) + 1 and opinion.starts[-1] == len(opinion.index)
        parts = [slice(*pair) for pair in zip(opinion.starts, opinion.starts[1:], strict=False)]
        sums = [opinion.probabilities[part].sum() for part in parts]
        np.testing.assert_allclose(sums, 1.0, atol=1e-6)
        best = [opinion.index[part][opinion.probabilities[part].argmax()] for part in parts]
        tags = [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in doc]
        assert [opinion.tags[tag] for tag in best] == tags


def test_tags_are_at_the_pipes_temperature(trained: Language) -> None:
    pipe: Any = trained.get_pipe("ner")
    docs = encoded(trained, TEXTS[:1])
    (sharp,) = pipe.opinions(docs)
    pipe.cfg["temperature"] = 10.0
    (soft,) = pipe.opinions(docs)
    assert len(soft.index) > len(sharp.index)
    assert soft.probabilities.max() < sharp.probabilities.max()


def test_what_is_left_out_of_tags() -> None:
    row = np.array([[0.7, 0.3 - 5e-5, 5e-5], [1.0, 0.0, 0.0]], dtype=np.float32)
    (found,) = tag_opinions("abc", row[np.newaxis], [2])
    assert found is not None and LEAST == 1e-4
    assert (found.starts.tolist(), found.index.tolist()) == ([0, 2, 3], [0, 1, 0])
    np.testing.assert_allclose(found.probabilities, [0.7 / 0.99995, 0.29995 / 0.99995, 1.0])
    many = np.full((1, 1, 20_000), 1 / 20_000, dtype=np.float32)
    (even,) = tag_opinions(["t"] * 20_000, many, [1])
    assert even is not None and len(even.index) == 20_000


def test_spans(trained: Language) -> None:
    """Among the opinions are the predictions, with the same probabilities."""
    pipe: Any = trained.get_pipe("nested_ner")
    docs = encoded(trained, ["", "The Bank of New York fell .", "It stood in New York ."])
    nothing, *opinions = pipe.opinions(docs)
    assert nothing is None
    predicted = pipe.predict(docs)
    assert len(predicted.spans) == 3
    for (doc, *span), probability in zip(predicted.spans.tolist(), predicted.scores, strict=True):
        opinion = opinions[doc - 1]
        assert isinstance(opinion, SpanOpinion) and opinion.max_width == 8
        (place,) = np.flatnonzero((opinion.spans == span).all(1))
        assert opinion.probabilities[place] == pytest.approx(probability, abs=1e-6)
    assert all((opinion.probabilities >= LEAST).all() for opinion in opinions)


def test_all_labels_of_all_spans(backbone: Any) -> None:
    """An untrained head rules nothing out: every span up to the width, once per label."""
    nlp = make_case(backbone, "marker", model={"exclusive": False, "max_width": 2})
    pipe: Any = initialized(nlp).get_pipe("span_ner")
    pipe.module.bias.data.zero_()
    (opinion,) = pipe.opinions(encoded(nlp, ["Anna flew home"]))
    widths = opinion.spans[:, 1] - opinion.spans[:, 0]
    assert sorted(widths.tolist()) == [1] * 6 + [2] * 4 and opinion.max_width == 2


def test_categories(trained: Language) -> None:
    pipe: Any = trained.get_pipe("textcat")
    docs = encoded(trained)
    expected = pipe.predict(docs)
    opinions = pipe.opinions(docs)
    assert [opinion is None for opinion in opinions] == (expected.sum(1) == 0).tolist()
    part = pipe.columns["sentiment"]
    for row, opinion in zip(expected, opinions, strict=True):
        if opinion is None:
            continue
        assert isinstance(opinion, CategoryOpinion)
        assert opinion.keys == pipe.labels and opinion.exclusive == ("sentiment",)
        odds = np.exp(opinion.logits[part])
        np.testing.assert_allclose(odds / odds.sum(), row[part], atol=1e-6)
    pipe.cfg["temperatures"] = {"topic": 2.0}
    halved, before = pipe.opinions(docs)[0].logits, opinions[0].logits
    np.testing.assert_allclose(halved[pipe.columns["topic"]] * 2, before[pipe.columns["topic"]])
    np.testing.assert_array_equal(halved[part], before[part])


@pytest.mark.parametrize("name", ["ner", "nested_ner", "textcat", "events"])
def test_of_nothing_and_without_vectors(name: str, trained: Language) -> None:
    pipe: Any = trained.get_pipe(name)
    assert pipe.opinions([]) == []
    assert pipe.opinions(encoded(trained, ["", ""])) == [None, None]
    with pytest.raises(MtnlpError, match="E310"):
        pipe.opinions([trained.make_doc("Anna")])


def test_a_softmax_tagger(backbone: Any) -> None:
    nlp = initialized(make_case(backbone, "softmax"))
    pipe: Any = nlp.get_pipe("crf_ner")
    one, other = pipe.opinions(encoded(nlp, ["Anna", "Anna flew to Paris"]))
    assert len(one.starts) == 2 and len(other.starts) == 5
    assert one.probabilities.sum() == pytest.approx(1.0, abs=1e-6)
