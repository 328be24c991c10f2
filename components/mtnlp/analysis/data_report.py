"""What the documents are: their statistics, which texts are there twice, and wrong labels."""

import json
from itertools import islice
from pathlib import Path
from typing import Any, Dict, List, Mapping

from ..errors import Errors, MtnlpError

# Suggestions that are shown.
SUGGESTIONS = 50


def describe_data(statistics: Mapping[str, Any], label_errors: Any) -> Dict[str, Any]:
    """The numbers of a corpus.

    statistics: of `file_statistics`. label_errors: of `read_label_errors`, or None.
    Returns: {"statistics", "duplicates": see `duplicates`, "label_errors"}.
    """
    return {
        "statistics": dict(statistics),
        "duplicates": duplicates(statistics),
        "label_errors": label_errors,
    }


def duplicates(statistics: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Texts that are in a part twice, or in two parts.

    Returns: [{"corpus", "split", "other", "count": documents of `other` whose text stands in
        `split`, or before in the same part, "documents": all of `other`, "share"}], of pairs with
        any.
    """
    rows = []
    for name, corpus in statistics.items():
        splits = corpus["splits"]
        pairs = [(split, split, numbers["duplicates"]) for split, numbers in splits.items()]
        pairs += [(*pair.split("/"), count) for pair, count in corpus["duplicates_across"].items()]
        for split, other, count in pairs:
            documents = splits[other]["documents"]
            if count:
                rows.append(
                    {
                        "corpus": name,
                        "split": split,
                        "other": other,
                        "count": count,
                        "documents": documents,
                        "share": count / documents,
                    }
                )
    return rows


def read_label_errors(path: Path) -> List[Dict[str, Any]]:
    """The first suggestions of a file that has one on each line, the likeliest first. Raises:
    MtnlpError E701 where it is not there, E706 where a line is no JSON object."""
    rows: List[Dict[str, Any]] = []
    try:
        with path.open(encoding="utf8") as lines:
            for line in islice(lines, SUGGESTIONS):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError(f"{type(row).__name__} in line {len(rows) + 1}")
                rows.append(row)
    except OSError as error:
        raise MtnlpError(Errors.E701.format(path=path)) from error
    except ValueError as error:
        raise MtnlpError(Errors.E706.format(path=path, reason=error)) from error
    return rows
