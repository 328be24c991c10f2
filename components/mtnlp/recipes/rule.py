"""The recipe that data calls for: one rule, which looks at nothing but the profiles."""

from math import ceil, sqrt
from typing import Any, Dict, Mapping, Optional, Set, Tuple

from .overrides import Overrides
from .parts import LONG_DOCUMENT, Reasons, choose_classifier, choose_entities, is_long
from .profile import EncoderProfile, Profiles
from .recipe import Recipe

# Windows, in wordpieces. A window costs the square of its length, and what a head says of a word
# hardly depends on words 200 away; the backbone's authors trained it on 128 (configs/conll.cfg and
# imdb.cfg: 256, goemotions.cfg: 128).
WINDOWS = (64, 128, 256)
# A longer text is cut into several windows, which costs its last words some context.
WINDOW_SHARE = 0.95
# With windows of this length the encoder goes without dropout on attention (NEREL: 2 points better,
# in half of the memory; reviews: no worse; docs/results/attention.md).
LONG_WINDOW = 256
# Steps per epoch. With fewer the schedule is coarse, with more than that each step learns little.
MOST_STEPS = 400
# Wordpieces per step: some 10 sentences; and what configs/imdb.cfg and nerel.cfg have (2,000), and
# 2 cores still make in 2 seconds.
SMALLEST_BATCH = 250
LARGEST_BATCH = 2400
# A document gives a classifier one answer: of fewer per step the gradient is mostly noise.
DOCUMENTS_PER_STEP = 8
# The epochs are the square root of this over the wordpieces of one: four times the data are seen
# half as often, in twice the steps. ATIS (61,000 wordpieces) has 0.914, 0.922 and 0.930 of its
# sentences right after 5, 12 and 20 epochs (docs/results/recipes.md); configs/nerel.cfg, for
# 330,000, has 6.
EPOCH_SCALE = 12e6
FEWEST_EPOCHS, MOST_EPOCHS = 2, 20
# A classifier of long documents has enough after few looks (configs/imdb.cfg: 3 on 500 reviews).
LONG_DOCUMENT_EPOCHS = 5
# Rates of the encoder. On CoNLL-2003 2e-4 is above 1e-4 and 4e-4; on reviews 1e-4 is above 5e-5 and
# 2e-4, by 0.4 and (300 reviews, one seed) 3 points (docs/results/conll2003.md, imdb.md, joint.md);
# on short texts with emotions it is far below 2e-4 (docs/results/recipes.md).
RATE = 2e-4
LONG_DOCUMENT_RATE = 1e-4
# Encoders of this width were measured; wider ones are tuned at rates that fall with the square
# (BERT-base, 768: 5e-5).
WIDTH = 384
# Heads begin at random, the encoder does not (configs/conll.cfg: 0.930 against 0.923).
HEAD_FACTOR = 10.0
WARMUP = 0.1
PRECISION = "auto"
DROPOUT = 0.1
# Sampling by the square root of the sizes (temperature 2; XLM's alpha 0.5), so that large corpora
# do not drown small ones; but no document is seen more often than this per epoch.
ALPHA = 0.5
MOST_WEIGHT = 4.0


