"""Tiny random encoders of every family, built on the spot, and a small mixed corpus."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import sentencepiece
import spacy
import tokenizers
import torch
import transformers
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

SAMPLE = Path(__file__).parents[1] / "corpus" / "sample"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
HIDDEN = 32
SIZES = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
# The longest sequence of each family, special tokens included.
LIMITS = {"bert": 64, "roberta": 128, "distilbert": 64, "xlm-r": 96, "llama": 128}
FAMILIES = list(LIMITS)
PIPES = ("ner", "fine_ner", "nested_ner", "textcat", "events", "sentence_vectors")


def training_texts() -> List[str]:
    """What the vocabularies are trained on: English and Russian."""
    files = sorted(SAMPLE.glob("nerel/train/*.txt"))[:6] + sorted(SAMPLE.glob("nerel_ru/*/*.txt"))
    return [line for path in files for line in path.read_text(encoding="utf8").splitlines()]


def make_backbone(family: str, folder: Path) -> Path:
    """Build and save a random encoder with a tokenizer of its family.

    family: one of FAMILIES. folder: where `from_pretrained` will find it. Returns: the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    tokenizer, model = BUILDERS[family](folder)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def build_bert(folder: Path) -> Tuple[Any, Any]:
    tokenizer = transformers.BertTokenizerFast(str(train_wordpieces(folder)), model_max_length=64)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=LIMITS["bert"], **SIZES
    )
    return tokenizer, transformers.BertModel(config)


def build_distilbert(folder: Path) -> Tuple[Any, Any]:
    tokenizer = transformers.DistilBertTokenizerFast(str(train_wordpieces(folder)))
    config = transformers.DistilBertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LIMITS["distilbert"],
        dim=HIDDEN,
        n_layers=2,
        n_heads=2,
        hidden_dim=64,
    )
    return tokenizer, transformers.DistilBertModel(config)


def build_roberta(folder: Path) -> Tuple[Any, Any]:
    vocab, merges = train_bytes(folder, ROBERTA_SPECIAL)
    tokenizer = transformers.RobertaTokenizerFast(str(vocab), str(merges))
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer),
        # Positions are counted from behind the padding index.
        max_position_embeddings=LIMITS["roberta"] + 2,
        pad_token_id=1,
        type_vocab_size=1,
        **SIZES,
    )
    return tokenizer, transformers.RobertaModel(config)


def build_xlm_r(folder: Path) -> Tuple[Any, Any]:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(training_texts()),
        model_prefix=str(folder / "sentencepiece.bpe"),
        vocab_size=500,
        character_coverage=1.0,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    tokenizer = transformers.XLMRobertaTokenizerFast(str(folder / "sentencepiece.bpe.model"))
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LIMITS["xlm-r"] + 2,
        pad_token_id=1,
        type_vocab_size=1,
        **SIZES,
    )
    return tokenizer, transformers.XLMRobertaModel(config)


def build_llama(folder: Path) -> Tuple[Any, Any]:
    """A decoder: a byte-level tokenizer with a begin token and neither end nor padding."""
    vocab, merges = train_bytes(folder, ["<s>", "</s>"])
    inner = tokenizers.ByteLevelBPETokenizer(str(vocab), str(merges))
    begin = inner.token_to_id("<s>")
    inner._tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", begin)]
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner._tokenizer, bos_token="<s>", eos_token="</s>"
    )
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LIMITS["llama"],
        bos_token_id=begin,
        eos_token_id=inner.token_to_id("</s>"),
        **SIZES,
    )
    return tokenizer, transformers.LlamaModel(config)


BUILDERS: Dict[str, Callable[[Path], Tuple[Any, Any]]] = {
    "bert": build_bert,
    "roberta": build_roberta,
    "distilbert": build_distilbert,
    "xlm-r": build_xlm_r,
    "llama": build_llama,
}


def train_wordpieces(folder: Path) -> Path:
    """Letters and frequent words. The library's trainer breaks ties by chance, so that every run
    of the tests would have other weights for other wordpieces."""
    words = Counter(re.findall(r"\w+|[^\w\s]", " ".join(training_texts()).lower()))
    letters = sorted(set("".join(words)))
    frequent = sorted(words, key=lambda word: (-words[word], word))[:400]
    vocab = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *frequent]
    path = folder / "vocab.txt"
    path.write_text("\n".join(dict.fromkeys(vocab)), encoding="utf8")
    return path


