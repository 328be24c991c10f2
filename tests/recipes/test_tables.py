from mtnlp.recipes.rule import choose_recipe
from mtnlp.recipes.tables import FEW, data_tables
from mtnlp.reports.tables import to_markdown
from tests.recipes.cases import ENCODER, layer, profile, task


def test_what_is_shown_before_a_training() -> None:
    labels = {f"L{number}": 100 - number for number in range(FEW + 2)}
    nested = layer("nerel", nested=5, crossing=2, labels=labels)
    corpora = {
        "news": profile("news", layers=[layer(), nested], tasks=[task()]),
        "chats": profile("chats", documents=100, tasks=[task("mood", is_exclusive=False)]),
    }
    recipe = choose_recipe(corpora, ENCODER)
    sizes, annotated, settings = data_tables(corpora, ENCODER, recipe)
    assert [row[0] for row in sizes.rows] == ["news", "chats"]
    assert [row[1] for row in annotated.rows] == [
        "doc.ents",
        "doc.spans['nerel']",
        "doc.cats: topic",
        "doc.cats: mood",
    ]
    assert [row[3] for row in annotated.rows] == [
        "flat",
        "nested, crossing",
        "one label per text",
        "several labels",
    ]
    assert annotated.rows[1][5] == "L0 100, L1 99, L2 98, L3 97, …"
    # Every setting that has a reason, and each of them a value.
    assert [row[0] for row in settings.rows] == ["encoder", *recipe.reasons]
    values = {row[0]: row[1] for row in settings.rows}
    assert values["ner"] == "crf_ner"
    assert values["textcat: mood"] == "multi-label"
    assert values["weights"] == "news 1, chats 3.2"
    assert values["rate"] == "0.0002"
    assert values["single_task"] == "yes"
    assert to_markdown([sizes, annotated, settings])
