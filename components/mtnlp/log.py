"""The log of what training finds: counts, shares and measurements that were asked for."""

import logging

# Told by spaCy's handler, like its own messages. `spacy train` hides those of level INFO unless it
# is called with --verbose; ours are few, and answer what a config asks.
logger = logging.getLogger("spacy.mtnlp")
logger.setLevel(logging.INFO)
