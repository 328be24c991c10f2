"""An application: load an installed model, read everything it says of a few texts, check it.

    python application.py                  # the installed package en_mtnlp
    python application.py path/to/model    # or a trained pipeline's folder

It stands alone, so it can be copied into a project of yours as a beginning. Exit code 1 where an
answer is not what it should be.
"""

import sys
from typing import Callable, Dict, Iterator, List, NamedTuple

import numpy as np
import spacy
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from spacy.language import Language
from spacy.tokens import Doc

import mtnlp

TEXTS = [
    "I loved every minute of it. The acting is superb, the story is moving, and the ending is "
    "wonderful. A beautiful, brilliant film!",
    "What a terrible waste of two hours. The plot is dull, the acting is awful, and I was bored "
    "from beginning to end. Avoid this film.",
    "Angela Merkel met Emmanuel Macron in Paris on Monday. The leaders of Germany and France "
    "spoke about the European Union.",
    "The German chancellor and the French president held talks in the capital of France.",
    "Julia Novak was born in Vienna in 1971. She founded the Novak Institute in Berlin, worked "
    "there as its director until 2015, and died in Munich after a long illness.",
    "Tigers and wolves carry the disease, but the doctors in London found that aspirin does not "
    "help against malaria.",
]
PRAISE, BLAME, TALKS, TALKS_AGAIN = range(4)
SENTENCES = [3, 3, 2, 1, 2, 1]

ENTITY_FACTORIES = ("crf_ner", "span_ner")

console = Console(width=100)


class Check(NamedTuple):
    """A statement about the answers, and whether it holds."""

    statement: str
    holds: bool


Checker = Callable[[Language, List[Doc]], Iterator[Check]]


def pipes_of(nlp: Language, *factories: str) -> List[str]:
    """The names of the components that one of the factories made."""
    return [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory in factories]


def short(text: str, length: int = 28) -> str:
    return escape(text if len(text) <= length else text[: length - 1] + "…")


def new_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column)
    return table


# What the model says


def show_entities(nlp: Language, docs: List[Doc]) -> None:
    """`doc.ents` and the span groups, each entity with its probability."""
    for pipe in pipes_of(nlp, *ENTITY_FACTORIES):
        layer = nlp.get_pipe(pipe).layer
        key = pipe if layer.spans_key is None else layer.spans_key
        home = "doc.ents" if layer.spans_key is None else f'doc.spans["{key}"]'
        table = new_table(f"{pipe}: {home}", "text", "entities, with their confidence")
        for doc in docs:
            found = [
                f"{escape(span.text)} [cyan]{span.label_}[/] {mtnlp.confidence(span, key=key):.2f}"
                for span in layer.spans(doc)
            ]
            if found:
                table.add_row(short(doc.text), "  ".join(found))
        console.print(table)


def show_categories(nlp: Language, docs: List[Doc]) -> None:
    """`doc._.tasks` and `doc._.events`."""
    factories = nlp.pipe_factories.values()
    columns = ["text", "doc._.tasks", *(["doc._.events"] if "event_textcat" in factories else [])]
    table = new_table("categories and events", *columns)
    for doc in docs:
        # Of many labels the likeliest is enough on a screen.
        best = {
            task: sorted(p.items(), key=lambda item: -item[1]) for task, p in tasks(doc).items()
        }
        said = [f"{task}: [cyan]{p[0][0]}[/] {p[0][1]:.2f}" for task, p in best.items() if p]
        row = [short(doc.text), "  ".join(said)]
        table.add_row(*row, *([" ".join(doc._.events) or "–"] if len(columns) == 3 else []))
    console.print(table)


def show_vectors(nlp: Language, docs: List[Doc]) -> None:
    """`.similarity` of the first texts with one another."""
    table = new_table("doc.similarity(other)", "text", *[str(i + 1) for i in range(len(docs))])
    for number, doc in enumerate(docs, start=1):
        values = [f"{doc.similarity(other):.2f}" for other in docs]
        table.add_row(f"{number} {short(doc.text, 44)}", *values)
    console.print(table)


# What must hold


def check_sentences(nlp: Language, docs: List[Doc]) -> Iterator[Check]:
    counts = [len(list(doc.sents)) for doc in docs]
    yield Check(f"doc.sents: the sentences are found ({counts})", counts == SENTENCES)


def check_entities(nlp: Language, docs: List[Doc]) -> Iterator[Check]:
    for pipe in pipes_of(nlp, *ENTITY_FACTORIES):
        key = nlp.get_pipe(pipe).layer.spans_key
        group = pipe if key is None else key
        groups = [doc.spans[group] for doc in docs if group in doc.spans]
        yield Check(
            f"{pipe}: every text has the group doc.spans['{group}']", len(groups) == len(docs)
        )
        spans = [span for spans in groups for span in spans]
        scores = [float(score) for spans in groups for score in spans.attrs["scores"]]
        yield Check(f"{pipe}: it finds entities ({len(spans)})", bool(spans))
        complete = len(scores) == len(spans)
        yield Check(f"{pipe}: one score per entity", complete)
        yield Check(f"{pipe}: scores are probabilities", all(0 <= s <= 1 for s in scores))
        exact = [mtnlp.confidence(span, key=group) for span in spans] if complete else []
        yield Check(f"{pipe}: mtnlp.confidence gives them", close(exact, scores))
        known = set(nlp.get_pipe(pipe).labels)
        yield Check(f"{pipe}: labels are its own", {span.label_ for span in spans} <= known)
        if key is None:
            ents = [ent for doc in docs for ent in doc.ents]
            yield Check("doc.ents are the group's entities", ents == spans)
            getter = [ent._.confidence for ent in ents] if complete else []
            yield Check("span._.confidence gives their scores", close(getter, scores))


