"""A random encoder of the default backbone's size, to time where the weights cannot be had."""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import List

import torch
import transformers
import typer

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app

# Of sentence-transformers/all-MiniLM-L6-v2.
WORDPIECES = 30522
SIZES = {
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_vocabulary(text: str) -> List[str]:
    """Its words and, for others, its letters, as wordpieces of BERT."""
    words = Counter(re.findall(r"\w+|[^\w\s]", text.lower()))
    letters = sorted(set("".join(words)))
    known = dict.fromkeys([*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *words])
    return list(known)[:WORDPIECES]


app = verb_app()


@app.command()
def main(
    output: Path = typer.Argument(..., help="The folder to write."),
    sample: Path = typer.Option(
        Path("corpus/sample"), exists=True, help="The words of its files are the vocabulary."
    ),
) -> None:
    """A random encoder of the default backbone's size: for its speed, not for its answers."""
    output.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in sample.rglob("*") if path.is_file())
    text = "\n".join(path.read_text(encoding="utf8", errors="ignore") for path in files)
    vocabulary = output / "vocab.txt"
    vocabulary.write_text("\n".join(make_vocabulary(text)), encoding="utf8")
    tokenizer = transformers.BertTokenizerFast(str(vocabulary), model_max_length=512)
    torch.manual_seed(0)
    config = transformers.BertConfig(vocab_size=WORDPIECES, **SIZES)
    tokenizer.save_pretrained(output)
    transformers.BertModel(config).save_pretrained(output)


if __name__ == "__main__":
    app()
