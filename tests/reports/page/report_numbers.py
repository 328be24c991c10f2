"""Numbers of a report, as `mtnlp.analysis.report.analyse` gives them, made up and small."""

from typing import Any, Dict, List, Sequence

# A text that must not become part of the page.
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
TYPES = ["LOC", "MISC", HOSTILE, "PER"]
EMOTIONS = ["joy", "fear", "anger", "grief", "pride", "love", "relief", "desire", "caring"]
WORDS = ["Bank", "of", "New", "York", "&", HOSTILE, "fell", "."]
TEXT = {"words": WORDS, "spaces": [True] * 6 + [False, False], "text": " ".join(WORDS)}
ABOUT: Dict[str, Any] = {
    "pipeline": "en_made_up",
    "version": "1.0.0",
    "lang": "en",
    "components": ["transformer", "ner", "nested_ner", "textcat"],
    "encoder": {"name": "tiny", "layers": 6, "width": 384, "parameters": 22_700_000},
    "engine": None,
    "packages": {"mtnlp": "0.1.0", "spacy": "3.8.0"},
    "corpus": {
        "path": "corpus",
        "files": ["made", "up"],
        "split": "test",
        "documents": 1234,
        "words": 56789,
    },
    "train": {"path": "corpus/train", "files": ["made"], "documents": 400},
    "licences": ["CC0", "research only"],
    "size_mb": 91.4,
    "created": "2026-01-02T03:04:05+00:00",
}


def report_numbers() -> Dict[str, Any]:
    """All sections but the map."""
    return {
        "about": ABOUT,
        "training": [
            {
                "name": "loss/ner",
                "step": list(range(400)),
                "value": [4 / (i + 1) for i in range(400)],
            },
            {"name": "score/ents_f", "step": [100, 200], "value": [0.5, 0.75]},
            {"name": "score/ents_per_type/LOC/f", "step": [100, 200], "value": [0.4, 0.6]},
        ],
        "tasks": [
            task("ner", "entities", "micro F1", 0.9165, 0.612),
            task("nested_ner", "entities", "micro F1", 0.8, None),
            task("textcat: emotion", "multilabel", "micro F1", 0.5, 0.29),
            task("textcat: mood", "exclusive", "accuracy", 0.875, 0.5),
        ],
        "findings": [
            {"text": f"{HOSTILE} is missed most.", "section": "entities", "task": "ner"},
            {"text": "Rare labels are missed.", "section": "classification", "task": None},
            {"text": "Texts are there twice.", "section": "data", "task": None},
        ],
        "entities": {"ner": entities(None), "nested_ner": entities("nested")},
        "classification": {
            "textcat: emotion": multilabel(),
            "textcat: mood": exclusive(),
        },
        "vectors": None,
        "data": {"statistics": {"made": statistics()}, "duplicates": [], "label_errors": errors()},
        "versus": versus(),
        "learning_curve": {
            "shares": [0.25, 0.5, 1.0],
            "documents": [100, 200, 400],
            "tasks": [
                {
                    "name": "ner",
                    "metric": "micro F1",
                    "scores": [0.7, 0.8, 0.9],
                    "low": [0.6, 0.7, 0.8],
                    "high": [0.8, 0.9, 1.0],
                }
            ],
            "labels": [
                {
                    "task": "ner",
                    "label": label,
                    "scores": [0.5, 0.6, 0.6 + i / 10],
                    "support": 50,
                    "train": [10, 20, 40],
                }
                for i, label in enumerate(TYPES[:2])
            ],
            "says": "ner still gains.",
        },
    }


def task(name: str, kind: str, metric: str, score: float, baseline: Any) -> Dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "metric": metric,
        "score": score,
        "low": score - 0.05,
        "high": score + 0.04,
        "baseline": baseline,
        "baseline_says": "always the same",
        "documents": 1234,
        "gold": 321,
    }


def mean(f: float) -> Dict[str, float]:
    return {"p": f + 0.01, "r": f - 0.01, "f": f}


def example(gold: List[Any], predicted: List[Any], score: Any = 0.91) -> Dict[str, Any]:
    return {**TEXT, "gold": gold, "predicted": predicted, "score": score}


