from mtnlp.data.suitable_encoders import MONOLINGUAL, MULTILINGUAL, suits


def test_an_encoder_that_suits() -> None:
    assert suits(1.4, "en") is None
    assert suits(2.5, "ru") is None


def test_an_encoder_that_cuts_words_up() -> None:
    message = suits(4.7, "ru")
    assert message is not None
    assert "[W180]" in message and "4.7 wordpieces" in message and "'ru'" in message
    for name in (*MULTILINGUAL, *MONOLINGUAL["ru"]):
        assert name in message
    assert MONOLINGUAL["de"][0] not in message


def test_a_language_nobody_knows() -> None:
    for language in (None, "is"):
        message = suits(3.0, language)
        assert message is not None and all(name in message for name in MULTILINGUAL)
