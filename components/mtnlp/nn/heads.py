"""All heads, in one place to import them from."""

from .classifier import Classifier
from .projection import Projection
from .taggers import CRFTagger, SoftmaxTagger

__all__ = ["CRFTagger", "Classifier", "Projection", "SoftmaxTagger"]
