"""The log is told without being asked for."""

import io
import logging

import pytest
from spacy.util import logger_stream_handler

from mtnlp.log import logger


def test_told_at_the_level_of_spacy_train(monkeypatch: pytest.MonkeyPatch) -> None:
    """`spacy train` without --verbose leaves its own logger at the level WARNING."""
    stream = io.StringIO()
    monkeypatch.setattr(logger_stream_handler, "stream", stream)
    assert not logging.getLogger("spacy").isEnabledFor(logging.INFO)
    logging.getLogger("spacy").info("unheard")
    logger.debug("too much")
    logger.info("%d of %d weights are trained", 3, 4)
    assert "[INFO] 3 of 4 weights are trained" in stream.getvalue()
    assert "unheard" not in stream.getvalue() and "too much" not in stream.getvalue()
