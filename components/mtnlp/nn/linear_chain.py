"""The linear-chain CRF layer."""

from typing import List, Optional, Tuple

import torch

from ..structured import crf
from ..structured.array_chain import Chain, find_entities
from ..structured.marginals import marginal_cross_entropy, token_marginals
from ..structured.nbest import nbest
from ..structured.schemes import get_scheme
from ..structured.spans import trim, widenings
from .temperature import require_temperature, scale_by_temperature

# Training adds this to illegal transitions, rather than -inf: gold that contradicts the scheme
# then costs a loss that nobody can overlook instead of an infinite one.
ILLEGAL = -10_000.0
# Tokens of a batch, padding included, up to which numpy is quicker than torch.
SMALL_BATCH = 4096


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
        self.array_scheme = self.scheme.arrays()
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

    def marginal_cross_entropy(
        self,
        emissions: torch.Tensor,
        mask: torch.Tensor,
        teacher: torch.Tensor,
        groups: torch.Tensor,
        temperature: float = 1.0,
    ) -> torch.Tensor:
        """`[batch]`: the cross-entropy of the token marginals with a teacher's; see
        `structured.marginals`. What the scheme forbids has no probability, and what a teacher
        gives it counts for nothing."""
        scores = self._scores(-torch.inf)
        return marginal_cross_entropy(emissions, *scores, mask, teacher, groups, temperature)

    def decode(self, emissions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """int64 `[batch, seq]`: the best legal tag sequences; 0 on padding."""
        return crf.viterbi(emissions, *self._scores(-torch.inf), mask)[0]

    @torch.no_grad()
    def find_entities(
        self,
        emissions: torch.Tensor,
        mask: torch.Tensor,
        temperature: float = 1.0,
        space: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The entities of the best legal tag sequences, int64 `[n, 4]`, and the posterior
        probability of each, `[n]`.

        space: bool `[batch, seq]`, the tokens of white space; None where none is. Entities end and
        begin in other tokens. An entity is then there in every sequence that has it with some white
        space around it: these exclude each other, and their probabilities are added up.
        """
        if emissions.device.type == "cpu" and mask.numel() <= SMALL_BATCH:
            require_temperature(temperature)
            chain, scheme = self.arrays(), self.array_scheme
            found = None if space is None else space.numpy()
            numbers = emissions.double().numpy()
            spans, each = find_entities(numbers, mask.numpy(), chain, scheme, temperature, found)
            kept = torch.promote_types(emissions.dtype, torch.float32)
            return torch.from_numpy(spans), torch.from_numpy(each).to(kept)
        best = self.scheme.spans(self.decode(emissions, mask), mask)
        if space is None:
            return best, self.span_probabilities(emissions, mask, best, temperature)
        best = trim(best, space)
        wider, owner = widenings(best, space)
        parts = self.span_probabilities(emissions, mask, wider, temperature)
        return best, parts.new_zeros(len(best)).index_add_(0, owner, parts).clamp(max=1.0)

    def arrays(self) -> Chain:
        """The scores in numpy, -inf where the scheme forbids."""
        return Chain(
            *(scores.detach().double().cpu().numpy() for scores in self._scores(-torch.inf))
        )

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

    def marginals(
        self, emissions: torch.Tensor, mask: torch.Tensor, temperature: float = 1.0
    ) -> torch.Tensor:
        """`[batch, seq, tags]`: the posterior probability of each tag, zeros on padding."""
        return token_marginals(*self._scaled_scores(emissions, temperature), mask)

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
