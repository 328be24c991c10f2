"""From a trained pipeline to installable wheels with their papers."""

from pathlib import Path
from typing import List, Optional, Sequence

import srsly
from spacy.util import load_config

from mtnlp.errors import Errors, MtnlpError
from scripts.project.corpora import corpora_used, notices
from scripts.project.meta import complete_meta, read_scores
from scripts.project.wheels import Papers, build_model_wheel, build_package_wheel


def package(
    model: Path,
    output: Path,
    *,
    root: Path,
    name: str,
    version: str,
    corpora: Sequence[str],
    source: str,
    backbone: str,
    metrics: Optional[Path] = None,
) -> List[Path]:
    """Build the model's wheel and mtnlp's own, flat in `output`; returns both.

    model: a trained pipeline's folder. root: the repository. corpora, source: what it was
    trained on, which decides licence and notices. metrics: the JSON of `spacy evaluate`.
    Raises MtnlpError E410 to E413.
    """
    if not (model / "config.cfg").exists():
        raise MtnlpError(Errors.E410.format(path=model, file="config.cfg"))
    used = corpora_used(corpora, source)
    components = load_config(model / "config.cfg")["components"]
    meta = complete_meta(
        srsly.read_json(model / "meta.json"),
        factories=[component.get("factory", "") for component in components.values()],
        corpora=used,
        scores=read_scores(metrics),
        backbone=backbone,
    )
    licence = (root / "LICENSE").read_text(encoding="utf8")
    if meta["license"] != "MIT":
        licence = f"{meta['license']}\n\n{notices(used)}"
    papers = Papers(meta=meta, licence=licence, notices=notices(used))
    return [
        build_model_wheel(model, output, name=name, version=version, papers=papers),
        build_package_wheel(root, output),
    ]