def entities(spans_key: Any) -> Dict[str, Any]:
    size = len(TYPES)
    counts = [[90 if i == j else 3 for j in range(size)] + [7] for i in range(size)]
    labels = (f"{tag}-{label}" for label in TYPES for tag in "BI")
    nested = example([[0, 4, "ORG"], [2, 4, "LOC"]], [[0, 2, "ORG"], [2, 4, "LOC"]])
    return {
        "spans_key": spans_key,
        "documents": 600,
        "entities": 1500,
        "predicted": 1450,
        "types": TYPES,
        "per_type": [
            {**scores(label, 0.8 + i / 50), "support": 500 - i, "predicted": 400, "train": 4000}
            for i, label in enumerate(TYPES)
        ],
        "per_tag": []
        if spans_key
        else [{**scores(tag, 0.7), "tag": tag, "support": 12} for tag in labels],
        "micro": mean(0.9),
        "macro": mean(0.8),
        "token_accuracy": None if spans_key else 0.98125,
        "confusion": {"labels": TYPES, "counts": [*counts, [5] * size + [0]], "exact": [80] * size},
        "boundaries": [
            {
                "length": length,
                "right": 100,
                "other_label": 4,
                "too_long": 3,
                "too_short": 2,
                "shifted": 1,
                "fragmented": 5,
                "merged": 1,
                "missed": 9 + i,
            }
            for i, length in enumerate(["1", "2", "3", "4", "5+"])
        ],
        "breakdowns": {
            name: [bucket(one, 0.9 - i / 10) for i, one in enumerate(names)]
            for name, names in {
                "by_frequency": ["0", "1", "2–4"],
                "by_length": ["1", "2", "3"],
                "by_seen": ["seen with this label", "seen with other labels only", "unseen"],
                "by_sentence_length": ["1–10", "11–20"],
                "by_depth": ["1", "2"] if spans_key else [],
            }.items()
        },
        "confused_pairs": [
            {
                "gold": "MISC",
                "predicted": "PER",
                "count": 41,
                "share": 0.0825,
                "examples": [example([[0, 4, "MISC"]], [[0, 4, "PER"]])],
            }
        ],
        "reliability": reliability(),
        "coverage": [
            {
                "minimum": i / 20,
                "precision": min(1.0, 0.9 + i / 200),
                "recall": 0.9 - i / 50,
                "coverage": 1 - i / 40,
                "entities": 1000 - i,
            }
            for i in range(20)
        ],
        "error_examples": {
            "missed": [example([[5, 6, HOSTILE]], [], None)] * 5,
            "spurious": [example([], [[4, 7, "MISC"]])],
            "fragmented": [nested],
            "merged": [],
        },
    }


def scores(label: str, f: float) -> Dict[str, Any]:
    return {"label": label, "precision": f + 0.0123, "recall": f - 0.0123, "f": f}


def bucket(name: str, f: float) -> Dict[str, Any]:
    more = {"precision": f, "f": f, "predicted": 100}
    return {"bucket": name, "support": 321, "recall": f, **more}


def reliability() -> Dict[str, Any]:
    bins = [
        {
            "low": i / 10,
            "high": (i + 1) / 10,
            "confidence": i / 10 + 0.05,
            "accuracy": i / 11,
            "count": 10 * i,
        }
        for i in range(10)
    ]
    means = {"mean_confidence": 0.91, "accuracy": 0.82, "predicted": 450}
    return {"bins": bins, "ece": 0.0815, **means}


def classes(labels: Sequence[str], threshold: Any) -> Dict[str, Any]:
    rows = [
        {
            **scores(label, 0.4 + i / 20),
            "support": 200 - i,
            "predicted": 180,
            "train": 1000,
            "threshold": threshold,
            "gold_share": 0.2 + i / 100,
            "predicted_share": 0.25,
        }
        for i, label in enumerate(labels)
    ]
    curves = [
        {
            "label": label,
            "precision": [0.4 + i / 50, 0.6, 0.9],
            "recall": [1.0, 0.8, 0.3],
            "threshold": [0.1, 0.5, 0.9],
            "average_precision": 0.7,
        }
        for i, label in enumerate(labels)
    ]
    return {
        "documents": 900,
        "labels": list(labels),
        "accuracy": 0.875,
        "micro": mean(0.6),
        "macro": mean(0.5),
        "per_label": rows,
        "pr_curves": curves,
        "reliability": reliability(),
        "mistakes": [
            {
                "text": f"Not bad at all, {HOSTILE}",
                "gold": [labels[0]],
                "predicted": [labels[1]],
                "label": labels[1],
                "error": "other label",
                "score": 0.99,
            }
        ],
    }


