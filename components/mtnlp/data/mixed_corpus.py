"""Several DocBin corpora read as one: the reader behind joint training.

```
[corpora.train]
@readers = "mtnlp.MixedCorpus.v1"
seed = 0
sampling = "power"
alpha = 0.5

[corpora.train.corpora.conll]
path = "corpus/train/conll.spacy"

[corpora.train.corpora.wikineural]
path = "corpus/train/wikineural.spacy"
weight = 0.5
limit = 3000
ents_to = "multinerd"
```
"""

from itertools import chain, repeat
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Union

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..errors import Errors, MtnlpError
from .corpus_settings import CorpusSettings, is_number
from .docbin_stream import LoadedCorpus, StreamedCorpus
from .reading import same_words
from .sampling import (
    POWER,
    PROPORTIONAL,
    ROUND_ROBIN,
    SAMPLINGS,
    count_epoch,
    draw_order,
    round_robin,
    seeded,
)
from .taught import check_student


def create_mixed_corpus_v1(
    corpora: Dict[str, Dict[str, Any]],
    seed: int = 0,
    shuffle: bool = True,
    gold_tokens: bool = True,
    sampling: str = PROPORTIONAL,
    alpha: float = 0.5,
    stream: bool = False,
    buffer: int = 2000,
) -> Callable[[Language], Iterable[Example]]:
    """Creates the reader `mtnlp.MixedCorpus.v1`. See `MixedCorpus` and, for the settings of one
    corpus, `CorpusSettings`.

    Raises: MtnlpError for unknown or impossible settings. Files are opened at the first call.
    """
    return MixedCorpus(
        [CorpusSettings.from_config(name, settings) for name, settings in corpora.items()],
        seed=seed,
        shuffle=shuffle,
        gold_tokens=gold_tokens,
        sampling=sampling,
        alpha=alpha,
        stream=stream,
        buffer=buffer,
    )


# Samplings that had another name.
FORMER_NAMES = {"temperature": POWER}


