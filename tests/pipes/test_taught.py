"""Pipes that learn from teachers' opinions, beside gold or in its place."""

import copy
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import CategoryOpinion, Opinion, opinions_of, set_opinions
from mtnlp.gold.targets import Target
from mtnlp.pipes.taught import Annealing, spread
from mtnlp.training.task_gradients import create_task_gradients_v1
from tests.pipes.cases import (
    EXACT,
    TASKS,
    adam,
    assert_close,
    gradients,
    has_layer,
    head_weights,
    initialized,
    mixed_examples,
    same_weights,
    step,
)
from tests.tiny import make_example, make_nlp

# fine_ner is a second span_ner here, whose labels hold each for itself.
HEADS = ["ner", "fine_ner", "nested_ner", "textcat", "events"]
SPAN = {"dropout": 0.0, "scorer": {"hidden": 16, "dropout": 0.0}}


def make_pupil(backbone: Path, seed: int = 0, **settings: Any) -> Language:
    """Without dropout. settings: of all heads."""
    configs: Dict[str, Any] = copy.deepcopy(EXACT)
    configs["span_ner"] = {"spans_key": "multinerd", "model": {**SPAN, "exclusive": False}}
    for name in [*HEADS, "span_ner"]:
        configs.setdefault(name, {}).update(settings)
    del configs["fine_ner"]
    pipes = ["ner", "span_ner", "nested_ner", "textcat", "events"]
    nlp = make_nlp(backbone, pipes, configs)
    nlp.rename_pipe("span_ner", "fine_ner")
    return initialized(nlp, seed)


@pytest.fixture(scope="module")
def pupil_once(backbone: Path) -> Language:
    return make_pupil(backbone)


@pytest.fixture
def pupil(pupil_once: Language) -> Language:
    return copy.deepcopy(pupil_once)


@pytest.fixture(scope="module")
def teacher(backbone: Path) -> Language:
    """Knows something, and not the same as the pupil."""
    nlp = make_pupil(backbone, seed=1)
    sgd = adam()
    for _ in range(3):
        step(nlp, mixed_examples(nlp), sgd=sgd)
    return nlp


def believe(teacher: Language, texts: Sequence[Doc]) -> List[Dict[str, List[Opinion]]]:
    """The opinions of all heads on each text."""
    docs = [Doc(teacher.vocab, words=[token.text for token in doc]) for doc in texts]
    list(teacher.get_pipe("transformer").pipe(docs))  # type: ignore[attr-defined]
    found: List[Dict[str, List[Opinion]]] = [{} for _ in docs]
    for name in HEADS:
        pipe: Any = teacher.get_pipe(name)
        for row, opinion in zip(found, pipe.opinions(docs), strict=True):
            if opinion is not None:
                row[name] = [opinion]
    return found


def teach(
    teacher: Language, nlp: Language, examples: List[Example], gold: bool = True
) -> List[Example]:
    """The examples with the opinions of all heads. gold: whether they keep theirs."""
    made = []
    found = believe(teacher, [example.reference for example in examples])
    for example, opinions in zip(examples, found, strict=True):
        reference = example.reference.copy() if gold else bare(nlp, example.reference)
        set_opinions(reference, opinions)
        made.append(Example(bare(nlp, reference), reference))
    return made


def bare(nlp: Language, doc: Doc) -> Doc:
    return Doc(nlp.vocab, words=[token.text for token in doc])


def accumulate(nlp: Language, *batches: List[Example]) -> Dict[str, Any]:
    """The gradients of the encoder and of all heads after some sub-batches, and the losses."""
    modules = {name: nlp.get_pipe(name).module for name in HEADS}  # type: ignore[attr-defined]
    modules["transformer"] = nlp.get_pipe("transformer").model.transformer  # type: ignore
    losses: Dict[str, float] = {}
    for module in modules.values():
        module.zero_grad(set_to_none=True)
    for batch in batches:
        nlp.update(batch, sgd=False, losses=losses)  # type: ignore[arg-type]
    return {"losses": losses, **{name: gradients(module) for name, module in modules.items()}}


def set_all(nlp: Language, **settings: float) -> Language:
    for name in HEADS:
        nlp.get_pipe(name).cfg.update(settings)  # type: ignore[attr-defined]
    return nlp


def answered_alone(name: str, examples: List[Example]) -> List[Example]:
    """Those fully annotated for a head; of categories, opinions on the annotated tasks alone."""
    chosen = [eg for eg in examples if has_layer(eg.reference, name) and "Tom" not in eg.text]
    for example in chosen:
        opinions = example.reference.user_data["mtnlp_opinions"]
        for opinion in opinions[name]:
            if isinstance(opinion, CategoryOpinion):
                known = [key in example.reference.cats for key in opinion.keys]
                keys = tuple(key for key in opinion.keys if key in example.reference.cats)
                opinions[name] = [opinion._replace(keys=keys, logits=opinion.logits[known])]
    return chosen


