"""The scores of entities, found without reading a whole group for each of them."""

from typing import Dict, Optional, Tuple
from weakref import WeakKeyDictionary

from spacy.tokens import Doc, Span, SpanGroup

from .scored_spans import SCORES, EntityKey, entity_key, entity_keys


class GroupIndex:
    """Where the entities of a group stand. Of several with one key, the first counts.

    misses: how many entities were not found in the group since it was changed.
    """

    def __init__(self, group: SpanGroup, misses: int = 0):
        self.group = group
        self.misses = misses
        self.version = version_of(group)
        self.positions: Dict[EntityKey, int] = {}
        for i, key in enumerate(entity_keys(group)):
            self.positions.setdefault(key, i)

    @property
    def counts_changes(self) -> bool:
        """Whether `version` shows every change of the group."""
        return self.version[1] is not None

    def has_moved(self, key: EntityKey) -> bool:
        """Whether another entity stands where this one did when the group was read."""
        if key not in self.positions or self.counts_changes:
            return False
        try:
            return entity_key(self.group[self.positions[key]]) != key
        except IndexError:  # behind the end of the Doc, after retokenizing
            return False


# What the groups of a Doc hold, by name. Nothing is lost with it: a group is read again.
_INDICES: "WeakKeyDictionary[Doc, Dict[str, GroupIndex]]" = WeakKeyDictionary()


def version_of(group: SpanGroup) -> Tuple[int, Optional[int]]:
    """Differs when a group was changed; a plain SpanGroup does not show that one of its spans was
    exchanged for another."""
    return len(group), getattr(group, "changes", None)


def find_scores(span: Span, groups: Dict[str, SpanGroup]) -> Dict[str, float]:
    """The score of an entity in each of the groups that hold it.

    A group is read when it is first asked for, and again when it was changed. Scores are not kept
    but read from `attrs` each time. Nothing shows that `group[i] = span` has changed a plain
    SpanGroup, such as those of a DocBin. They are therefore read again when no group holds the
    entity: at the first, second, fourth, eighth such entity and so on, since each time would take
    as long as the group is, for every span that is no entity.

    groups: by name, with scores.
    """
    indices = _INDICES.setdefault(span.doc, {})
    key = entity_key(span)
    for name, group in groups.items():
        index = indices.get(name)
        if (
            index is None
            or index.group is not group
            or index.version != version_of(group)
            or index.has_moved(key)
        ):
            indices[name] = GroupIndex(group)
    if not any(key in indices[name].positions for name in groups):
        for name, group in groups.items():
            index = indices[name]
            index.misses += 1
            is_power_of_two = not index.misses & (index.misses - 1)
            if is_power_of_two and not index.counts_changes:
                indices[name] = GroupIndex(group, index.misses)
    scores = {}
    for name, group in groups.items():
        position, values = indices[name].positions.get(key), group.attrs[SCORES]
        if position is not None and position < len(values):
            scores[name] = float(values[position])
    return scores
