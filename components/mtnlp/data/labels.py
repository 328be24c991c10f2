"""The label sets of the four corpora."""

from typing import Tuple

CONLL_LABELS: Tuple[str, ...] = ("PER", "ORG", "LOC", "MISC")

# In the order of the published tag ids: id 0 is O, then B and I of each type.
MULTINERD_LABELS: Tuple[str, ...] = (
    "PER", "ORG", "LOC", "ANIM", "BIO", "CEL", "DIS", "EVE", "FOOD", "INST", "MEDIA", "MYTH",
    "PLANT", "TIME", "VEHI",
)  # fmt: skip
MULTINERD_TAGS: Tuple[str, ...] = (
    "O",
    *(f"{prefix}-{label}" for label in MULTINERD_LABELS for prefix in "BI"),
)
# WikiNEuRal, by the same authors and in the same files, has PER ORG LOC and this.
WIKINEURAL_EXTRA_LABELS: Tuple[str, ...] = ("MISC",)

NEREL_ENTITY_LABELS: Tuple[str, ...] = (
    "AGE", "AWARD", "CITY", "COUNTRY", "CRIME", "DATE", "DISEASE", "DISTRICT", "EVENT",
    "FACILITY", "FAMILY", "IDEOLOGY", "LANGUAGE", "LAW", "LOCATION", "MONEY", "NATIONALITY",
    "NUMBER", "ORDINAL", "ORGANIZATION", "PENALTY", "PERCENT", "PERSON", "PRODUCT", "PROFESSION",
    "RELIGION", "STATE_OR_PROVINCE", "TIME", "WORK_OF_ART",
)  # fmt: skip
NEREL_RELATION_LABELS: Tuple[str, ...] = (
    "ABBREVIATION", "AGENT", "AGE_DIED_AT", "AGE_IS", "ALTERNATIVE_NAME", "AWARDED_WITH",
    "CAUSE_OF_DEATH", "CONVICTED_OF", "DATE_DEFUNCT_IN", "DATE_FOUNDED_IN", "DATE_OF_BIRTH",
    "DATE_OF_CREATION", "DATE_OF_DEATH", "END_TIME", "EXPENDITURE", "FOUNDED_BY", "HAS_CAUSE",
    "HEADQUARTERED_IN", "IDEOLOGY_OF", "INANIMATE_INVOLVED", "INCOME", "KNOWS", "LOCATED_IN",
    "MEDICAL_CONDITION", "MEMBER_OF", "ORGANIZES", "ORIGINS_FROM", "OWNER_OF", "PARENT_OF",
    "PARTICIPANT_IN", "PART_OF", "PENALIZED_AS", "PLACE_OF_BIRTH", "PLACE_OF_DEATH",
    "PLACE_RESIDES_IN", "POINT_IN_TIME", "PRICE_OF", "PRODUCES", "RELATIVE", "RELIGION_OF",
    "SCHOOLS_ATTENDED", "SIBLING", "SPOUSE", "START_TIME", "SUBEVENT_OF", "SUBORDINATE_OF",
    "TAKES_PLACE_IN", "WORKPLACE", "WORKS_AS",
)  # fmt: skip

# The tasks of `doc.cats`: keys are `task/LABEL`.
SENTIMENT_TASK = "sentiment"
SENTIMENT_LABELS: Tuple[str, ...] = ("positive", "negative")
EVENT_TASK = "event"
# The layers of `doc.spans`.
MULTINERD_KEY = "multinerd"
NEREL_KEY = "nerel"