# What is learnt


def test_a_student_becomes_its_teacher(trained: Language, backbone: Path) -> None:
    """On opinions alone; its labels are the teacher's."""
    heads = ["ner", "nested_ner", "textcat"]
    nlp = make_nlp(backbone, heads, {"textcat": {"tasks": TASKS}})
    examples = teach(trained, nlp, mixed_examples(nlp), gold=False)
    assert not any(has_layer(eg.reference, name) for eg in examples for name in heads)
    nlp.initialize(lambda: examples)
    for name in heads:
        assert nlp.get_pipe(name).labels == trained.get_pipe(name).labels  # type: ignore
    docs = list(trained.pipe([example.text for example in examples]))

    def far() -> List[float]:
        """How many Docs have other entities, and how far categories are apart."""
        pairs = list(zip(nlp.pipe([doc.text for doc in docs]), docs, strict=True))
        other = sum(entities(found) != entities(theirs) for found, theirs in pairs)
        gaps = [[abs(one.cats[key] - two.cats[key]) for key in one.cats] for one, two in pairs]
        return [other / len(pairs), float(np.mean(gaps))]

    before, sgd = far(), adam()
    for _ in range(50):
        step(nlp, examples, sgd=sgd)
    after = far()
    # Where the teacher wavers, the best reading may be another one.
    assert before[0] == 1.0 and after[0] < 0.5 and after[1] < before[1] / 3, (before, after)


def entities(doc: Doc) -> List[Any]:
    groups = [doc.ents, doc.spans["nerel"]]
    return [[(span.start, span.end, span.label_) for span in group] for group in groups]


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", HEADS)
def test_gold_and_teacher_share_the_loss(
    name: str, weight: float, pupil: Language, teacher: Language
) -> None:
    """In losses and gradients."""
    set_all(pupil, teacher_weight=weight, teacher_temperature=2.0)
    both = answered_alone(name, teach(teacher, pupil, mixed_examples(pupil)))
    gold = [eg for eg in mixed_examples(pupil) if eg.text in {other.text for other in both}]
    alone = []
    for example in both:
        reference = bare(pupil, example.reference)
        for doc in (reference, example.reference):
            set_opinions(doc, {name: opinions_of(example.reference, name)})
        alone.append(Example(bare(pupil, reference), reference))
    found, of_gold, of_teacher = (accumulate(pupil, part) for part in (both, gold, alone))
    assert of_gold["losses"][name] > 0 and of_teacher["losses"][name] > 0
    expected = (1 - weight) * of_gold["losses"][name] + weight * of_teacher["losses"][name]
    assert found["losses"][name] == pytest.approx(expected, rel=1e-5)
    for key, value in found[name].items():
        parts = (part[name].get(key, 0.0) for part in (of_gold, of_teacher))
        mixed = sum(share * part for share, part in zip((1 - weight, weight), parts, strict=True))
        np.testing.assert_allclose(value, mixed, atol=1e-5 * max(1.0, float(abs(value).max())))


@pytest.mark.parametrize("cut", [2, 7])
def test_sub_batches_add_up(cut: int, pupil: Language, teacher: Language) -> None:
    """Of a batch that has gold alone, opinions alone, and both."""
    set_all(pupil, teacher_weight=0.4, teacher_temperature=1.5, teacher_confidence=2.0)
    examples = teach(teacher, pupil, mixed_examples(pupil))
    for example in examples[::3]:
        example.reference.user_data.clear()
    whole = accumulate(pupil, examples)
    parts = accumulate(pupil, examples[:cut], examples[cut:])
    for name in [*HEADS, "transformer"]:
        assert_close(whole[name], parts[name])
    for name in HEADS:
        assert whole["losses"][name] == pytest.approx(parts["losses"][name], rel=1e-5)


def test_without_an_opinion_nothing_is_other(pupil: Language, teacher: Language) -> None:
    """To the bit, whatever the settings, and whatever other components are taught."""
    examples = mixed_examples(pupil)
    before = accumulate(pupil, examples)
    set_all(pupil, teacher_weight=0.9, teacher_temperature=3.0, teacher_confidence=1.0)
    for example in examples:
        set_opinions(example.reference, {"somebody_else": [], "another": [object()]})  # type: ignore
    after = accumulate(pupil, examples)
    assert before["losses"] == after["losses"]
    for name in [*HEADS, "transformer"]:
        assert same_weights(before[name], after[name])
    pipe: Any = pupil.get_pipe("ner")
    lesson = pipe.get_lesson(examples)
    assert lesson.target is lesson.gold and lesson.soft == []
    assert lesson.units == [lesson.gold.units]


