"""Numbers of a map as `mtnlp.analysis.vectors.map_numbers` gives them, made up."""

from typing import Any, Dict, List

import numpy as np

LABELS = ["PER", "ORG", "LOC", "MISC"]
ERRORS = ["right", "other label", "boundaries", "missed", "spurious"]
QUERY = {"text": "Michael Jordan <b>scored</b>", "mark": [8, 14]}


def made_up(count: int = 60, neighbours: int = 5, *, queries: bool = True) -> Dict[str, Any]:
    """Entities in four clouds, with a text that must be escaped, and one of an emoji."""
    random = np.random.default_rng(0)
    label = random.integers(0, 4, count)
    centres = np.array([[0, 0], [4, 0], [0, 3], [4, 3]])
    places = (random.normal(size=(count, 2)) * 0.8 + centres[label]).round(4)
    error = np.where(random.random(count) < 0.8, 0, random.integers(1, 5, count))
    texts = [f"In text {i} stands Name{i}, & more of it." for i in range(count)]
    texts[0] = "</script><script>window.hacked = 1</script> <b>Bold0</b> 'quoted'"
    texts[1] = "😀😀 Name1 & Co"
    marks = [[text.index("Name"), text.index("Name") + 5] for text in texts[1:]]
    score: List[Any] = [
        None if kind == 3 else value
        for kind, value in zip(error, random.random(count), strict=True)
    ]
    # Neighbours along the first axis will do: nobody looks how near they are.
    order = places[:, 0].argsort()
    index = np.empty((count, neighbours), dtype=np.int64)
    for step in range(neighbours):
        index[order, step] = np.roll(order, -1 - step)
    asked = {**QUERY, "x": 0.5, "y": 0.5, "index": index[0].tolist(), "cosine": [0.5] * neighbours}
    return {
        "of": "entities",
        "task": "ner",
        "method": "pca",
        "seed": 0,
        "corpus_documents": 10,
        "documents": 10,
        "found": count,
        "empty": 2,
        "explained": [0.28, 0.16],
        "labels": LABELS,
        "errors": ERRORS,
        "points": {
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
            "label": label.tolist(),
            "predicted": [
                None if kind == 3 else int(one) for one, kind in zip(label, error, strict=True)
            ],
            "score": [value and round(value, 4) for value in score],
            "error": error.tolist(),
            "text": texts,
            "mark": [[44, 49], *marks],
        },
        "neighbours": {
            "index": index.tolist(),
            "cosine": np.tile(np.linspace(0.9, 0.5, neighbours).round(4), (count, 1)).tolist(),
        },
        "queries": [asked] if queries else [],
        "agreement": 0.93,
        "agreement_chance": 0.25,
        "per_label": [
            {
                "label": name,
                "points": int((label == i).sum()),
                "right": 1,
                "wrong": 0,
                "score": 0.9,
                "agreement": 0.8 + i / 20,
            }
            for i, name in enumerate(LABELS)
        ],
    }


def page_numbers(count: int = 60, **options: Any) -> Dict[str, Any]:
    """As `mtnlp.analysis.visualize.visualize` gives them."""
    sentences = {
        "texts": ["A dull film.", "A boring movie </script>.", "The sea is calm."],
        "cosine": [[1.0, 0.8, 0.1], [0.8, 1.0, 0.12], [0.1, 0.12, 1.0]],
    }
    return {
        "pipeline": "en_made_up 1.0",
        "files": ["made/up.spacy"],
        "maps": [made_up(count, **options)],
        "sentences": sentences,
    }
