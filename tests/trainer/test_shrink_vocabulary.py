"""A smaller encoder of every family says what the whole one does."""

import json
from pathlib import Path
from typing import Any, List

import pytest
import safetensors.torch
import spacy
import torch
import transformers

from mtnlp.errors import MtnlpError
from mtnlp.models.wordpieces import find_special_tokens
from mtnlp.trainer import shrink_vocabulary as module
from mtnlp.trainer.shrink_vocabulary import shrink_vocabulary
from tests.data.corpora import flat, invoke
from tests.models.encoders import TEXTS, load_reference
from tests.tiny import SPECIAL, make_examples, make_nlp

SEEN = [TEXTS[0], TEXTS[1], TEXTS[4]]
FILES = {"config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json"}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for i, text in enumerate(SEEN):
        (folder / f"{i}.txt").write_text(text, encoding="utf8")
    return folder


def says(folder: Path, text: str) -> torch.Tensor:
    tokenizer, encoder = load_reference(folder)
    assert tokenizer.is_fast
    inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        return encoder(**inputs).last_hidden_state[0]


def test_it_says_the_same_of_the_texts(any_backbone: Path, texts: Path, tmp_path: Path) -> None:
    output = tmp_path / "small"
    done = shrink_vocabulary(str(any_backbone), output, [texts])
    assert {file.name for file in output.iterdir()} == {*FILES, "tokenizer_config.json"}
    assert {file.stat().st_mode for file in output.iterdir()} == {
        texts.joinpath("0.txt").stat().st_mode
    }
    assert done.texts == 3
    assert done.after.pieces == sum(done.kept.values()) < done.before.pieces
    for text in SEEN:
        torch.testing.assert_close(says(output, text), says(any_backbone, text), atol=1e-6, rtol=0)
    old, before = load_reference(any_backbone)
    new, after = load_reference(output)
    assert after.config.vocab_size == len(new) == done.after.pieces
    assert len(after.get_input_embeddings().weight) == done.after.pieces
    assert new.special_tokens_map == old.special_tokens_map
    assert new.model_max_length == old.model_max_length
    assert new.model_input_names == old.model_input_names
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        one, other = getattr(before.config, name), getattr(after.config, name)
        # The default of a config may be no piece of a tokenizer at all.
        if one is not None and one < len(old):
            assert new.convert_ids_to_tokens(other) == old.convert_ids_to_tokens(one)
    saved = done.before.parameters - done.after.parameters
    assert saved == (done.before.pieces - done.after.pieces) * before.config.hidden_size
    strings = [
        tokenizer.convert_ids_to_tokens([*special.prefix, *special.suffix])
        for tokenizer, special in ((old, find_special_tokens(old)), (new, find_special_tokens(new)))
    ]
    assert strings[0] == strings[1]


def test_a_pipeline_is_trained_on_it_and_saved(
    any_backbone: Path, texts: Path, tmp_path: Path
) -> None:
    output = tmp_path / "small"
    shrink_vocabulary(str(any_backbone), output, [texts])
    nlp = make_nlp(output, ["ner", "sentence_vectors"])
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert loaded(TEXTS[0]).vector.tolist() == pytest.approx(nlp(TEXTS[0]).vector.tolist())


def test_an_alphabet_is_enough(any_backbone: Path, tmp_path: Path) -> None:
    output = tmp_path / "russian"
    done = shrink_vocabulary(str(any_backbone), output, alphabets=["cyrillic"])
    assert done.texts == 0
    assert done.after.pieces < done.before.pieces
    torch.testing.assert_close(
        says(output, TEXTS[4]), says(any_backbone, TEXTS[4]), atol=1e-6, rtol=0
    )


def test_held_out_texts_are_compared(backbone: Path, texts: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "1.txt").write_text(TEXTS[0], encoding="utf8")
    (tmp_path / "more" / "2.txt").write_text("Щука Щука", encoding="utf8")
    (tmp_path / "more" / "2.ann").write_text("", encoding="utf8")
    output, check = tmp_path / "small", [tmp_path / "more"]
    done = shrink_vocabulary(str(backbone), output, [texts / "0.txt"], check=check)
    assert done.check is not None
    assert (done.check.texts, done.check.same) == (2, 1)
    assert done.check.new_unknown == done.check.unknown + 2
    assert done.left_out == {".ann": 1}
    # Nothing of them is kept.
    assert "щ" not in load_reference(output)[0].get_vocab()


