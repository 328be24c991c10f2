"""What a manifest keeps of a pipeline."""

import hashlib
import json
from typing import Any, Dict

from spacy.language import Language

from .. import __version__
from ..files import plain


def describe_pipeline(nlp: Language) -> Dict[str, Any]:
    """Name, version, and a digest over its meta, its config and the settings of its components,
    such as labels, temperatures and thresholds. Weights are not read."""
    settings = {name: getattr(pipe, "cfg", None) for name, pipe in nlp.components}
    parts = [_dump(nlp.meta), nlp.config.to_str(), _dump(settings)]
    digest = hashlib.sha256("\0".join(parts).encode("utf8"))
    return {
        "name": f"{nlp.meta['lang']}_{nlp.meta['name']}",
        "version": nlp.meta["version"],
        "digest": digest.hexdigest(),
        "mtnlp": __version__,
    }


def _dump(data: Any) -> str:
    return json.dumps(plain(data), sort_keys=True, default=str)
