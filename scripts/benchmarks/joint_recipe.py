"""Configs by the rule of `mtnlp init`: corpora together, and each alone, for as many epochs.

    python scripts/benchmarks/joint_recipe.py corpus imdb conll multinerd --epochs 3 --output DIR

Writes `joint.cfg` and `NAME.cfg` for each corpus, to be trained by `mtnlp train DIR/joint.cfg` and
scored by `spacy evaluate MODEL corpus/test`.
"""

import argparse
from pathlib import Path

from thinc.api import Config

from mtnlp.data.statistics import WordpieceCounter
from mtnlp.files import write_text
from mtnlp.recipes.config import write_config
from mtnlp.recipes.overrides import Overrides
from mtnlp.recipes.profiling import profile_corpus, profile_encoder
from mtnlp.recipes.rule import choose_recipe


def main() -> None:
    """Write the configs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="the folder with train/, dev/ and test/")
    parser.add_argument("names", nargs="+", help="the corpora in it")
    parser.add_argument("--epochs", type=int, help="of every config; by default the rule's")
    parser.add_argument("--encoder", default="assets/backbone/all-MiniLM-L6-v2")
    parser.add_argument("--language", default="en")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    counter, encoder = WordpieceCounter(arguments.encoder), profile_encoder(arguments.encoder)
    corpus = arguments.corpus.resolve()
    profiles = {
        name: profile_corpus(corpus, name, counter, arguments.language) for name in arguments.names
    }
    groups = {"joint": arguments.names, **{name: [name] for name in arguments.names}}
    for title, names in groups.items():
        chosen = {name: profiles[name] for name in names}
        recipe = choose_recipe(chosen, encoder, "cpu", Overrides(epochs=arguments.epochs))
        config = Config().from_str(write_config(recipe, names, encoder), interpolate=False)
        config["paths"]["corpus"] = str(corpus)
        # The last weights are scored: one look at dev, at the end.
        config["training"]["eval_frequency"] = 100_000
        config["initialize"]["before_init"].pop("evaluations", None)
        write_text(arguments.output / f"{title}.cfg", config.to_str(interpolate=False))
        print(f"{title}: {recipe.batch} wordpieces, rate {recipe.rate:g}, {recipe.epochs} epochs")


if __name__ == "__main__":
    main()
