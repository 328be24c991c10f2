from typing import Any

from mtnlp.evaluation.advice import ENOUGH, ERRORS, GAP, MANY, MORE, NONE, RULE, LabelScore, advise


def score(label: str, **values: Any) -> LabelScore:
    settings = {"examples": 50, "errors": 10, "f": 0.6, "train_f": 0.9, **values}
    return LabelScore(task="ner", label=label, **settings)


def test_most_errors_per_example_come_first() -> None:
    labels = [
        score("FREQUENT", examples=1000, errors=40),
        score("RARE", examples=20, errors=10),
        score("MIDDLE", examples=100, errors=10),
        score("CHANCE", examples=1, errors=ERRORS - 1),
        score("UNSEEN", examples=0, errors=4, f=0.0, train_f=0.0),
    ]
    found = advise(labels, listed=4)
    assert [row["label"] for row in found] == ["UNSEEN", "RARE", "MIDDLE", "FREQUENT"]
    assert [row["advice"] for row in found] == [NONE, MORE, MORE, MORE]
    assert [row["errors_per_example"] for row in found] == [4.0, 0.5, 0.1, 0.04]


def test_many_examples_that_are_learnt_as_well_as_they_can_be() -> None:
    learnt = score("LEARNT", examples=MANY, errors=90, f=0.70, train_f=0.70 + GAP / 2)
    overfitted = score("OVERFITTED", examples=MANY, errors=90, f=0.70, train_f=0.70 + 2 * GAP)
    few = score("FEW", examples=MANY - 1, errors=90, f=0.70, train_f=0.70)
    unknown = score("UNKNOWN", examples=MANY, errors=90, f=0.70, train_f=None)
    found = {row["label"]: row["advice"] for row in advise([learnt, overfitted, few, unknown])}
    assert found == {"FEW": MORE, "OVERFITTED": MORE, "UNKNOWN": MORE, "LEARNT": ENOUGH}
    assert advise([score("PERFECT", errors=0, f=1.0, train_f=1.0)]) == []


def test_so_many_of_each() -> None:
    labels = [score(f"L{i}", errors=10 + i) for i in range(9)]
    labels += [score(f"E{i}", examples=MANY, train_f=0.6) for i in range(9)]
    found = [row["label"] for row in advise(labels, listed=3)]
    assert found == ["L8", "L7", "L6", "E0", "E1", "E2"]


def test_the_rule_names_its_numbers() -> None:
    for number in (ERRORS, MANY, GAP):
        assert str(number) in RULE
    assert RULE.count(". ") == 0