def multilabel() -> Dict[str, Any]:
    size = len(EMOTIONS)
    counts = [[0 if i == j else (i + j) % 3 for j in range(size)] for i in range(size)]
    together = {"labels": EMOTIONS, "counts": counts}
    return {
        **classes(EMOTIONS, 0.3),
        "exclusive": False,
        "confusion": None,
        "error_cooccurrence": together,
    }


def exclusive() -> Dict[str, Any]:
    matrix = {"labels": ["good", HOSTILE], "counts": [[400, 50, 0], [63, 387, 0]]}
    return {
        **classes(["good", HOSTILE], None),
        "exclusive": True,
        "confusion": matrix,
        "error_cooccurrence": None,
    }


def statistics() -> Dict[str, Any]:
    labels = {label: {"count": 30, "share": 0.25} for label in TYPES}
    length = {"mean": 1.5, "median": 1, "max": 6}
    overlap = {"nested": 0, "nested_share": 0.0, "depth": 1, "same_boundaries": 0}
    layer = {
        "documents": 400,
        "missing": 0,
        "total": 120,
        "labels": labels,
        "tags": {},
        "length": length,
        "overlap": {**overlap, "crossing_pairs": 0},
    }
    split = {
        "documents": 400,
        "sentences": 800,
        "tokens": 9000,
        "tokens_per_document": {"mean": 22.5, "median": 20, "max": 90},
        "duplicates": 3,
        "entities": {"ents": layer},
        "categories": {"mood": {"documents": 400, "missing": 0, "labels": labels}},
        "part_of_speech": {"documents": 0, "missing": 400, "labels": {}},
    }
    places = ["train 3 'Bank'", f"train 5 '{HOSTILE}'"]
    finding = {"kind": "punctuation", "message": "Entities that begin with punctuation"}
    return {
        "splits": {"train": split, "dev": split, "test": split},
        "duplicates_across": {"train/dev": 0, "train/test": 20, "dev/test": 1},
        "language": "en",
        "findings": [{**finding, "count": 2, "places": places, "is_fault": True}],
    }


def errors() -> List[Dict[str, Any]]:
    return [
        {
            "rank": 1,
            "score": 0.97,
            "kind": "wrong label",
            "component": "ner",
            "layer": "ents",
            "file": "made.spacy",
            "number": 7,
            "given": [[0, 4, "LOC"]],
            "suggested": [[0, 4, HOSTILE]],
            "given_texts": ["Bank of New York"],
            "suggested_texts": ["Bank of New York"],
            "before": "The ",
            "words": "Bank of New York",
            "behind": f" fell {HOSTILE}.",
        },
    ]


def versus() -> Dict[str, Any]:
    return {
        "other": {"pipeline": "en_other", "version": "0.9.0", "lang": "en"},
        "tasks": [
            {
                "name": "ner",
                "metric": "micro F1",
                "this": 0.9165,
                "other": 0.9011,
                "difference": 0.0154,
                "low": 0.006,
                "high": 0.025,
                "p_value": 0.004,
                "documents": 600,
                "verdict": "better",
            }
        ],
        "labels": [
            {
                "task": "ner",
                "label": label,
                "this": 0.9,
                "other": 0.9 - i / 10,
                "difference": i / 10,
                "support": 50,
            }
            for i, label in zip((-2, 1, 2), TYPES, strict=False)
        ],
        "texts": [
            {
                "task": "ner",
                **TEXT,
                "gold": [[0, 4, "ORG"]],
                "this": [[0, 4, "ORG"]],
                "other": [[2, 4, "LOC"]],
                "which_right": "this",
            },
            {
                "task": "textcat: mood",
                "text": f"Not bad {HOSTILE}",
                "words": None,
                "spaces": None,
                "gold": ["good"],
                "this": [HOSTILE],
                "other": ["good"],
                "which_right": "other",
            },
        ],
        "only_this": [],
        "only_other": ["events"],
    }
