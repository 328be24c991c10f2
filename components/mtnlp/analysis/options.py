"""What an analysis can be asked for; imports nothing heavy."""

from dataclasses import dataclass

# The parts of train that a learning curve is trained on.
SHARES = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Settings:
    """How to analyse.

    chunk_size, chunk_words: documents and words predicted at once; a longer document is predicted
    alone. Hidden states of one chunk are alive at a time. samples, seed: bootstrap resamples of
    the intervals, and their seed. pairs: confused pairs of labels that are listed. pair_examples:
    texts for each. examples: texts of each other kind of error, and of mistakes of a classifier.
    texts: documents that two pipelines differ on.
    """

    chunk_size: int = 64
    chunk_words: int = 8192
    samples: int = 1000
    seed: int = 0
    pairs: int = 15
    pair_examples: int = 3
    examples: int = 10
    texts: int = 30
