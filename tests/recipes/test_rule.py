from dataclasses import fields, replace
from typing import Any, Optional

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.recipes.overrides import Overrides
from mtnlp.recipes.recipe import Recipe
from mtnlp.recipes.rule import choose_recipe
from tests.recipes.cases import ENCODER, layer, profile, task


def recipe_for(documents: int, words: int, what: str = "layers", **settings: Any) -> Recipe:
    annotated = {"layers": [layer()], "tasks": [task()]}[what]
    corpus = profile(documents=documents, words=words, **{what: annotated})
    return choose_recipe({"news": corpus}, ENCODER, **settings)


def test_all_settings_have_a_reason() -> None:
    recipe = recipe_for(1000, 20)
    names = {field.name for field in fields(Overrides)} - {"factory", "exclusive", "max_width"}
    assert names - {"shapes"} <= recipe.reasons.keys()
    assert all(reason.strip() for reason in recipe.reasons.values())


def test_the_same_data_has_the_same_recipe() -> None:
    assert recipe_for(1000, 20) == recipe_for(1000, 20)


@pytest.mark.parametrize(
    "words, window", [(64, 64), (65, 128), (128, 128), (129, 256), (5000, 256)]
)
def test_window(words: int, window: int) -> None:
    assert recipe_for(100, words).window == window


@pytest.mark.parametrize(
    "words, own, expected",
    [(5000, 0.1, 0.0), (60, 0.1, None), (5000, 0.0, None), (5000, None, None)],
)
def test_dropout_on_attention(words: int, own: Optional[float], expected: Optional[float]) -> None:
    encoder = replace(ENCODER, attention_dropout=own)
    recipe = choose_recipe({"news": profile(words=words, layers=[layer()])}, encoder)
    assert recipe.attention_dropout == expected


def test_window_is_at_most_what_the_encoder_reads() -> None:
    corpus = profile(words=200, layers=[layer()])
    recipe = choose_recipe({"a": corpus}, replace(ENCODER, limit=100))
    assert recipe.window == 100


@pytest.mark.parametrize(
    "documents, batch, steps, epochs",
    [
        (200, 250, 16, 20),  # few texts: many small steps
        (5000, 250, 400, 11),
        (10_000, 500, 400, 8),
        (40_000, 2000, 400, 4),
        (200_000, 2400, 1667, 2),
        (300_000, 2400, 2500, 2),
    ],
)
def test_steps_follow_the_size(documents: int, batch: int, steps: int, epochs: int) -> None:
    recipe = recipe_for(documents, 20)
    assert (recipe.batch, recipe.steps, recipe.epochs) == (batch, steps, epochs)


def test_a_step_of_a_classifier_holds_some_documents() -> None:
    assert recipe_for(200, 100, "tasks").batch == 800
    assert recipe_for(200, 100, "layers").batch == 250
    # Entities of the same texts want many steps.
    both = profile(documents=200, words=100, layers=[layer()], tasks=[task()])
    assert choose_recipe({"news": both}, ENCODER).batch == 250


def test_a_classifier_of_long_documents_is_trained_for_few_epochs() -> None:
    assert recipe_for(200, 100, "tasks").epochs == 5
    assert recipe_for(200, 60, "tasks").epochs == 20
    assert recipe_for(2000, 20, "tasks").epochs == recipe_for(2000, 20, "layers").epochs == 17


def test_rates() -> None:
    assert recipe_for(1000, 20).rate == 2e-4
    assert recipe_for(1000, 20, "tasks").rate == 2e-4
    assert recipe_for(1000, 100, "tasks").rate == 1e-4
    corpus = profile(layers=[layer()], tasks=[task()])
    assert choose_recipe({"a": corpus}, ENCODER).rate == 2e-4
    assert choose_recipe({"a": corpus}, replace(ENCODER, width=768)).rate == 5e-5
    assert choose_recipe({"a": corpus}, replace(ENCODER, width=32)).rate == 2e-4


def test_small_corpora_are_seen_more_often() -> None:
    corpora = {
        "large": profile("large", documents=64_000, layers=[layer()]),
        "middle": profile("middle", documents=16_000, layers=[layer()]),
        "small": profile("small", documents=100, layers=[layer()]),
    }
    recipe = choose_recipe(corpora, ENCODER)
    assert recipe.weights == {"large": 1.0, "middle": 2.0, "small": 4.0}
    assert recipe.steps * recipe.batch == pytest.approx((64_000 + 32_000 + 400) * 20, rel=0.01)


def test_corpora_of_different_tasks_have_steps_of_their_own() -> None:
    news = profile("news", documents=5000, words=20, layers=[layer()])
    reviews = profile("reviews", documents=400, words=250, tasks=[task()])
    recipe = choose_recipe({"news": news, "reviews": reviews}, ENCODER)
    assert recipe.batch_settings == {"single_task": True, "min_docs": 8}
    # 200,000 wordpieces in 400 steps per task: 400 of the sentences, 50 of eight reviews.
    assert (recipe.batch, recipe.steps) == (250, 450)
    # The rate that reviews need.
    assert recipe.rate == 1e-4
    assert {"single_task", "min_docs"} <= recipe.reasons.keys()


def test_eight_documents_where_they_are_not_too_long() -> None:
    news = profile("news", documents=500, words=20, layers=[layer()])
    reports = profile("reports", documents=100, words=600, tasks=[task()])
    assert choose_recipe({"a": news, "b": reports}, ENCODER).min_docs == 4
    # Where texts have entities, too, they do not count.
    both = profile("both", documents=100, words=1200, layers=[layer()], tasks=[task("event")])
    assert choose_recipe({"a": news, "b": reports, "c": both}, ENCODER).min_docs == 4
    assert choose_recipe({"a": news, "c": both}, ENCODER).min_docs == 0


def test_corpora_of_the_same_task_are_mixed() -> None:
    first, second = (profile(name, layers=[layer()]) for name in "ab")
    assert choose_recipe({"a": first, "b": second}, ENCODER).batch_settings == {}
    both = profile(layers=[layer()], tasks=[task()])
    assert choose_recipe({"a": both}, ENCODER).batch_settings == {}


def test_languages() -> None:
    first, second = profile("a", layers=[layer()]), profile("b", layers=[layer()], language="de")
    assert choose_recipe({"b": second}, ENCODER).language == "de"
    assert choose_recipe({"a": first, "b": second}, ENCODER).language == "xx"


def test_precision_is_that_of_each_machine() -> None:
    assert recipe_for(100, 20).precision == "auto"
    assert recipe_for(100, 20, device="gpu").device == "gpu"


def test_overrides() -> None:
    given = {
        "language": "ru",
        "window": 96,
        "batch": 300,
        "rate": 1e-3,
        "head_factor": 1.0,
        "epochs": 7,
        "warmup": 0.0,
        "dropout": 0.2,
        "precision": "bf16",
    }
    settings: Any = given
    recipe = recipe_for(1000, 20, overrides=Overrides(**settings))
    for name, value in given.items():
        assert getattr(recipe, name) == value
        assert recipe.reasons[name].startswith("as you set it")


@pytest.mark.parametrize(
    "setting",
    [
        {"batch": 0},
        {"epochs": 0},
        {"window": -1},
        {"rate": 0.0},
        {"warmup": 1.0},
        {"dropout": -0.1},
        {"precision": "fp16"},
        {"factory": "ner"},
    ],
)
def test_overrides_out_of_range(setting: Any) -> None:
    with pytest.raises(MtnlpError, match=f"E482.*{next(iter(setting))}"):
        Overrides(**setting)
