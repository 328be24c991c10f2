"""Each SpanGroup has one pipe that writes it."""

from typing import Any, Iterable, Tuple

from spacy.language import Language

from ..errors import Errors, MtnlpError


def check_new_group(nlp: Language, name: str, cfg: Any) -> None:
    """For a pipe that is about to be added. cfg: of the pipe: its `spans_key` and `overwrite_ents`.

    Raises: MtnlpError E331 where a pipe of the pipeline writes the same SpanGroup and neither keeps
    what it finds there. A pipe of the same name is not in its way: that one it cannot stand beside.
    """
    for other, settings in entity_pipes(nlp):
        both_overwrite = settings["overwrite_ents"] and cfg["overwrite_ents"]
        if other != name and (both_overwrite or mirrors_ents(cfg) or mirrors_ents(settings)):
            require_different(other, settings, name, cfg)


def check_groups(nlp: Language) -> None:
    """For a whole pipeline. Raises: MtnlpError E331 where two pipes write one SpanGroup, unless the
    later one writes the same layer and keeps what it finds there (`overwrite_ents = false`)."""
    pipes = list(entity_pipes(nlp))
    for i, (name, cfg) in enumerate(pipes):
        for other, settings in pipes[:i]:
            if cfg["overwrite_ents"] or mirrors_ents(cfg) or mirrors_ents(settings):
                require_different(other, settings, name, cfg)


def entity_pipes(nlp: Language) -> Iterable[Tuple[str, Any]]:
    """The names and settings of the entity pipes of a pipeline, disabled ones included."""
    for name, pipe in nlp.components:
        cfg = getattr(pipe, "cfg", None)
        if isinstance(cfg, dict) and "overwrite_ents" in cfg and "spans_key" in cfg:
            yield name, cfg


def mirrors_ents(cfg: Any) -> bool:
    """Whether the group holds the scores of `doc.ents`, so that nothing else may stand in it."""
    return cfg["spans_key"] is None


def require_different(one: str, one_cfg: Any, other: str, other_cfg: Any) -> None:
    key = group_name(one, one_cfg)
    if key == group_name(other, other_cfg):
        raise MtnlpError(Errors.E331.format(one=one, other=other, key=key))


def group_name(name: str, cfg: Any) -> str:
    """The SpanGroup that a pipe writes."""
    return name if cfg["spans_key"] is None else cfg["spans_key"]