class MixedCorpus:
    """Yields the documents of several corpora in one shuffled, finite epoch per call.

    Every call is the next epoch: other documents where some are drawn, another order, and both
    follow from `seed` and `epoch` alone. All epochs have as many documents of each corpus. Each
    Example's `reference` is a document of the file, its layers mapped; what it lacks (`ents`, a
    spans key, `cats`, tags) stays missing. `predicted` carries tokens only: no sentence starts, no
    annotation. Empty documents are left out. With `shuffle=False` corpora come in the order of the
    config, documents in that of the file, as development data may want.

    What an epoch is goes by `sampling`; n is a corpus' documents (its limit where that is less):

    - `proportional`: `weight * n` documents of each corpus, rounded: all of them as often as the
      weight has whole parts, and for its fraction a random part, drawn anew each epoch.
    - `power`: as many documents in all, in the shares `weight * n ** alpha`. Each corpus is
      an endless sequence of rounds, each shuffled anew: no document comes again before the round
      is through, and an epoch goes on where the one before stopped, so that all are seen.
    - `uniform`: the same with the shares `weight`, so without weights equal ones.
    - `round_robin`: `weight` documents of each corpus in turn (1, or another whole number), until
      the corpus that needs most turns is through; shorter ones begin their next round meanwhile.

    spaCy's loop calls the reader at initialisation (once or more for each component) and then,
    with `max_epochs` of 0 or more, exactly once for the whole training: what that call draws
    stays, spaCy keeps the Examples and shuffles them itself before each epoch (so turns are lost,
    too). With `max_epochs = -1` every epoch is a call, each with its own draw and order;
    initialisation then sees 100 documents, so labels must be given in `[initialize]`, and only
    `max_steps` and `patience` end the training (`mtnlp.FitSchedule.v1` sets the former).

    A corpus may have `taught`, what teachers believe of its documents: each `reference` then
    carries that (`mtnlp.gold.opinions.opinions_of`), read from the file when a component asks.

    Documents are read once for a vocab and kept; references are shared by all epochs and must
    not be written to. With `stream` they are not kept, and a corpus should be a folder of several
    .spacy files (`mtnlp.data.docbin.write_shards`): of each corpus one file (its arrays) and
    `buffer` Docs are in memory. Shards come in another order each round, then the buffer shuffles;
    corpora are mixed document by document. All samplings go on where the epoch before stopped. The
    first call counts the documents, which reads every file once. spaCy streams too only with
    `max_epochs = -1`; the vocab grows with the words that are seen.

    seed: of the limits' samples, the draws and the order.
    gold_tokens: `predicted` has the reference's tokens and spaces; False tokenizes the
        reference's text with `nlp.make_doc` (not possible, so not done, where the document does
        not know its spaces).
    sampling: one of the four above; `temperature` is read as `power`, which was its name.
    alpha: 0 to 1, of `power` alone; 1 is by size. Arivazhagan et al. 2019 call 1 / alpha the
        temperature of sampling.
    stream: read as described. buffer: documents per corpus, of `stream` alone.
    epoch: the number of epochs begun. May be set, to go on where an earlier run stopped.
    """

    def __init__(
        self,
        corpora: List[CorpusSettings],
        *,
        seed: int = 0,
        shuffle: bool = True,
        gold_tokens: bool = True,
        sampling: str = PROPORTIONAL,
        alpha: float = 0.5,
        stream: bool = False,
        buffer: int = 2000,
    ) -> None:
        sampling = FORMER_NAMES.get(sampling, sampling)
        self.corpora = [corpus for corpus in corpora if corpus.weight > 0]
        if not self.corpora:
            raise MtnlpError(Errors.E197)
        _check("sampling", sampling, sampling in SAMPLINGS, "one of " + ", ".join(SAMPLINGS))
        _check("alpha", alpha, is_number(alpha, (int, float)) and alpha <= 1, "0 to 1")
        _check("buffer", buffer, is_number(buffer, (int,)) and buffer > 0, "1 or more")
        for corpus in self.corpora:
            if sampling == ROUND_ROBIN and corpus.weight != int(corpus.weight):
                form = f"a whole number, as sampling is '{ROUND_ROBIN}'"
                raise MtnlpError(
                    Errors.E192.format(
                        name=corpus.name, option="weight", value=corpus.weight, form=form
                    )
                )
        self.seed = seed
        self.shuffle = shuffle
        self.gold_tokens = gold_tokens
        self.sampling = sampling
        self.alpha = alpha
        self.stream = stream
        self.buffer = buffer
        self.epoch = 0
        self._vocab: Optional[Vocab] = None
        self._opened: List[Union[LoadedCorpus, StreamedCorpus]] = []

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Begins the next epoch: one Example per document, made as it is asked for.

        Raises: MtnlpError for a missing, empty or wrongly mapped corpus and for opinions that no
            component of the pipeline learns from (E745), DataError for a broken file and for
            opinions on other documents; both at the call, before the first Example. What only
            reading a streamed document shows is raised when it is asked for.
        """
        self._read(nlp)
        for corpus in self._opened:
            for file in corpus.opinions:
                check_student(nlp, file.heads)
        epoch = self.epoch
        self.epoch += 1
        return (self._make_example(nlp, reference) for reference in self._references(epoch))

    def _read(self, nlp: Language) -> None:
        if self._vocab is not nlp.vocab:
            corpora = [corpus.for_pipeline(nlp) for corpus in self.corpora]
            self._opened = [self._open(corpus, nlp.vocab) for corpus in corpora]
            self._vocab = nlp.vocab

    def _open(self, settings: CorpusSettings, vocab: Vocab) -> Union[LoadedCorpus, StreamedCorpus]:
        if self.stream:
            return StreamedCorpus(settings, vocab, self.seed, self.shuffle, self.buffer)
        return LoadedCorpus(settings, vocab, self.seed, self.shuffle)

    def _references(self, epoch: int) -> Iterator[Doc]:
        weights = [corpus.weight for corpus in self.corpora]
        sizes = [len(corpus) for corpus in self._opened]
        counts = count_epoch(self.sampling, sizes, weights, self.alpha)
        planned = list(zip(self._opened, counts, strict=True))
        if self.sampling == PROPORTIONAL:
            docs = [corpus.draw(count, epoch) for corpus, count in planned]
            if self.shuffle and not self.stream:
                references = list(chain.from_iterable(docs))
                seeded(self.seed, "order", epoch).shuffle(references)
                return iter(references)
        else:
            docs = [corpus.take(epoch * count, (epoch + 1) * count) for corpus, count in planned]
        return (next(docs[number]) for number in self._order(counts, weights, epoch))

    def _order(self, counts: List[int], weights: List[float], epoch: int) -> Iterator[int]:
        """Which corpus the next document is from."""
        if self.sampling == ROUND_ROBIN:
            return round_robin(counts, weights)
        if self.shuffle:
            return draw_order(counts, seeded(self.seed, "mix", epoch))
        return chain.from_iterable(repeat(number, count) for number, count in enumerate(counts))

    def _make_example(self, nlp: Language, reference: Doc) -> Example:
        if not self.gold_tokens and not reference.has_unknown_spaces:
            return Example(nlp.make_doc(reference.text), reference)
        return Example(same_words(nlp.vocab, reference), reference)


def _check(option: str, value: Any, right: bool, form: str) -> None:
    if not right:
        raise MtnlpError(Errors.E160.format(option=option, value=value, form=form))
