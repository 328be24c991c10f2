"""What train says."""

from pathlib import Path

from spacy.tokens import DocBin

from mtnlp.analysis.train_facts import read_train
from mtnlp.evaluation.confusions import find_tasks
from tests.conftest import Joint
from tests.tiny import make_example


def test_labels_categories_and_surface_forms(joint: Joint, tmp_path: Path) -> None:
    nlp = joint.nlp
    good, bad = {"sentiment/positive": 1.0}, {"sentiment/negative": 1.0}
    examples = [
        make_example(nlp, "Anna Keller flew to Paris .", ents=[(0, 2, "PER"), (4, 5, "LOC")]),
        make_example(nlp, "Paris spoke .", ents=[(0, 1, "PER")]),
        make_example(nlp, "Paris again .", spans=[(0, 1, "CITY")]),
        make_example(nlp, "What a film .", cats=good),
        make_example(nlp, "What a film !", cats=good),
        make_example(nlp, "No .", cats=bad),
    ]
    for name, part in (("a", examples[:4]), ("b", examples[4:])):
        DocBin(docs=[example.reference for example in part]).to_disk(tmp_path / f"{name}.spacy")
    facts = read_train([tmp_path / "a.spacy", tmp_path / "b.spacy"], find_tasks(nlp))
    assert facts.documents == 6
    assert facts.support["ner"] == {"PER": 2, "LOC": 1}
    assert facts.support["textcat: sentiment"] == {"positive": 2, "negative": 1}
    # Equal categories are kept once.
    assert facts.cats == [good, good, bad] and facts.cats[0] is facts.cats[1]
    assert set(facts.dictionaries) == {"ner", "fine_ner", "nested_ner"}
    assert facts.dictionaries["ner"].frequency(("Paris",)) == 2
    assert facts.dictionaries["fine_ner"].frequency(("Paris",)) == 1
    assert facts.dictionaries["nested_ner"].frequency(("Paris",)) == 0