def train_bytes(folder: Path, special: List[str]) -> Tuple[Path, Path]:
    trainer = tokenizers.ByteLevelBPETokenizer()
    trainer.train_from_iterator(
        training_texts(),
        vocab_size=600,
        min_frequency=1,
        special_tokens=special,
        show_progress=False,
    )
    vocab, merges = trainer.save_model(str(folder))
    return Path(vocab), Path(merges)


def make_nlp(
    backbone: Path,
    pipes: Sequence[str] = PIPES,
    configs: Optional[Dict[str, Dict[str, Any]]] = None,
) -> Language:
    """A blank English pipeline over an encoder.

    pipes: names of components: those of PIPES, or factories. configs: a component's further
    settings, merged into the defaults; "transformer" for those of the encoder's model.
    """
    configs = configs or {}
    nlp = spacy.blank("en")
    model = {"@architectures": "mtnlp.TransformerModel.v1", "name": str(backbone)}
    nlp.add_pipe("transformer", config={"model": {**model, **configs.get("transformer", {})}})
    for name in pipes:
        factory, config = SETTINGS.get(name, (name, {}))
        nlp.add_pipe(factory, name=name, config={**config, **configs.get(name, {})})
    return nlp


SETTINGS: Dict[str, Tuple[str, Dict[str, Any]]] = {
    "ner": ("crf_ner", {}),
    "fine_ner": ("crf_ner", {"spans_key": "multinerd"}),
    "nested_ner": ("span_ner", {"spans_key": "nerel", "model": {"scorer": {"hidden": 32}}}),
    "textcat": ("multitask_textcat", {"tasks": {"sentiment": {"exclusive": True}}}),
    "events": ("event_textcat", {}),
}


def make_example(
    nlp: Language,
    text: str,
    ents: Optional[Sequence[Tuple[int, int, str]]] = None,
    spans: Optional[Sequence[Tuple[int, int, str]]] = None,
    cats: Optional[Dict[str, float]] = None,
    missing: Sequence[int] = (),
    key: str = "multinerd",
) -> Example:
    """An Example whose layers are annotated where given.

    text: tokens separated by single spaces. ents, spans: (start, end, label) in tokens.
    missing: tokens whose entity annotation is unknown.
    """
    words = text.split(" ")
    reference = Doc(nlp.vocab, words=words)
    if ents is not None:
        reference.set_ents(
            [Span(reference, start, end, label) for start, end, label in ents],
            missing=[reference[i : i + 1] for i in missing],
            default="outside",
        )
    if spans is not None:
        reference.spans[key] = [Span(reference, start, end, label) for start, end, label in spans]
    reference.cats = cats or {}
    return Example(Doc(nlp.vocab, words=words), reference)


def make_examples(nlp: Language) -> List[Example]:
    """A mixed corpus: Docs annotated with entities only, with spans["multinerd"] only, with
    nested spans["nerel"] only, with the task `sentiment` only, with the task `event` only; one with
    some tokens' entities unknown, one with entities annotated and none there."""
    positive = {"sentiment/positive": 1.0, "sentiment/negative": 0.0}
    negative = {"sentiment/positive": 0.0, "sentiment/negative": 1.0}
    death = {"event/DEATH": 1.0, "event/BIRTH": 0.0}
    birth = {"event/DEATH": 0.0, "event/BIRTH": 1.0}
    nested = [(1, 5, "ORG"), (3, 5, "CITY")]
    return [
        make_example(nlp, "Anna Keller flew to Paris .", ents=[(0, 2, "PER"), (4, 5, "LOC")]),
        make_example(nlp, "Nothing happened there .", ents=[]),
        make_example(
            nlp, "Paris welcomed Anna and Tom .", ents=[(0, 1, "LOC"), (2, 3, "PER")], missing=[4]
        ),
        make_example(nlp, "I saw a red fox near Rome .", spans=[(3, 5, "ANIM"), (6, 7, "LOC")]),
        make_example(nlp, "The grey wolf slept .", spans=[(1, 3, "ANIM")]),
        make_example(nlp, "What a great film .", cats=positive),
        make_example(nlp, "A terrible film , truly awful .", cats=negative),
        make_example(nlp, "He died in Rome .", cats=death),
        make_example(nlp, "She was born in a small town in 1950 .", cats=birth),
        make_example(nlp, "The Bank of New York fell .", spans=nested, key="nerel"),
        make_example(nlp, "It stood in New York .", spans=[(3, 5, "CITY")], key="nerel"),
    ]
