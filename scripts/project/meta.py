"""The papers of a packaged model: what meta.json says of its making and its scores."""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from scripts.project.corpora import Corpus, licence_name, notices

AUTHOR = "the mtnlp authors"

DESCRIPTION = (
    "Several tasks from one transformer pass over a text: {answers}. Every answer comes with a "
    "probability."
)

BACKBONE_LICENCES = {"sentence-transformers/all-MiniLM-L6-v2": "Apache-2.0"}

# What a component answers, by factory, in the order of the description.
ANSWERS = {
    "crf_ner": "named entities",
    "span_ner": "nested entities",
    "multitask_textcat": "categories of the text",
    "event_textcat": "the events and relations it reports",
    "sentence_vectors": "vectors to compare texts by",
}

# `spans_multinerd_f` is the F-score of the task `multinerd`; see the score keys of the scorers.
SCORE = re.compile(
    r"(?:ents|spans_(?P<spans>\w+?)|cats_(?P<cats>\w+?)|vectors)"
    r"_(?P<metric>acc|p|r|f|(?:micro|macro)_[prf]|spearman|pearson)"
)


def performance(scores: Mapping[str, Any]) -> Dict[str, Any]:
    """The scores `spacy evaluate` wrote, flat as spaCy's own models give them, plus `tasks`.

    `tasks` maps a task to its metrics: {"ents": {"p": …}, "multinerd": …, "sentiment": …}.
    """
    tasks: Dict[str, Dict[str, float]] = {}
    for key, value in scores.items():
        match = SCORE.fullmatch(key)
        if match and isinstance(value, (int, float)):
            task = match["spans"] or match["cats"] or key.split("_")[0]
            tasks.setdefault(task, {})[match["metric"]] = float(value)
    return {**scores, "tasks": tasks} if tasks else dict(scores)


def read_scores(path: Optional[Path]) -> Dict[str, Any]:
    """The scores in a JSON file, or none where there is no such file."""
    if path is None or not path.exists():
        return {}
    scores: Dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    return scores


def describe(factories: Sequence[str]) -> str:
    """One sentence on what a pipeline with these component factories answers."""
    answers = [answer for factory, answer in ANSWERS.items() if factory in factories]
    if not answers:
        return "A spaCy pipeline built with mtnlp."
    return DESCRIPTION.format(answers=", ".join(answers))


def complete_meta(
    meta: Mapping[str, Any],
    *,
    factories: Sequence[str],
    corpora: Sequence[Corpus],
    scores: Mapping[str, Any],
    backbone: str,
) -> Dict[str, Any]:
    """meta.json of a trained pipeline with its papers filled in; `meta` itself stays.

    factories: the components' factories. scores: what `spacy evaluate` wrote; without any, the
    scores of training on the dev split stay. backbone: the encoder's name.
    """
    sources: List[Dict[str, str]] = [
        {
            "name": corpus.title,
            "url": corpus.url,
            "author": corpus.author,
            "license": corpus.licence,
        }
        for corpus in corpora
    ]
    licence = BACKBONE_LICENCES.get(backbone, "see its model card")
    sources.append({"name": backbone, "url": "", "author": "", "license": licence})
    return {
        **meta,
        "description": describe(factories),
        "author": AUTHOR,
        "license": licence_name(corpora),
        "notes": notices(corpora),
        "sources": sources,
        "performance": performance(scores or meta.get("performance", {})),
    }