def test_neither_gold_nor_opinion_trains_nothing(pupil: Language, teacher: Language) -> None:
    """And a component that is left out of training stays as it is, whatever it is taught."""
    (example,) = teach(teacher, pupil, [make_example(pupil, "Anna Keller flew to Rome .")])
    opinions = example.reference.user_data["mtnlp_opinions"]
    set_opinions(example.reference, {name: opinions[name] for name in ("nested_ner", "textcat")})
    before = {name: head_weights(pupil, name) for name in HEADS}
    step(pupil, [example], exclude=["textcat"])
    moved = {name for name in HEADS if not same_weights(before[name], head_weights(pupil, name))}
    assert moved == {"nested_ner"}


def test_a_text_that_only_a_teacher_knows_trains_the_encoder(
    pupil: Language, teacher: Language
) -> None:
    examples = teach(teacher, pupil, mixed_examples(pupil)[:2], gold=False)
    found = accumulate(pupil, examples)
    assert all(found["losses"][name] > 0 for name in HEADS)
    assert any(value.any() for value in found["transformer"].values())


# How much a unit counts


def weights_in(nlp: Language, name: str, examples: List[Example]) -> List[torch.Tensor]:
    """The weight of each unit in the comparisons with teachers."""
    pipe: Any = nlp.get_pipe(name)
    seen: List[torch.Tensor] = []
    compute = pipe.soft_losses
    pipe.soft_losses = lambda batch: (seen.append(batch.weight), compute(batch))[1]
    nlp.update(examples, sgd=False)  # type: ignore[arg-type]
    del pipe.soft_losses
    return seen


def test_tokens_whose_tag_nobody_knows_count_in_full(pupil: Language, teacher: Language) -> None:
    set_all(pupil, teacher_weight=0.25)
    text = "Paris welcomed Anna"
    half = make_example(pupil, text, ents=[(0, 1, "LOC")], missing=[2])
    (weight,) = weights_in(pupil, "ner", teach(teacher, pupil, [half]))
    assert weight.tolist() == [[0.25, 0.25, 1.0]]
    pupil.get_pipe("ner").annealing = Annealing(11, step=4)  # type: ignore[attr-defined]
    (weight,) = weights_in(pupil, "ner", teach(teacher, pupil, [half]))
    np.testing.assert_allclose(weight, [[0.15, 0.15, 1.0]])


def test_tasks_that_nobody_annotated_count_in_full(pupil: Language, teacher: Language) -> None:
    """Those of one component each for itself; of a multi-label task each label."""
    set_all(pupil, teacher_weight=0.25)
    tone = {"sentiment/positive": 1.0, "sentiment/negative": 0.0}
    sport = {"topic/SPORT": 1.0}
    examples = [make_example(pupil, "What a game", cats=cats) for cats in (tone, sport, {})]
    (weight,) = weights_in(pupil, "textcat", teach(teacher, pupil, examples))
    labels = pupil.get_pipe("textcat").labels  # type: ignore[attr-defined]
    assert labels[-1] == "topic/SPORT"
    assert weight.tolist() == [[0.25, 0.25, 1.0, 1.0], [1.0, 1.0, 1.0, 0.25], [1.0] * 4]


@pytest.mark.parametrize("name", HEADS)
def test_by_confidence(name: str, pupil: Language, teacher: Language) -> None:
    """The largest probability, to that power, where there is no gold; 0 leaves it out."""
    examples = teach(teacher, pupil, mixed_examples(pupil)[:1], gold=False)
    (plain,) = weights_in(pupil, name, examples)
    assert set(plain.unique().tolist()) <= {0.0, 1.0} and plain.any()
    set_all(pupil, teacher_confidence=3.0)
    (found,) = weights_in(pupil, name, examples)
    pipe: Any = pupil.get_pipe(name)
    (soft,) = pipe.soft_targets(examples)
    torch.testing.assert_close(found, plain * soft.confidence**3)
    assert (found[plain > 0] < 1).any()


def test_several_teachers_are_averaged(pupil: Language, teacher: Language) -> None:
    (example,) = teach(teacher, pupil, [make_example(pupil, "Anna flew")], gold=False)
    once = accumulate(pupil, [example])
    opinions = example.reference.user_data["mtnlp_opinions"]
    set_opinions(example.reference, {name: opinions[name] * 2 for name in HEADS})
    twice = accumulate(pupil, [example])
    for name in HEADS:
        assert once["losses"][name] == pytest.approx(twice["losses"][name], rel=1e-5)


