"""The data doctor: what somebody who annotated a corpus should look at before training on it."""

from typing import Iterable, Iterator, List, Optional

from spacy.tokens import Doc
from wasabi import msg

from .checks.edges import EdgeCheck
from .checks.labels import LabelCheck
from .checks.surfaces import SurfaceCheck, WidthCheck
from .checks.texts import LengthCheck, RepetitionCheck
from .checks.unit import Finding, Unit, doc_unit, record_unit
from .options import Splits

# Words that about fill a window of 256 wordpieces, with an encoder that suits the language.
WINDOW_WORDS = 200


class Doctor:
    """Looks at a corpus unit by unit, in time linear in its size, and says what it found.

    language: of the texts. unit: what a text is, "document" or "sentence".
    window_words: how many words are about a window; None where the window is not known.
    """

    def __init__(
        self, language: str = "en", unit: str = "document", window_words: Optional[int] = None
    ) -> None:
        self._checks = (
            EdgeCheck(language),
            LabelCheck(),
            SurfaceCheck(),
            RepetitionCheck(unit),
            WidthCheck(),
            LengthCheck(unit, window_words),
        )

    def look(self, unit: Unit, split: str) -> None:
        """Take up a unit of a split."""
        for check in self._checks:
            check.look(unit, split)

    def watch(self, docs: Iterable[Doc], split: str) -> Iterator[Doc]:
        """The same Docs, each looked at as it passes."""
        for number, doc in enumerate(docs):
            self.look(doc_unit(doc, split, number), split)
            yield doc

    def findings(self) -> List[Finding]:
        """What was found so far, one finding for each thing to say."""
        return [finding for check in self._checks for finding in check.findings()]


def examine_records(splits: Splits, language: str = "en", unit: str = "document") -> List[Finding]:
    """What there is to say about Records, with file and line."""
    doctor = Doctor(language, unit, WINDOW_WORDS)
    for split, records in splits.items():
        for record in records:
            doctor.look(record_unit(record), split)
    return doctor.findings()


def print_findings(findings: Iterable[Finding]) -> None:
    """A line for each on the terminal."""
    for finding in findings:
        (msg.warn if finding.is_fault else msg.info)(str(finding))
