"""`overwrite_ents = false`: what was there stays, and the best is found around it."""

from itertools import pairwise, product
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

import mtnlp
from mtnlp.pipes.kept_entities import GIVEN
from tests.pipes.cases import (
    TEXTS,
    VARIANTS,
    assert_same_answers,
    get_case_pipe,
    group_scores,
    head_weights,
    initialized,
    listed,
    make_case,
    mixed_examples,
    same_weights,
    step,
    train,
)

Entity = Tuple[int, int, str]
NER_CASES = ["crf_ents", "crf_spans", "biluo", "softmax", "span", "span_ents"]
GROUPS = {"crf_spans": "multinerd", "span": "nerel"}
WORDS = ["Anna", "\n", "flew", " ", "Rome"]
RULES = [{"label": "CITY", "pattern": "Paris", "id": "paris-fr"}]
TEXT = "Anna Keller flew to Paris ."


class Problem(NamedTuple):
    """kept: entities. blocked: tokens. temperature: of the pipe."""

    kept: Sequence[Entity] = ()
    blocked: Sequence[int] = ()
    temperature: float = 1.0


PROBLEMS = {
    "one": Problem([(0, 1, "LOC")]),
    "wide": Problem([(2, 4, "PER")], temperature=0.5),
    "unknown": Problem([(2, 3, "DATE")], temperature=2.0),
    "side by side": Problem([(1, 2, "PER"), (2, 4, "PER")]),
    "space at its ends": Problem([(1, 4, "LOC")]),
    "blocked": Problem([(4, 5, "LOC")], [2]),
    "all": Problem([(0, 5, "PER")]),
}


def put(doc: Doc, entities: Sequence[Entity], key: Optional[str] = None) -> Doc:
    """Entities on a Doc, as somebody else's."""
    spans = [Span(doc, start, end, label=label) for start, end, label in entities]
    if key is None:
        doc.set_ents(spans)
    else:
        doc.spans[key] = SpanGroup(doc, spans=spans)
    return doc


def encoded(nlp: Language, doc: Doc) -> Doc:
    return nlp.get_pipe("transformer")(doc)  # type: ignore[operator]


def randomized(backbone: Path, name: str) -> Language:
    """A CRF whose transitions matter, and that is sure of nothing; two labels."""
    nlp = initialized(make_case(backbone, name, overwrite_ents=False))
    torch.manual_seed(3)
    for parameter in get_case_pipe(nlp, name).module.crf.parameters():
        torch.nn.init.normal_(parameter)
    return nlp


def readings(pipe: Any, doc: Doc, problem: Problem) -> Dict[Tuple[Entity, ...], float]:
    """The probability of each set of entities, given the kept ones, by the enumeration of all tag
    sequences; white space at the ends of what is not kept does not count."""
    crf, scheme, labels = pipe.module.crf, pipe.module.scheme, list(pipe.labels)
    output, mask = pipe.model.predict([doc])
    emissions = output.scores[0].double() / problem.temperature
    scores: Dict[Tuple[Entity, ...], List[float]] = {}
    for path in product(range(len(crf.start)), repeat=len(doc)):
        if not (crf.legal_start[path[0]] and crf.legal_end[path[-1]]):
            continue
        if not all(crf.legal_transitions[a, b] for a, b in pairwise(path)):
            continue
        spans = scheme.spans(torch.tensor([path]), mask).tolist()
        entities = {(start, end, labels[label]) for _, start, end, label in spans}
        if not agrees(path, entities, problem, labels):
            continue
        score = (crf.start[path[0]] + crf.end[path[-1]]).item()
        score += sum(crf.transitions[a, b].item() for a, b in pairwise(path))
        total = score / problem.temperature + float(emissions[range(len(path)), path].sum())
        others = (trimmed(doc, entity) for entity in entities - set(problem.kept))
        reading = {*problem.kept, *(entity for entity in others if entity[0] < entity[1])}
        scores.setdefault(tuple(sorted(reading)), []).append(total)
    summed = {key: torch.tensor(each).double().logsumexp(0) for key, each in scores.items()}
    every = torch.stack(list(summed.values())).softmax(0).tolist()
    return dict(zip(summed, every, strict=True))


def agrees(
    path: Sequence[int], entities: Set[Entity], problem: Problem, labels: Sequence[str]
) -> bool:
    known = {entity for entity in problem.kept if entity[2] in labels}
    outside = [t for s, e, label in problem.kept if label not in labels for t in range(s, e)]
    return known <= entities and not any(path[t] for t in (*outside, *problem.blocked))


def trimmed(doc: Doc, entity: Entity) -> Entity:
    start, end, label = entity
    while start < end and doc[start].is_space:
        start += 1
    while end > start and doc[end - 1].is_space:
        end -= 1
    return start, end, label


