"""The loss of one step of the optimizer."""


class StepLoss:
    """Sums the losses of the sub-batches of a step. The sum can be read until the next step begins.

    value: of the step under way or, between two, of the last one.
    """

    def __init__(self) -> None:
        self.value = 0.0
        self._is_over = False

    def begin_batch(self) -> None:
        """A sub-batch begins, the first one of a step or another."""
        if self._is_over:
            self.value, self._is_over = 0.0, False

    def add(self, loss: float) -> None:
        """The loss of a sub-batch."""
        self.value += loss

    def end_step(self) -> None:
        """The optimizer steps."""
        self._is_over = True
