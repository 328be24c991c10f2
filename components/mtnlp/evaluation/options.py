"""What an evaluation can be asked for; imports nothing heavy."""

from dataclasses import dataclass

# Labels that are set in fewer training documents than this share are rare.
RARE_SHARE = 0.1


@dataclass(frozen=True)
class Settings:
    """How to evaluate.

    chunk_size: documents processed at once. Hidden states of one chunk are alive at a time.
    samples, seed: bootstrap resamples of the intervals, and their seed.
    raw_text: whether token corpora are also scored on their detokenised text.
    rare_share: a label set in less than this share of the training documents is rare.
    """

    chunk_size: int = 64
    samples: int = 1000
    seed: int = 0
    raw_text: bool = True
    rare_share: float = RARE_SHARE