@pytest.fixture(scope="module", params=["crf_ents", "biluo"])
def random_crf(request: pytest.FixtureRequest, backbone: Path) -> Tuple[Language, Any]:
    nlp = randomized(backbone, request.param)
    return nlp, get_case_pipe(nlp, request.param)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_crf_equals_enumeration(random_crf: Tuple[Language, Any], problem: Problem) -> None:
    """Viterbi, posteriors and n-best readings, given what is kept."""
    nlp, pipe = random_crf
    length = len(WORDS) if pipe.module.scheme.name == "bio" else 4
    cut = [(start, min(end, length), label) for start, end, label in problem.kept if start < length]
    problem = problem._replace(kept=cut)
    doc = encoded(nlp, Doc(nlp.vocab, words=WORDS[:length]))
    spans = [Span(doc, start, end, label=label) for start, end, label in problem.kept]
    doc.set_ents(spans, blocked=[doc[i : i + 1] for i in problem.blocked])
    pipe.cfg["temperature"] = problem.temperature
    expected = readings(pipe, doc, problem)
    found = pipe.nbest([doc], 500)[0]
    by_hand = sorted(expected.items(), key=lambda item: -item[1])
    assert [tuple(map(tuple, reading.entities)) for reading in found[:5]] == [
        key for key, _ in by_hand[:5]
    ]
    assert [reading.probability for reading in found] == pytest.approx(
        [probability for _, probability in by_hand], abs=1e-6
    )
    doc = pipe(doc)
    assert set(problem.kept) <= set(listed(doc.ents))
    for entity, score in zip(listed(doc.ents), group_scores(doc.spans[pipe.name]), strict=True):
        holding = sum(value for key, value in expected.items() if entity in key)
        assert score == pytest.approx(holding, abs=1e-5)
    assert listed(doc.spans[pipe.name]) == listed(doc.ents)
    tags = doc.to_array(["ENT_IOB", "ENT_TYPE"])
    assert all(tags[i].tolist() == [3, 0] for i in problem.blocked)


@pytest.mark.parametrize("name", ["crf_ents", "biluo"])
def test_best_reading_around_what_is_kept(name: str, backbone: Path) -> None:
    """Without white space: the best of all readings that hold the kept entity."""
    nlp = randomized(backbone, name)
    pipe = get_case_pipe(nlp, name)
    for kept in ([(1, 2, "PER")], [(0, 2, "LOC"), (2, 3, "PER")], [(2, 4, "DATE")]):
        doc = put(encoded(nlp, Doc(nlp.vocab, words=["Anna", "Keller", "saw", "Rome"])), kept)
        expected = readings(pipe, doc, Problem(kept))
        best = max(expected, key=lambda key: expected[key])
        assert tuple(listed(pipe(doc).ents)) == best


def test_softmax_equals_enumeration(backbone: Path) -> None:
    """Each token's tag for itself; the token behind a kept entity may not lengthen it."""
    nlp = initialized(make_case(backbone, "softmax", overwrite_ents=False))
    pipe = get_case_pipe(nlp, "softmax")
    with torch.no_grad():
        pipe.module.output.bias.copy_(torch.tensor([0.0, 0.4, 0.5, 0.3, 0.6]))
    pipe.cfg["temperature"] = 0.7
    doc = put(encoded(nlp, Doc(nlp.vocab, words=TEXT.split())), [(1, 3, "PER"), (4, 5, "DATE")])
    output, mask = pipe.model.predict([doc])
    scores = output.scores[0].clone()
    index = {tag: i for i, tag in enumerate(pipe.module.scheme.tags(list(pipe.labels)))}
    scores[3, index["I-PER"]] = -torch.inf
    tags = scores.argmax(-1)
    best = (scores / 0.7).softmax(-1).amax(-1)
    tags[[1, 2, 4]] = 0
    spans = pipe.module.scheme.spans(tags[None], mask).tolist()
    expected = {
        (start, end, pipe.labels[label]): float(best[start:end].min())
        for _, start, end, label in spans
    }
    assert expected, "something is found around what is kept"
    doc = pipe(doc)
    found = dict(zip(listed(doc.ents), group_scores(doc.spans["crf_ner"]), strict=True))
    assert found == pytest.approx({**expected, (1, 3, "PER"): 1.0, (4, 5, "DATE"): 1.0})


