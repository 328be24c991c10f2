"""The linear-chain CRF layer."""

from typing import List, Tuple

import torch

from ..structured import crf
from ..structured.nbest import nbest
from ..structured.schemes import get_scheme
from .temperature import scale_by_temperature

# Training adds this to illegal transitions, rather than -inf: gold that contradicts the scheme
# then costs a loss that nobody can overlook instead of an infinite one.
ILLEGAL = -10_000.0


class LinearChainCRF(torch.nn.Module):
    """Learnt transition scores over the tags of a scheme.

    labels: the entity types. scheme: the name of the tag scheme.

    All methods take emissions `[batch, seq, tags]` (tags as the scheme orders them) and a bool
    mask `[batch, seq]`, a prefix of each row. Illegal transitions are never learnt, and exactly
    impossible in decoding and in posteriors. Probabilities are those of all scores divided by
    `temperature`; the order of sequences does not depend on it.
    Raises: MtnlpError (E210) for an unknown scheme, (E235) for a temperature not above 0.
    """

    legal_transitions: torch.Tensor
    legal_start: torch.Tensor
    legal_end: torch.Tensor

    def __init__(self, labels: List[str], scheme: str = "bio"):
        super().__init__()
        self.scheme = get_scheme(scheme)
        size = len(self.scheme.tags(labels))
        self.transitions = torch.nn.Parameter(torch.zeros(size, size))
        self.start = torch.nn.Parameter(torch.zeros(size))
        self.end = torch.nn.Parameter(torch.zeros(size))
        # They follow from the arguments, so the state dict does without them.
        legal = (
            self.scheme.allowed_transitions(labels),
            self.scheme.allowed_start(labels),
            self.scheme.allowed_end(labels),
        )
        self.register_buffer("legal_transitions", legal[0], persistent=False)
        self.register_buffer("legal_start", legal[1], persistent=False)
        self.register_buffer("legal_end", legal[2], persistent=False)

    def nll(
        self, emissions: torch.Tensor, allowed: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """`[batch]`: -log P(the tags are among `allowed`, bool `[batch, seq, tags]`), to train
        on."""
        return crf.nll(emissions, *self._scores(ILLEGAL), mask, allowed)

    def predictive_nll(
        self,
        emissions: torch.Tensor,
        allowed: torch.Tensor,
        mask: torch.Tensor,
        temperature: float = 1.0,
    ) -> torch.Tensor:
        """`[batch]`: as `nll`, under the probabilities that are predicted; infinite where
        `allowed` leaves no legal sequence."""
        return crf.nll(*self._scaled_scores(emissions, temperature), mask, allowed)

    def decode(self, emissions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """int64 `[batch, seq]`: the best legal tag sequences; 0 on padding."""
        return crf.viterbi(emissions, *self._scores(-torch.inf), mask)[0]

    def span_probabilities(
        self,
        emissions: torch.Tensor,
        mask: torch.Tensor,
        spans: torch.Tensor,
        temperature: float = 1.0,
    ) -> torch.Tensor:
        """`[n]`: the posterior probability of each of `spans`, int64 `[n, 4]`: document, start,
        end, label index."""
        scores = self._scaled_scores(emissions, temperature)
        return crf.span_log_probability(*scores, mask, spans, self.scheme).exp()

    def nbest(
        self, emissions: torch.Tensor, mask: torch.Tensor, k: int, temperature: float = 1.0
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The k best legal tag sequences, int64 `[batch, k, seq]`, and their log probabilities
        `[batch, k]`; see `structured.nbest`."""
        return nbest(*self._scaled_scores(emissions, temperature), mask, k)

    def _scaled_scores(
        self, emissions: torch.Tensor, temperature: float
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Emission, transition, start and end scores, as probabilities are computed from them."""
        transitions, start, end = self._scores(-torch.inf)
        return (
            scale_by_temperature(emissions, temperature),
            scale_by_temperature(transitions, temperature),
            scale_by_temperature(start, temperature),
            scale_by_temperature(end, temperature),
        )

    def _scores(self, illegal: float) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Transition, start and end scores, with `illegal` where the scheme forbids."""
        return (
            self.transitions.masked_fill(~self.legal_transitions, illegal),
            self.start.masked_fill(~self.legal_start, illegal),
            self.end.masked_fill(~self.legal_end, illegal),
        )