def choose_recipe(
    profiles: Profiles,
    encoder: EncoderProfile,
    device: str = "cpu",
    overrides: Overrides = Overrides(),
) -> Recipe:
    """Components and settings for some corpora.

    device: "cpu" or "gpu". overrides: what is decided already.
    Returns: the recipe, with a reason for every setting.
    Raises: MtnlpError E480 for corpora that cannot be learnt together, E482 for overrides that do
        not fit.
    """
    reasons: Reasons = {}
    chosen = Chosen(overrides, reasons)
    entities = choose_entities(profiles, encoder, overrides, reasons)
    classifier = choose_classifier(profiles, encoder, overrides, reasons)
    language = chosen("language", *_language(profiles))
    window = chosen("window", *_window(profiles, encoder))
    weights = _weights(profiles, reasons)
    pieces = sum(round(weights[name] * corpus.pieces) for name, corpus in profiles.items())
    groups = _groups(profiles)
    min_docs = _min_docs(profiles) if len(groups) > 1 else 0
    batch = chosen("batch", *_batch(profiles, pieces, len(groups)))
    if len(groups) > 1:
        reasons["single_task"] = "corpora are annotated differently; each has steps of its own"
    if min_docs:
        reasons["min_docs"] = "of fewer answers per step a classifier learns mostly noise"
    is_alone = classifier is not None and not entities
    return Recipe(
        language=language,
        entities=entities,
        classifier=classifier,
        window=window,
        batch=batch,
        rate=chosen("rate", *_rate(profiles, encoder)),
        epochs=chosen("epochs", *_epochs(profiles, pieces, is_alone)),
        head_factor=chosen(
            "head_factor",
            HEAD_FACTOR,
            "heads begin at random, so they learn faster than the encoder",
        ),
        warmup=chosen("warmup", WARMUP, "the share of the steps in which the rate rises"),
        dropout=chosen("dropout", DROPOUT, "of the heads; the components' default"),
        attention_dropout=chosen("attention_dropout", *_attention_dropout(window, encoder)),
        precision=chosen(
            "precision",
            PRECISION,
            "bf16 on machines that compute in it, which is faster; else fp32",
        ),
        single_task=len(groups) > 1,
        min_docs=min_docs,
        weights=weights,
        device=device,
        steps=_steps(profiles, weights, batch, min_docs),
        reasons=reasons,
    )


class Chosen:
    """Takes each setting from the overrides, where it is there, and notes why it is as it is."""

    def __init__(self, overrides: Overrides, reasons: Reasons) -> None:
        self.overrides = overrides
        self.reasons = reasons

    def __call__(self, name: str, value: Any, reason: str) -> Any:
        """The value of a setting: the rule's, given with its reason, or that of the overrides."""
        given = getattr(self.overrides, name)
        self.reasons[name] = reason if given is None else f"as you set it; by rule it is {value}"
        return value if given is None else given


def _language(profiles: Profiles) -> Tuple[str, str]:
    found = sorted({corpus.language for corpus in profiles.values()})
    if len(found) == 1:
        return found[0], "of the texts; --lang sets another"
    return "xx", f"the corpora are in {', '.join(found)}: the tokenizer of many languages"


def _window(profiles: Profiles, encoder: EncoderProfile) -> Tuple[int, str]:
    needed = max(corpus.pieces_per_document[WINDOW_SHARE] for corpus in profiles.values())
    window = next((window for window in WINDOWS if window >= needed), WINDOWS[-1])
    found = f"{WINDOW_SHARE:.0%} of the documents have at most {needed:,} wordpieces"
    if encoder.limit < window:
        return encoder.limit, f"{found}, and the encoder reads {encoder.limit} at a time"
    return window, found + ("; longer ones have several windows" if needed > window else "")


def _attention_dropout(window: int, encoder: EncoderProfile) -> Tuple[Optional[float], str]:
    own = encoder.attention_dropout
    if own is None:
        return None, "the encoder has no such setting"
    if own and window >= LONG_WINDOW:
        return 0.0, "on long windows it costs memory and time, and gained nothing"
    return None, f"what the encoder's own config says, {own:g}"


def _weights(profiles: Profiles, reasons: Reasons) -> Dict[str, float]:
    largest = max(corpus.pieces for corpus in profiles.values())
    weights = {
        name: min(MOST_WEIGHT, round((largest / max(1, corpus.pieces)) ** (1 - ALPHA), 1))
        for name, corpus in profiles.items()
    }
    if any(weight != 1 for weight in weights.values()):
        reasons["weights"] = (
            "how often a document is seen per epoch: by the square root of the sizes, at most "
            f"{MOST_WEIGHT:g} times"
        )
    return weights


