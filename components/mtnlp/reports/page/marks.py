"""A text with spans in it, cut into pieces that can be written as nested HTML elements."""

from typing import Any, List, NamedTuple, Optional, Sequence

from ..displacy_colors import displacy_colors

# displaCy's own colour of types that it does not know.
UNKNOWN_COLOR = "#ddd"


class Word(NamedTuple):
    """One step of writing: a text, or where a marked span opens or closes.

    kind: "text", "open" or "close". text: the text, or the label of the span.
    color: the background of the span. is_end: of a closing mark, whether the span ends here; one
        that crosses another is written in two marks, and its label stands behind the last.
    """

    kind: str
    text: str
    color: str = ""
    is_end: bool = True


SPACE = Word("text", " ")


def label_color(label: str) -> str:
    """The background of a label, for black text."""
    return displacy_colors().get(label, UNKNOWN_COLOR)


def marked(
    words: Sequence[str], spaces: Sequence[bool], spans: Sequence[Sequence[Any]]
) -> List[Word]:
    """The text with its spans as elements that nest.

    words, spaces: the tokens, and whether white space follows each.
    spans: [start, end, label] in tokens, in any order; they may nest and cross.
    """
    opening: List[List[Sequence[Any]]] = [[] for _ in words]
    for span in sorted(spans, key=lambda span: (span[0], -span[1], str(span[2]))):
        opening[span[0]].append(span)
    steps: List[Word] = []
    stack: List[Sequence[Any]] = []
    for position, (word, space) in enumerate(zip(words, spaces, strict=True)):
        for span in opening[position]:
            _open(steps, stack, span)
        steps.append(Word("text", word))
        _close(steps, stack, position + 1)
        if space:
            steps.append(SPACE)
    return _joined(steps)


def _open(steps: List[Word], stack: List[Sequence[Any]], span: Sequence[Any]) -> None:
    """Open a span. Those that end within it are closed first, and opened again inside it."""
    crossing: List[Sequence[Any]] = []
    while stack and stack[-1][1] < span[1]:
        crossing.append(stack.pop())
    if crossing:
        # The white space in front of the span belongs to no mark.
        space = [steps.pop()] if steps[-1] == SPACE else []
        steps += [Word("close", str(one[2]), is_end=False) for one in crossing]
        steps += space
    for one in (span, *reversed(crossing)):
        stack.append(one)
        steps.append(Word("open", str(one[2]), label_color(str(one[2]))))


def _close(steps: List[Word], stack: List[Sequence[Any]], end: int) -> None:
    """Close what ends before the token `end`; the innermost stands last."""
    while stack and stack[-1][1] <= end:
        span = stack.pop()
        steps.append(Word("close", str(span[2])))


def _joined(steps: List[Word]) -> List[Word]:
    """Neighbouring texts as one."""
    joined: List[Word] = []
    last: Optional[Word] = None
    for step in steps:
        if last is not None and last.kind == step.kind == "text":
            joined[-1] = Word("text", last.text + step.text)
        else:
            joined.append(step)
        last = joined[-1]
    return joined
