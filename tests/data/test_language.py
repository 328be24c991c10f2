"""Short texts written for this test, in many languages, and what must not be taken for one."""

import subprocess
import sys

import pytest

from mtnlp.data.language import guess_language

TEXTS = {
    "en": "The train leaves at eight, and we are not at the station yet. She told"
    " me that there is no other one today.",
    "de": "Der Zug fährt um acht Uhr ab, und wir sind noch nicht am Bahnhof. Sie "
    "hat mir gesagt, dass es heute keinen anderen gibt.",
    "fr": "Le train part à huit heures, et nous ne sommes pas encore à la gare. "
    "Elle m'a dit qu'il n'y en a pas d'autre aujourd'hui.",
    "es": "El tren sale a las ocho y todavía no estamos en la estación. Ella me "
    "dijo que hoy no hay otro para nosotros.",
    "pt": "O trem parte às oito horas e nós ainda não estamos na estação. Ela me "
    "disse que hoje não há outro para nós.",
    "it": "Il treno parte alle otto e non siamo ancora alla stazione. Lei mi ha "
    "detto che oggi non ce n'è un altro per noi.",
    "nl": "De trein vertrekt om acht uur en wij zijn nog niet op het station. Zij"
    " heeft mij gezegd dat er vandaag geen andere is.",
    "sv": "Tåget går klockan åtta och vi är inte på stationen än. Hon har sagt "
    "till mig att det inte finns något annat i dag.",
    "pl": "Pociąg odjeżdża o ósmej, a my jeszcze nie jesteśmy na dworcu. Ona "
    "powiedziała mi, że dzisiaj nie ma już innego.",
    "tr": "Tren saat sekizde kalkıyor ve biz daha istasyonda değiliz. Bana bugün "
    "için başka bir tren olmadığını söyledi, ama bu çok kötü değil.",
    "ru": "Поезд отходит в восемь, а мы ещё не на вокзале. Она сказала мне, что "
    "сегодня другого уже не будет.",
    "uk": "Потяг відходить о восьмій, а ми ще не на вокзалі. Вона сказала мені, "
    "що сьогодні іншого вже не буде, але це не так погано.",
    "el": "Το τρένο φεύγει στις οκτώ και δεν είμαστε ακόμα στον σταθμό.",
    "ar": "يغادر القطار في الساعة الثامنة ونحن لسنا في المحطة بعد، وقد قالت لي "
    "إنه لا يوجد قطار آخر في هذا اليوم.",
    "hi": "गाड़ी आठ बजे जाती है और हम अभी तक स्टेशन पर नहीं "
    "हैं। उसने मुझे बताया कि आज के लिए कोई और गाड़ी "
    "नहीं है।",
    "zh": "火车八点开，我们还没有到车站。她告诉我今天没有别的车了。",
    "ja": "電車は八時に出ますが、私たちはまだ駅に着いていません。",
    "ko": "기차는 여덟 시에 떠나는데 우리는 아직 역에 없습니다.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_few_sentences(language: str) -> None:
    assert guess_language([TEXTS[language]]) == language
    assert guess_language(TEXTS[language].split(". ")) == language


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "2021-04-05 17:30",
            "!!! 😀",
            "Anna",
            "OK",
            "de la",
            "Anna Bell, Rome",
            "la la la la la",
        ),
        *("Thorpe b Croft 6 c Knight a Moin 0 e", "Bayern 3 Ajax 1 Inter 0 Porto 2 Basel 1"),
        "Order 1234 shipped Monday via courier tracking number 99",
    ],
)
def test_what_says_nothing(text: str) -> None:
    assert guess_language([text]) in (None, "en")
    assert guess_language([text] * 50) in (None, "en")


@pytest.mark.parametrize(
    "text",
    [
        "SHE TOLD ME THAT THERE IS NO OTHER TRAIN TODAY",
        "what flights are there from boston to denver on monday",
        "i want to hear something by that band from the nineties",
    ],
)
def test_english_however_it_is_written(text: str) -> None:
    assert guess_language([text]) == "en"


def test_two_scripts_in_equal_parts_are_unsure() -> None:
    assert guess_language([TEXTS["en"], TEXTS["ru"]]) is None


def test_texts_are_read_until_there_is_enough() -> None:
    def texts():  # type: ignore[no-untyped-def]
        for _ in range(400):
            yield TEXTS["de"]
        raise AssertionError("read on")

    assert guess_language(texts()) == "de"


def test_nothing_is_loaded_before_it_is_needed() -> None:
    code = "import sys, mtnlp.data.language; sys.exit('spacy.lang.de' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
