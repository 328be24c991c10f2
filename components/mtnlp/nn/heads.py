"""All heads, in one place to import them from."""

from .classifier import Classifier
from .projection import Projection
from .span_tagger import SpanTagger
from .taggers import CRFTagger, SoftmaxTagger

__all__ = ["CRFTagger", "Classifier", "Projection", "SoftmaxTagger", "SpanTagger"]