def test_weights_keep_their_type(backbone: Path, texts: Path, tmp_path: Path) -> None:
    tokenizer, encoder = load_reference(backbone)
    encoder.half().save_pretrained(tmp_path / "half")
    tokenizer.save_pretrained(tmp_path / "half")
    done = shrink_vocabulary(str(tmp_path / "half"), tmp_path / "small", [texts])
    weights = safetensors.torch.load_file(tmp_path / "small" / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert done.after.weights < done.before.weights < done.before.files


def test_shards_are_joined(backbone: Path, texts: Path, tmp_path: Path) -> None:
    tokenizer, encoder = load_reference(backbone)
    encoder.save_pretrained(tmp_path / "shards", max_shard_size="50KB")
    tokenizer.save_pretrained(tmp_path / "shards")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 1
    shrink_vocabulary(str(tmp_path / "shards"), tmp_path / "small", [texts])
    torch.testing.assert_close(
        says(tmp_path / "small", TEXTS[0]), says(backbone, TEXTS[0]), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("family, head", [("bert", "cls."), ("roberta", "lm_head.")])
def test_the_head_of_a_language_model_is_left_out(
    backbones: Any, texts: Path, tmp_path: Path, family: str, head: str
) -> None:
    tokenizer, encoder = load_reference(backbones[family])
    whole: Any = transformers.AutoModelForMaskedLM.from_config(encoder.config)
    whole.save_pretrained(tmp_path / "whole")
    tokenizer.save_pretrained(tmp_path / "whole")
    done = shrink_vocabulary(str(tmp_path / "whole"), tmp_path / "small", [texts])
    assert done.heads and all(name.startswith(head) for name in done.heads)
    torch.testing.assert_close(
        says(tmp_path / "small", TEXTS[0]), says(tmp_path / "whole", TEXTS[0]), atol=1e-6, rtol=0
    )


def save_late_padding(folder: Path, model: Any) -> None:
    """A tokenizer whose padding stands behind pieces that nobody needs, and an encoder for it."""
    pieces = ["q##", "z##", *SPECIAL, "ok"]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf8")
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    model.save_pretrained(folder)


@pytest.mark.parametrize("kind", ["Roberta", "Bert"])
def test_positions_counted_from_the_padding_stay(tmp_path: Path, kind: str) -> None:
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=16,
        max_position_embeddings=20,
        pad_token_id=2,
    )
    save_late_padding(tmp_path / "whole", getattr(transformers, f"{kind}Model")(config))
    (tmp_path / "ok.txt").write_text("ok ok", encoding="utf8")
    shrink_vocabulary(str(tmp_path / "whole"), tmp_path / "small", [tmp_path / "ok.txt"])
    torch.testing.assert_close(
        says(tmp_path / "small", "ok ok"), says(tmp_path / "whole", "ok ok"), atol=1e-6, rtol=0
    )
    small = transformers.AutoConfig.from_pretrained(tmp_path / "small")
    assert (small.pad_token_id, small.vocab_size) == ((2, 8) if kind == "Roberta" else (0, 6))


def test_sentence_transformers_files_go_along(backbone: Path, texts: Path, tmp_path: Path) -> None:
    tokenizer, encoder = load_reference(backbone)
    encoder.save_pretrained(tmp_path / "whole")
    tokenizer.save_pretrained(tmp_path / "whole")
    (tmp_path / "whole" / "1_Pooling").mkdir()
    for name in ("modules.json", "1_Pooling/config.json"):
        (tmp_path / "whole" / name).write_text("{}", encoding="utf8")
    shrink_vocabulary(str(tmp_path / "whole"), tmp_path / "small", [texts])
    assert (tmp_path / "small" / "modules.json").is_file()
    assert (tmp_path / "small" / "1_Pooling" / "config.json").is_file()


def test_texts_that_would_be_cut_otherwise_stop_it(
    backbone: Path, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "pieces_of_texts", lambda *arguments: set())
    with pytest.raises(MtnlpError, match=r"E466.* 3 of 3 texts"):
        shrink_vocabulary(str(backbone), tmp_path / "small", [texts])
    assert not (tmp_path / "small").exists()


def test_weights_of_another_vocabulary(backbone: Path, texts: Path, tmp_path: Path) -> None:
    tokenizer, encoder = load_reference(backbone)
    encoder.resize_token_embeddings(20)
    encoder.save_pretrained(tmp_path / "whole")
    tokenizer.save_pretrained(tmp_path / "whole")
    with pytest.raises(MtnlpError, match=r"E283.*20 rows"):
        shrink_vocabulary(str(tmp_path / "whole"), tmp_path / "small", [texts])


def test_nothing_to_keep(backbone: Path, tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match="E282"):
        shrink_vocabulary(str(backbone), tmp_path / "small")


@pytest.mark.parametrize("output", ["other", "whole"])
def test_folders_that_would_be_lost(texts: Path, tmp_path: Path, output: str) -> None:
    for name, file in (("other", "notes.txt"), ("whole", "config.json")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("{}", encoding="utf8")
    with pytest.raises(MtnlpError, match=r"E144.*--output"):
        shrink_vocabulary(str(tmp_path / "whole"), tmp_path / output, [texts])


def run(*arguments: Any) -> List[str]:
    result = invoke("shrink-vocabulary", *map(str, arguments))
    return [str(result.exit_code), flat(result.output)]


def test_the_command(backbone: Path, texts: Path, tmp_path: Path) -> None:
    (texts / "0.ann").write_text("", encoding="utf8")
    output = tmp_path / "small"
    code, shown = run(
        backbone, "--texts", texts, "--alphabet", "Cyrillic, latin", "--check", texts / "0.txt",
        "--output", output,
    )  # fmt: skip
    assert code == "0"
    for part in ("Pieces kept", "alphabets", "Texts held out", "parameters", "1 .ann"):
        assert part in shown
    assert f"{output}. All 3 texts are cut as before" in shown
    config = json.loads((output / "config.json").read_text(encoding="utf8"))
    assert f"{config['vocab_size']:,}" in shown


def test_the_command_explains_itself(backbone: Path, tmp_path: Path) -> None:
    code, shown = run(backbone, "--output", tmp_path / "small")
    assert code == "1" and "E282" in shown
    code, shown = run(backbone, "--texts", tmp_path / "rows.jsonl", "--output", tmp_path / "small")
    assert code == "1" and "E464" in shown and "mtnlp convert" in shown
