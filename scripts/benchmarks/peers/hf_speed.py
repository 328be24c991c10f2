"""Hugging Face's Trainer as a contender of `pipeline_speed`: text classification."""

import time
from functools import partial
from typing import Any, Dict, List

import numpy as np
from spacy.training import Example
from transformers import DataCollatorWithPadding, Trainer
from transformers.utils import is_accelerate_available

from mtnlp.errors import Errors, MtnlpError
from mtnlp.models.attention_dropout import find_names
from scripts.benchmarks.peers.hf_text_classification import Texts, classifier, encode_texts
from scripts.benchmarks.peers.hf_trainer import (
    Recipe,
    load_tokenizer,
    predict_logits,
    training_arguments,
)
from scripts.benchmarks.pipeline_speed import PipelineContender, SpeedWorkload, Turn


class TrainerContender:
    """A classifier on the documents of one of our pipelines, trained by the Trainer at its best: by
    batches of similar length, with the fused AdamW, and with dropout on attention as ours."""

    name = "Trainer"

    def __init__(
        self,
        other: PipelineContender,
        task: str,
        backbone: str,
        batch_size: int,
        workload: SpeedWorkload,
        folder: str,
    ):
        """task: an exclusive task, whose labels are `doc.cats["task/LABEL"]`. batch_size: texts a
        step. folder: for the Trainer.

        Raises: MtnlpError: E510 without accelerate, E513 where no document has a label of `task`.
        """
        if not is_accelerate_available():
            raise MtnlpError(Errors.E510)
        recipe = Recipe(batch_size=batch_size, epochs=1, max_length=512, group_by_length=True)
        tokenizer = load_tokenizer(backbone)
        learn, test = to_texts(other.training, task), to_texts(other.test, task)
        labels = sorted(set(learn.labels))
        encode = partial(
            encode_texts, labels=labels, tokenizer=tokenizer, max_length=recipe.max_length
        )
        self.features, self.test = encode(learn), encode(test)
        self.lengths = words_read(learn, tokenizer, recipe.max_length)
        self.test_words = sum(words_read(test, tokenizer, recipe.max_length))
        self.count = min(workload.steps * batch_size, len(self.features))
        self.random = np.random.default_rng(recipe.seed)
        # To type checkers it is a stub without attributes, since accelerate is optional.
        self.trainer: Any = Trainer(
            model=classifier(backbone, labels, recipe.seed, **own_attention_dropout(other)),
            args=training_arguments(folder, 1e-4, recipe),
            data_collator=DataCollatorWithPadding(tokenizer),
        )

    def train(self) -> Turn:
        """One epoch over as many documents as the steps take, drawn anew, as the Trainer times
        it: without its preparations."""
        rows = self.random.permutation(len(self.features))[: self.count].tolist()
        self.trainer.train_dataset = [self.features[row] for row in rows]
        seconds = self.trainer.train().metrics["train_runtime"]
        return Turn(sum(self.lengths[row] for row in rows), seconds)

    def predict(self) -> Turn:
        """Logits of all test documents, cut into wordpieces beforehand, in batches of similar
        length."""
        begin = time.perf_counter()
        predict_logits(self.trainer, self.test)
        return Turn(self.test_words, time.perf_counter() - begin)


def words_read(texts: Texts, tokenizer: Any, max_length: int) -> List[int]:
    """Words of each text that are within its first wordpieces; the others are cut off."""
    encoded = tokenizer(texts.texts, add_special_tokens=True, truncation=False)["input_ids"]
    pairs = zip(texts.lengths, map(len, encoded), strict=True)
    return [round(words * min(1.0, max_length / pieces)) for words, pieces in pairs]


def own_attention_dropout(contender: PipelineContender) -> Dict[str, float]:
    """The setting of dropout on attention of a contender's encoder, by its name."""
    encoder: Any = contender.nlp.get_pipe("transformer").model  # type: ignore[attr-defined]
    config = encoder.transformer.config
    return {name: getattr(config, name) for name in find_names(config)}


def to_texts(examples: List[Example], task: str) -> Texts:
    """The texts and labels of examples that have a label of `task`.

    Raises: MtnlpError: E513 where there is none.
    """
    found = Texts()
    for example in examples:
        found.add(example.y, task)
    if not found.texts:
        raise MtnlpError(Errors.E513.format(path="the config's corpus", task=task))
    return found
