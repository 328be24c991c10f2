"""`trf_data_cleaner`: drops the encoder's hidden states from Docs, and nothing else.

spaCy's `doc_cleaner` cannot: its default attributes are merged with those in a config, so it always
drops `doc.tensor`, too, where `sentence_vectors` keeps what `span.vector` is made of.
"""

from spacy.language import Language
from spacy.pipeline.functions import DocCleaner


@Language.factory("trf_data_cleaner", retokenizes=False)
def make_trf_data_cleaner(nlp: Language, name: str) -> DocCleaner:
    """A component that sets `doc._.trf_data` to None. It belongs behind the last listener: hidden
    states are large, and a Doc keeps them otherwise."""
    return DocCleaner({"_.trf_data": None}, silent=True)
