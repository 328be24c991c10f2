"""The colours of displaCy, for all entity types of CoNLL-2003, MultiNERD and NEREL."""

from typing import Dict, Tuple

# Pastel, for black text; types of one family share a hue.
FAMILIES: Dict[str, Tuple[str, ...]] = {
    "#aa9cfc": ("PER", "PERSON"),
    "#c3b8fd": ("FAMILY", "MYTH"),
    "#d8d1fe": ("AGE", "NATIONALITY", "PROFESSION"),
    "#7aecec": ("ORG", "ORGANIZATION"),
    "#feca74": ("LOC", "LOCATION", "COUNTRY"),
    "#ffd998": ("CITY", "DISTRICT", "STATE_OR_PROVINCE"),
    "#ffe8bf": ("FACILITY", "CEL"),
    "#bfe1d9": ("DATE", "TIME"),
    "#e4e7d2": ("MONEY", "NUMBER", "ORDINAL", "PERCENT"),
    "#ffeb80": ("EVE", "EVENT"),
    "#ff8197": ("CRIME", "LAW", "PENALTY"),
    "#ffb3a7": ("DIS", "DISEASE"),
    "#bfeeb7": ("ANIM", "BIO", "PLANT"),
    "#e2f5a0": ("FOOD",),
    "#f0d0ff": ("AWARD", "MEDIA", "WORK_OF_ART"),
    "#bfeeff": ("INST", "PRODUCT", "VEHI"),
    "#f7c6dd": ("IDEOLOGY", "LANGUAGE", "RELIGION"),
    "#d5dfe8": ("MISC",),
}


def displacy_colors() -> Dict[str, str]:
    """By type, as `mtnlp.Colors.v1` of the `displacy_colors` registry, which displaCy reads by
    itself."""
    return {label: color for color, labels in FAMILIES.items() for label in labels}