def _groups(profiles: Profiles) -> Set[Tuple[str, ...]]:
    """What is annotated together, layers and tasks; corpora that are alike count once."""
    return {
        tuple(sorted([*map(str, corpus.layers), *[task.name for task in corpus.tasks]]))
        for corpus in profiles.values()
    }


def _batch(profiles: Profiles, pieces: int, groups: int) -> Tuple[int, str]:
    batch, reason = pieces / MOST_STEPS / groups, f"for {MOST_STEPS} steps per epoch"
    if groups > 1:
        reason += " and task"
    elif alone := [c for c in profiles.values() if c.tasks and not c.layers]:
        # Texts with entities, too, have answers enough, and want many steps: 30 documents of NEREL
        # in steps of 300 wordpieces are 9 points above steps of 2,400 (docs/results/recipes.md).
        longest = max(corpus.pieces_per_document[0.5] for corpus in alone)
        if DOCUMENTS_PER_STEP * longest > batch:
            batch = DOCUMENTS_PER_STEP * longest
            reason = f"for {DOCUMENTS_PER_STEP} documents of median length"
    if batch < SMALLEST_BATCH:
        return SMALLEST_BATCH, f"the least; an epoch has {pieces:,} wordpieces"
    if batch > LARGEST_BATCH:
        return LARGEST_BATCH, f"the most; {reason} it would be {batch:,.0f}"
    return int(round(batch, -1)), f"{reason} ({pieces:,} wordpieces)"


def _min_docs(profiles: Profiles) -> int:
    """The documents that a step holds at least, for classifiers; 0 without one. Of long documents
    fewer: a step holds them all at once. Texts with entities, too, do not count: see `_batch`."""
    alone = [corpus for corpus in profiles.values() if corpus.tasks and not corpus.layers]
    found = [corpus.pieces_per_document[0.5] for corpus in alone]
    return min(DOCUMENTS_PER_STEP, max(1, LARGEST_BATCH // max(found))) if found else 0


def _steps(profiles: Profiles, weights: Mapping[str, float], batch: int, min_docs: int) -> int:
    """Per epoch, about."""
    steps = 0.0
    for name, corpus in profiles.items():
        mean = corpus.pieces / max(1, corpus.documents["train"])
        steps += weights[name] * corpus.pieces / max(batch, min_docs * mean)
    return max(1, ceil(steps))


def _epochs(profiles: Profiles, pieces: int, is_alone: bool) -> Tuple[int, str]:
    wanted = sqrt(EPOCH_SCALE / max(1, pieces))
    epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(wanted)))
    reason = f"for {pieces:,} wordpieces per epoch; four times the data are seen half as often"
    if epochs == FEWEST_EPOCHS and wanted < epochs:
        reason = f"the least, as an epoch has {pieces:,} wordpieces"
    elif epochs == MOST_EPOCHS and wanted > epochs:
        reason = f"the most; an epoch has only {pieces:,} wordpieces"
    if is_alone and all(map(is_long, profiles.values())) and epochs > LONG_DOCUMENT_EPOCHS:
        reason = f"a classifier of documents over {LONG_DOCUMENT} words needs few"
        return LONG_DOCUMENT_EPOCHS, reason
    return epochs, reason


def _rate(profiles: Profiles, encoder: EncoderProfile) -> Tuple[float, str]:
    rate, reason = RATE, "best for sentences in what was measured"
    if any(corpus.tasks and not corpus.layers and is_long(corpus) for corpus in profiles.values()):
        rate, reason = LONG_DOCUMENT_RATE, "best for classifiers of long documents"
        if any(corpus.layers for corpus in profiles.values()):
            reason += "; entities lose little by it"
    if encoder.width > WIDTH:
        rate *= (WIDTH / encoder.width) ** 2
        reason += f", lowered for an encoder {encoder.width} wide"
    return float(f"{rate:.2g}"), reason