def check_categories(nlp: Language, docs: List[Doc]) -> Iterator[Check]:
    for pipe in pipes_of(nlp, "multitask_textcat"):
        for task, settings in nlp.get_pipe(pipe).tasks.items():
            rows = [tasks(doc).get(task, {}) for doc in docs]
            whole = all(set(row) == set(settings["labels"]) for row in rows)
            yield Check(f"{pipe}: every text has all labels of {task}", whole)
            values = [value for row in rows for value in row.values()]
            yield Check(f"{pipe}: {task} holds probabilities", all(0 <= v <= 1 for v in values))
            if settings["exclusive"]:
                sums = [sum(row.values()) for row in rows]
                yield Check(f"{pipe}: {task} sums to one", np.allclose(sums, 1, atol=1e-4))
    praise, blame = (docs[i].cats.get("sentiment/positive") for i in (PRAISE, BLAME))
    if praise is not None and blame is not None:
        yield Check(
            f"sentiment: praise is more positive than blame ({praise:.2f} > {blame:.2f})",
            praise > blame,
        )


def check_events(nlp: Language, docs: List[Doc]) -> Iterator[Check]:
    for pipe in pipes_of(nlp, "event_textcat"):
        cfg = nlp.get_pipe(pipe).cfg
        (task,) = cfg["tasks"]
        least = {
            label: cfg["thresholds"].get(f"{task}/{label}", cfg["threshold"])
            for label in cfg["tasks"][task]["labels"]
        }
        expected = [
            [label for label, value in tasks(doc).get(task, {}).items() if value >= least[label]]
            for doc in docs
        ]
        same = all(sorted(doc._.events) == sorted(e) for doc, e in zip(docs, expected, strict=True))
        yield Check(f"{pipe}: doc._.events are the labels that reach their thresholds", same)


def check_vectors(nlp: Language, docs: List[Doc]) -> Iterator[Check]:
    if not pipes_of(nlp, "sentence_vectors"):
        return
    vectors = np.stack([doc.vector for doc in docs])
    fine = bool(np.isfinite(vectors).all() and (np.linalg.norm(vectors, axis=1) > 0).all())
    yield Check(f"doc.vector: {vectors.shape[1]} finite numbers, not all zero", fine)
    own = all(np.allclose(doc.vector, doc._.sentence_vector) for doc in docs)
    yield Check("doc._.sentence_vector is doc.vector", own)
    sents = [sent.vector for doc in docs for sent in doc.sents]
    yield Check("sent.vector: one for every sentence", all(np.any(v) for v in sents))
    one, other = docs[TALKS], docs[TALKS_AGAIN]
    yield Check("similarity: a text and itself, 1", abs(one.similarity(one) - 1) < 1e-4)
    near, far = one.similarity(other), one.similarity(docs[BLAME])
    yield Check(f"similarity: news is nearer to news ({near:.2f} > {far:.2f})", near > far)


def check_single(nlp: Language, docs: List[Doc]) -> Iterator[Check]:
    """One text at a time says the same as many."""
    doc = nlp(TEXTS[TALKS])
    many = docs[TALKS]
    yield Check("nlp(text) and nlp.pipe agree on entities", entities(doc) == entities(many))
    agree = all(abs(value - many.cats[key]) < 1e-3 for key, value in doc.cats.items())
    yield Check("nlp(text) and nlp.pipe agree on categories", agree)


CHECKERS: List[Checker] = [
    check_sentences,
    check_entities,
    check_categories,
    check_events,
    check_vectors,
    check_single,
]


def run_checks(nlp: Language, docs: List[Doc]) -> List[Check]:
    """All that must hold of the docs of `TEXTS`."""
    return [check for checker in CHECKERS for check in checker(nlp, docs)]


def tasks(doc: Doc) -> Dict[str, Dict[str, float]]:
    return doc._.tasks if Doc.has_extension("tasks") else {}


def close(one: List[float], other: List[float]) -> bool:
    return len(one) == len(other) and np.allclose(one, other)


def entities(doc: Doc) -> List[tuple]:
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def main(model: str = "en_mtnlp") -> int:
    """Run the model on the texts, show and check. Returns: the exit code."""
    nlp = spacy.load(model)
    docs = list(nlp.pipe(TEXTS))
    name = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    console.rule(f"[bold]{name}[/]: {', '.join(nlp.pipe_names)}")
    show_entities(nlp, docs)
    if any(doc.cats for doc in docs):
        show_categories(nlp, docs)
    if pipes_of(nlp, "sentence_vectors"):
        show_vectors(nlp, docs)
    checks = run_checks(nlp, docs)
    table = new_table("checks", "", "what must hold")
    for check in checks:
        table.add_row("[green]✔[/]" if check.holds else "[red]✘[/]", check.statement)
    console.print(table)
    failed = [check.statement for check in checks if not check.holds]
    console.print(f"{len(checks) - len(failed)} of {len(checks)} checks hold.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