def test_flat_spans_leave_room(backbone: Path) -> None:
    """`span_ner` that writes flat: greedy among the candidates that overlap nothing kept."""
    nlp = initialized(make_case(backbone, "span_ents", overwrite_ents=False, threshold=0.0))
    pipe = get_case_pipe(nlp, "span_ents")
    kept = [(0, 2, "PER"), (4, 5, "DATE")]
    pipe.cfg["overwrite_ents"] = True
    pipe.cfg["decoder"] = "all"
    doc = encoded(nlp, Doc(nlp.vocab, words=TEXT.split()))
    predictions = pipe.predict([doc])
    expected: List[Entity] = []
    taken = {0, 1, 4}
    for i in np.argsort(-predictions.scores, kind="stable"):
        _, start, end, label = predictions.spans[i].tolist()
        if not taken & set(range(start, end)):
            taken |= set(range(start, end))
            expected.append((start, end, pipe.labels[label]))
    pipe.cfg.update(overwrite_ents=False, decoder="flat")
    doc = pipe(put(doc, kept))
    assert listed(doc.ents) == sorted([*expected, *kept]) and expected
    scores = dict(zip(listed(doc.ents), group_scores(doc.spans["span_ner"]), strict=True))
    assert scores[0, 2, "PER"] == scores[4, 5, "DATE"] == 1.0


def test_nested_spans_stand_beside_what_is_kept(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "span", overwrite_ents=False, threshold=0.0))
    pipe = get_case_pipe(nlp, "span")
    alone = nlp(TEXT)
    first, second = listed(alone.spans["nerel"])[:2]
    kept = [first, (0, 6, "WORK"), (0, 6, "WORK")]
    doc = nlp.make_doc(TEXT)
    doc = nlp(put(doc, kept, "nerel"))
    found = listed(doc.spans["nerel"])
    assert sorted(found) == sorted([*listed(alone.spans["nerel"]), *kept[1:]])
    assert found.count(first) == 1 and second in found
    scores = dict(zip(found, group_scores(doc.spans["nerel"]), strict=True))
    assert scores[first] == scores[0, 6, "WORK"] == 1.0 > scores[second]
    assert np.asarray(doc.spans["nerel"].attrs[GIVEN]).sum() == 3
    assert pipe.cfg["decoder"] == "nested"


def test_overlapping_spans_before_a_flat_tagger(backbone: Path) -> None:
    """All stay; the longest is the condition."""
    nlp = initialized(make_case(backbone, "crf_spans", overwrite_ents=False))
    kept = [(0, 2, "PER"), (1, 2, "ANIM"), (1, 4, "ANIM"), (3, 3, "ANIM")]
    doc = nlp(put(nlp.make_doc(TEXT), kept, "multinerd"))
    found = listed(doc.spans["multinerd"])
    assert set(kept) <= set(found) and len(found) == len(set(found))
    covered = set(range(4))
    assert all(not covered & set(range(s, e)) for s, e, label in set(found) - set(kept))


# Pipelines


@pytest.fixture(scope="module")
def ruled(backbone: Path) -> Language:
    """An `entity_ruler` before a trained `crf_ner`, which does not know its label."""
    nlp = initialized(make_case(backbone, "crf_ents", overwrite_ents=False))
    train(nlp, mixed_examples(nlp), 25)
    nlp.add_pipe("entity_ruler", before="crf_ner").add_patterns(RULES)  # type: ignore[attr-defined]
    return nlp


def test_entity_ruler_first(
    ruled: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = ruled
    doc = nlp(TEXT)
    assert listed(doc.ents) == [(0, 2, "PER"), (4, 5, "CITY")]
    assert doc.ents[1].id_ == "paris-fr"
    assert mtnlp.confidence(doc.ents[1], "crf_ner") == 1.0
    assert 0.0 < mtnlp.confidence(doc.ents[0], "crf_ner") < 1.0
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), nlp):
        for one, other in zip(loaded.pipe(TEXTS), map(nlp, TEXTS), strict=True):
            assert_same_answers(one, other, 1e-6)
    monkeypatch.setitem(nlp.get_pipe("crf_ner").cfg, "overwrite_ents", True)  # type: ignore
    assert listed(nlp(TEXT).ents) == [(0, 2, "PER"), (4, 5, "LOC")]


def test_kept_whatever_the_threshold_is(ruled: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ruled.get_pipe("crf_ner").cfg, "threshold", 1.0)  # type: ignore
    assert listed(ruled(TEXT).ents) == [(4, 5, "CITY")]


def test_a_second_look_is_not_a_condition(ruled: Language) -> None:
    """What a pipe wrote itself does not stay: not for `nbest`, not where it sees the Doc again."""
    nlp, doc = ruled, ruled(TEXT)
    pipe: Any = nlp.get_pipe("crf_ner")
    before = listed(doc.ents), group_scores(doc.spans["crf_ner"])
    found = pipe.nbest([doc], 3)[0]
    assert len(found) == 3 and all((4, 5, "CITY") in map(tuple, r.entities) for r in found)
    doc = pipe(doc)
    assert (listed(doc.ents), group_scores(doc.spans["crf_ner"])) == before
    # A corrected entity is the user's.
    doc.set_ents([Span(doc, 0, 1, label="LOC"), doc.ents[1]])
    assert set(listed(pipe(doc).ents)) >= {(0, 1, "LOC"), (4, 5, "CITY")}


