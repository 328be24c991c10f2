from dataclasses import replace
from typing import Dict

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.recipes.overrides import Overrides
from mtnlp.recipes.parts import choose_classifier, choose_entities
from mtnlp.recipes.profile import CorpusProfile
from mtnlp.recipes.recipe import EntityPart
from tests.recipes.cases import ENCODER, layer, profile, task

NESTED = layer("nerel", nested=900, labels={"ORG": 5000})


def only_part(corpus: CorpusProfile, overrides: Overrides = Overrides()) -> EntityPart:
    (part,) = choose_entities({corpus.name: corpus}, ENCODER, overrides, {})
    return part


def test_flat_entities_have_a_tagger_overlapping_ones_a_span_classifier() -> None:
    flat = only_part(profile(layers=[layer()]))
    assert (flat.name, flat.factory, flat.spans_key) == ("ner", "crf_ner", None)
    assert flat.labels == ["PER", "LOC"]
    nested = only_part(profile(layers=[NESTED]))
    assert (nested.name, nested.factory, nested.spans_key) == ("nerel_ner", "span_ner", "nerel")
    assert nested.boundary == 0


@pytest.mark.parametrize("kind", ["nested", "crossing", "same"])
def test_few_overlaps_are_left_to_the_tagger(kind: str) -> None:
    reasons: Dict[str, str] = {}
    corpus = profile(layers=[layer("x", **{kind: 50})])
    (part,) = choose_entities({"a": corpus}, ENCODER, Overrides(), reasons)
    assert part.factory == "crf_ner"
    assert "50 of 5,000" in reasons["x_ner"]
    assert only_part(profile(layers=[layer("x", **{kind: 51})])).factory == "span_ner"


def test_width_holds_all_but_one_in_a_thousand() -> None:
    assert only_part(profile(layers=[NESTED])).max_width == 2
    wide = replace(NESTED, widths={1: 4900, 12: 95, 60: 5})
    assert only_part(profile(layers=[wide])).max_width == 12
    wide = replace(NESTED, widths={1: 4900, 60: 100})
    assert only_part(profile(layers=[wide])).max_width == 24


def test_few_entities_have_the_marker_scorer() -> None:
    few = replace(NESTED, labels={"ORG": 2999})
    assert only_part(profile(layers=[few])).scorer == "marker"
    assert only_part(profile(layers=[NESTED])).scorer == "biaffine"


def test_shapes_where_the_text_has_capitals_and_the_encoder_none() -> None:
    cased = {"a": profile(layers=[layer()])}
    lower = {"a": profile(layers=[layer()], is_cased=False)}
    cased_encoder = replace(ENCODER, is_cased=True)
    assert choose_entities(cased, ENCODER, Overrides(), {})[0].shapes
    assert not choose_entities(lower, ENCODER, Overrides(), {})[0].shapes
    assert not choose_entities(cased, cased_encoder, Overrides(), {})[0].shapes
    # An encoder's case is no reason for another loss; the text's is.
    assert choose_entities(cased, cased_encoder, Overrides(), {})[0].boundary == 0.5
    assert choose_entities(lower, ENCODER, Overrides(), {})[0].boundary == 0


def test_overrides_of_parts() -> None:
    settings = Overrides(factory="span_ner", max_width=5, shapes=False)
    part = only_part(profile(layers=[layer()]), settings)
    assert (part.factory, part.max_width, part.shapes) == ("span_ner", 5, False)


def test_one_layer_of_two_corpora_is_one_component() -> None:
    first, second = profile("a", layers=[layer()]), profile("b", layers=[layer(), NESTED])
    parts = choose_entities({"a": first, "b": second}, ENCODER, Overrides(), {})
    assert [part.name for part in parts] == ["ner", "nerel_ner"]


def test_layers_with_different_labels_cannot_share_a_place() -> None:
    other = layer(labels={"PER": 3000, "EVENT": 1})
    corpora = {"a": profile("a", layers=[layer()]), "b": profile("b", layers=[other])}
    with pytest.raises(MtnlpError) as error:
        choose_entities(corpora, ENCODER, Overrides(), {})
    assert "E480" in str(error.value)
    assert "only in a: LOC; only in b: EVENT" in str(error.value)
    assert "--spans-key" in str(error.value)


def test_all_tasks_are_in_one_component() -> None:
    corpora = {
        "a": profile("a", tasks=[task("topic")]),
        "b": profile("b", tasks=[task("topic"), task("event", is_exclusive=False)]),
    }
    part = choose_classifier(corpora, ENCODER, Overrides(), {})
    assert part is not None
    assert part.tasks == {"topic": True, "event": False}
    assert choose_classifier({"a": profile(layers=[layer()])}, ENCODER, Overrides(), {}) is None


def test_a_task_is_exclusive_only_where_it_is_in_all_corpora() -> None:
    corpora = {
        "a": profile("a", tasks=[task("topic")]),
        "b": profile("b", tasks=[task("topic", is_exclusive=False)]),
    }
    part = choose_classifier(corpora, ENCODER, Overrides(), {})
    assert part is not None
    assert part.tasks == {"topic": False}
    part = choose_classifier(corpora, ENCODER, Overrides(exclusive={"topic": True}), {})
    assert part is not None
    assert part.tasks == {"topic": True}


def test_an_override_of_an_unknown_task_is_an_error() -> None:
    corpora = {"a": profile("a", tasks=[task("topic")])}
    with pytest.raises(MtnlpError, match=r"E482.*one of the tasks topic"):
        choose_classifier(corpora, ENCODER, Overrides(exclusive={"topics": True}), {})


def test_few_long_documents_are_pooled_from_several_layers() -> None:
    def layers(documents: int, words: int) -> list:
        corpora = {"a": profile(documents=documents, words=words, tasks=[task()])}
        part = choose_classifier(corpora, ENCODER, Overrides(), {})
        assert part is not None
        return part.layers

    assert layers(4999, 61) == [0, 3]
    assert layers(5000, 61) == layers(4999, 60) == []