def test_units_of_opinions_count(pupil: Language, teacher: Language) -> None:
    """In what losses are divided by, each once."""
    pipes: Dict[str, Any] = {name: pupil.get_pipe(name) for name in HEADS}
    examples = teach(teacher, pupil, mixed_examples(pupil))
    tokens = sum(len(example.predicted) for example in examples)
    units = {name: pipe.get_lesson(examples).units for name, pipe in pipes.items()}
    docs = float(len(examples))
    assert units == {
        **{name: [float(tokens)] for name in ("ner", "fine_ner", "nested_ner")},
        **{"textcat": [docs, docs], "events": [docs]},
    }
    # A reader that gives the batches of training gives as many.
    pupil.initialize(lambda: examples)
    for name, pipe in pipes.items():
        assert pipe.cfg["loss_normalization"] == sum(units[name])


def test_a_learned_weight_counts_taught_tasks(backbone: Path, teacher: Language) -> None:
    nlp = make_pupil(backbone, weighting="uncertainty")
    (example,) = teach(teacher, nlp, [make_example(nlp, "What a game")], gold=False)
    opinion: Any = opinions_of(example.reference, "textcat")[0]
    keys, logits = opinion.keys[2:], opinion.logits[2:]
    set_opinions(example.reference, {"textcat": [CategoryOpinion(keys, logits, ())]})
    found = accumulate(nlp, [example])["textcat"]
    own = [value for key, value in found.items() if "weighting" in key]
    # s / 2 - loss, over the expected units.
    pipe: Any = nlp.get_pipe("textcat")
    expected = 0.5 / pipe.cfg["loss_normalization"]
    loss = accumulate(nlp, [example])["losses"]["textcat"]
    assert sorted(value.item() for value in own if value.any()) == pytest.approx([expected - loss])


# Settings


def test_beside_projected_gradients_and_learned_weights(backbone: Path, teacher: Language) -> None:
    """A task without gold in the batch is one of those whose gradients are projected, and its
    weight learns."""
    nlp = make_pupil(backbone, weighting="uncertainty")
    examples = [eg for eg in mixed_examples(nlp) if has_layer(eg.reference, "ner")]
    before = {name: head_weights(nlp, name) for name in HEADS}
    encoder: Any = nlp.get_pipe("transformer")
    create_task_gradients_v1(pcgrad=True)(nlp, {"step": 0, "epoch": 0})
    step(nlp, examples)
    assert list(encoder.gradient_norms) == ["ner"]
    step(nlp, teach(teacher, nlp, examples))
    assert set(encoder.gradient_norms) == {*HEADS}
    assert all(np.isfinite(each) and each > 0 for each in encoder.gradient_norms.values())
    for name in HEADS:
        weighting = nlp.get_pipe(name).module.weighting  # type: ignore[attr-defined]
        assert all(float(one.detach()) for one in weighting.log_variances)
        assert not same_weights(before[name], head_weights(nlp, name))


def test_settings_are_checked_and_kept() -> None:
    for setting, value, code in (
        ("teacher_weight", 1.5, "E330"),
        ("teacher_confidence", -1.0, "E330"),
        ("teacher_temperature", 0.0, "E235"),
    ):
        with pytest.raises(MtnlpError, match=code):
            spacy.blank("en").add_pipe("event_textcat", config={setting: value})
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("event_textcat", config={"teacher_temperature": 3.0})
    assert pipe.cfg["teacher_temperature"] == 3.0
    assert nlp.config["components"]["event_textcat"]["teacher_weight"] == 0.5


def test_what_is_left_of_a_weight() -> None:
    factors = [Annealing(5, step).factor for step in range(7)]
    assert factors == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0]
    assert (Annealing(1).factor, Annealing(1, 1).factor) == (1.0, 0.0)


@pytest.mark.parametrize("seq", [None, 4])
def test_gold_over_more_docs(seq: Optional[int]) -> None:
    given = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    found = spread(Target([1, 4], given, given > 1, 7.0), [0, 1, 4, 5], seq)
    more = [0.0] * (2 if seq else 0)
    assert found.target.tolist() == [
        [0.0, 0.0, *more],
        [1.0, 2.0, *more],
        [3.0, 4.0, *more],
        [0.0, 0.0, *more],
    ]
    assert found.mask.sum() == 3 and (found.units, found.doc_indices) == (7.0, [0, 1, 4, 5])