@pytest.mark.parametrize("name", ["crf_ents", "crf_spans"])
def test_frozen_tagger_first(name: str, backbone: Path, tmp_path: Path) -> None:
    """Both write one layer; the second learns from the references alone."""
    text = f"{TEXT} I saw a red fox near Rome ."
    nlp = initialized(make_case(backbone, name))
    train(nlp, mixed_examples(nlp), 30)
    config = {**VARIANTS[name].config, "overwrite_ents": False}
    nlp.add_pipe("crf_ner", name="second", config=config)
    second: Any = nlp.get_pipe("second")
    second.initialize(lambda: mixed_examples(nlp), nlp=nlp)
    before = head_weights(nlp, "crf_ner")
    annotates = ["transformer", "crf_ner"]
    losses = step(nlp, mixed_examples(nlp), exclude=["crf_ner"], annotates=annotates)
    assert losses["second"] > 0
    assert same_weights(head_weights(nlp, "crf_ner"), before)
    with nlp.select_pipes(disable=["second"]):
        alone = nlp(text)
    doc = nlp(text)
    first = listed(alone.spans[GROUPS.get(name, "crf_ner")])
    group = doc.spans[GROUPS.get(name, "second")]
    scores = dict(zip(listed(group), group_scores(group), strict=True))
    assert first and all(scores[entity] == 1.0 for entity in first)
    if name == "crf_ents":
        assert listed(doc.ents) == listed(group)
        # The score of the one that found it.
        assert doc.ents[0]._.confidence == alone.ents[0]._.confidence < 1.0
    nlp.to_disk(tmp_path)
    assert_same_answers(spacy.load(tmp_path)(text), doc, 1e-6)


@pytest.mark.parametrize("name", ["crf_ents", "crf_spans", "span"])
def test_gold_comes_from_references_alone(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name, overwrite_ents=False))
    pipe = get_case_pipe(nlp, name)
    plain, full = mixed_examples(nlp), mixed_examples(nlp)
    for example in full:
        if len(example.predicted):
            put(example.predicted, [(0, 1, "LOC")], VARIANTS[name].config.get("spans_key"))
    one, other = pipe.get_target(plain), pipe.get_target(full)
    assert torch.equal(one.target, other.target) and one.units == other.units


@pytest.mark.parametrize("name", NER_CASES)
def test_nothing_kept_changes_nothing(name: str, backbone: Path) -> None:
    """Bit for bit, alone and beside Docs with kept entities; and no condition is computed."""
    nlp = initialized(make_case(backbone, name))
    train(nlp, mixed_examples(nlp), 8)
    pipe = get_case_pipe(nlp, name)
    if "threshold" in pipe.cfg:
        pipe.cfg["threshold"] = 0.0
    docs = [encoded(nlp, nlp.make_doc(text)) for text in TEXTS]
    before = pipe.predict(docs)
    pipe.cfg["overwrite_ents"] = False
    after = pipe.predict(docs)
    assert np.array_equal(before.spans, after.spans)
    assert np.array_equal(before.scores, after.scores)
    put(docs[0], [(0, 1, "LOC")], VARIANTS[name].config.get("spans_key"))
    mixed = pipe.predict(docs)
    for one, other in ((before, mixed), (mixed, before)):
        rows = one.spans[:, 0] > 0
        assert np.array_equal(one.spans[rows], other.spans[other.spans[:, 0] > 0])
        assert np.array_equal(one.scores[rows], other.scores[other.spans[:, 0] > 0])
    assert rows.any()


@pytest.mark.parametrize("name", ["crf_ents", "crf_spans", "span"])
def test_survives_and_old_pipelines_overwrite(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make_case(backbone, name, overwrite_ents=False))
    assert get_case_pipe(nlp, name).cfg["overwrite_ents"] is False
    nlp.to_disk(tmp_path)
    assert get_case_pipe(spacy.load(tmp_path), name).cfg["overwrite_ents"] is False
    assert get_case_pipe(make_case(backbone, name), name).cfg["overwrite_ents"] is True
    key = VARIANTS[name].config.get("spans_key")
    docs = [put(nlp.make_doc(text), [(0, 1, "DATE")] if text else [], key) for text in TEXTS]
    group = GROUPS.get(name, get_case_pipe(nlp, name).name)
    restored = [Doc(nlp.vocab).from_bytes(doc.to_bytes()) for doc in nlp.pipe(docs)]
    for doc in restored:
        if len(doc):
            given = np.asarray(doc.spans[group].attrs[GIVEN])
            assert given.tolist().count(True) == 1
            assert (0, 1, "DATE") in listed(doc.spans[group])
