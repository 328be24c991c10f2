"""Windows in one row without padding, against padded ones."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention
from transformers.file_utils import ModelOutput

from mtnlp.errors import MtnlpError
from mtnlp.models import packed_attention, window_groups
from mtnlp.models.adapters import LoRA
from mtnlp.models.doc_data import EncodedBatch
from mtnlp.models.packed_attention import WindowBounds, attend, is_padding_free, obstacle
from mtnlp.models.transformer import build_transformer_model_v1
from mtnlp.models.window_groups import fill_rows, positions_within
from mtnlp.models.wordpieces import WindowBatch
from tests.models.encoders import NO_DROPOUT, TEXTS, make_docs, make_encoder
from tests.tiny import SIZES, make_examples, make_nlp

PACKED = ["bert", "roberta", "xlm-r"]
# A single word, a single sign, texts of one and of many windows, padding's own name.
UNEQUAL = ["a", ".", *TEXTS, "It quotes <pad> and [PAD] .", "Ok"]
TOKENS = [1, 5, 1, 9, 3]


@pytest.fixture(params=PACKED)
def packed_backbone(request: Any, backbones: Dict[str, Path]) -> Path:
    return backbones[request.param]


def states(model: Any, texts: List[str] = UNEQUAL) -> Dict[str, np.ndarray]:
    """`[wordpieces, width]` by layer, of all texts."""
    datas = model.predict(make_docs(texts)).doc_data
    names = datas[0].model_output
    return {name: np.concatenate([d.model_output[name][0] for d in datas]) for name in names}


def assert_same(one: Dict[str, np.ndarray], other: Dict[str, np.ndarray], atol: float) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_allclose(value, other[name], atol=atol, err_msg=name)


@pytest.mark.parametrize("window", [0, 4, 16])
def test_hidden_states_are_those_of_padded_windows(packed_backbone: Path, window: int) -> None:
    found = [
        states(make_encoder(packed_backbone, layers=[0, 1], window=window, padding_free=setting))
        for setting in (True, False)
    ]
    assert set(found[0]) == {"last_hidden_state", "layer_0", "layer_1"}
    assert_same(*found, atol=1e-5)


def test_rows_of_a_batch(packed_backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More wordpieces than a row holds."""
    padded = states(make_encoder(packed_backbone))
    monkeypatch.setattr(window_groups, "ROW", 50)
    assert_same(states(make_encoder(packed_backbone, padding_free=True)), padded, 1e-5)


def test_texts_read_alone(packed_backbone: Path) -> None:
    model = make_encoder(packed_backbone, padding_free=True)
    together = states(model)["last_hidden_state"]
    alone = [states(model, [text])["last_hidden_state"] for text in UNEQUAL]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)


def test_in_threads(packed_backbone: Path) -> None:
    """What one thread attends to is no other's."""
    model = make_encoder(packed_backbone, padding_free=True)
    expected = [states(model, [text, TEXTS[5]]) for text in UNEQUAL]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: states(model, [text, TEXTS[5]]), UNEQUAL))
    for found, one in zip(together, expected, strict=True):
        assert_same(found, one, 1e-5)


def gradients(model: Any, passes: int = 1) -> Dict[str, np.ndarray]:
    output, backprop = model.begin_update(make_docs(UNEQUAL))
    random = torch.Generator().manual_seed(0)
    gradient = ModelOutput(
        (name, torch.randn(part.shape, generator=random))
        for name, part in output.model_output.items()
    )
    batch = EncodedBatch(output.spans, output.wordpieces, gradient, output.align)
    for number in range(passes):
        backprop(batch, retain_graph=number < passes - 1)
    found = model.transformer.named_parameters()
    return {name: p.grad.numpy().copy() for name, p in found if p.grad is not None}


@pytest.mark.parametrize("passes", [1, 2])
def test_gradients_are_those_of_padded_windows(packed_backbone: Path, passes: int) -> None:
    settings = {"layers": [1], "transformer_config": NO_DROPOUT}
    packed, padded = (
        gradients(make_encoder(packed_backbone, padding_free=setting, **settings), passes)
        for setting in (True, False)
    )
    assert len(packed) > 10 and any(np.abs(value).max() > 0.1 for value in packed.values())
    for name, value in padded.items():
        atol = 1e-4 * max(1.0, float(np.abs(value).max()))
        np.testing.assert_allclose(packed[name], value, atol=atol, err_msg=name)


def test_gradients_with_checkpoints(backbone: Path) -> None:
    """A part that runs again for its gradient attends as it did the first time."""
    found = []
    for checkpointing in (True, False):
        model = make_encoder(backbone, padding_free=True, transformer_config=NO_DROPOUT)
        if checkpointing:
            model.transformer.gradient_checkpointing_enable({"use_reentrant": False})
        found.append(gradients(model))
    assert_same(*found, atol=1e-4)


def test_gradients_of_an_adapter(backbone: Path) -> None:
    pytest.importorskip("peft")
    found = []
    for setting in (True, False):
        torch.manual_seed(0)  # an adapter begins with random numbers
        adapter = LoRA(rank=2, alpha=4.0, dropout=0.0, targets=["query", "value"])
        model = make_encoder(
            backbone, adapter=adapter, padding_free=setting, transformer_config=NO_DROPOUT
        )
        found.append(gradients(model))
    packed, padded = found
    assert packed and all("lora" in name for name in packed)
    assert any(np.abs(value).max() > 0.01 for value in packed.values())
    assert_same(packed, padded, 1e-4)


def test_training_with_dropout_on_attention(backbone: Path) -> None:
    model = make_encoder(backbone, padding_free=True, attention_dropout=0.5)
    one, other = gradients(model), gradients(model)
    assert any(not np.allclose(one[name], value) for name, value in other.items())


@pytest.mark.parametrize("family", ["distilbert", "llama"])
def test_other_encoders(backbones: Dict[str, Path], family: str) -> None:
    with pytest.raises(MtnlpError, match=r"E298.*(DistilBertModel|LlamaModel)"):
        make_encoder(backbones[family], padding_free=True).predict(make_docs())
    model = make_encoder(backbones[family])
    assert not is_padding_free("auto", model.transformer, is_bf16=True, is_train=False)
    model.predict(make_docs())


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"position_embedding_type": "relative_key"}, "relative_key"),
        ({"attn_implementation": "eager"}, "eager"),
        ({"is_decoder": True}, "decoder"),
    ],
)
def test_encoders_that_attend_otherwise(
    backbone: Path, settings: Dict[str, Any], reason: str
) -> None:
    model = make_encoder(backbone, transformer_config=settings, padding_free=True)
    assert reason in str(obstacle(model.transformer))
    with pytest.raises(MtnlpError, match=f"E298.*{reason}"):
        model.predict(make_docs())


def test_a_subclass_of_its_own(backbone: Path) -> None:
    """What another library does to BERT is not known."""

    class Other(transformers.BertModel):
        pass

    assert "Other" in str(obstacle(Other.from_pretrained(backbone)))


@pytest.mark.parametrize("kind", ["Camembert", "Roberta", "XLMRoberta", "Bert"])
def test_known_encoders(kind: str) -> None:
    config = getattr(transformers, f"{kind}Config")(vocab_size=20, **SIZES)
    assert obstacle(getattr(transformers, f"{kind}Model")(config)) is None


def test_a_mask_that_is_used_otherwise() -> None:
    bounds = WindowBounds.of([2, 3], torch.tensor([0, 2, 5]))
    with pytest.raises(MtnlpError, match=r"E298.*'add'"):
        torch.zeros(1, 1, 5, 5) + bounds
    with pytest.raises(MtnlpError, match="E298"):
        torch.all(bounds == 1)
    parts = (torch.zeros(1, 1, 5, 8),) * 3
    with pytest.raises(MtnlpError, match="E298"):
        scaled_dot_product_attention(*parts, bounds, is_causal=True)


def make_parts() -> List[torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return [torch.randn(1, 2, sum(TOKENS), 8, generator=random) for _ in range(3)]


def test_attention_is_that_of_a_block_diagonal_mask() -> None:
    window = torch.arange(len(TOKENS)).repeat_interleave(torch.tensor(TOKENS))
    mask = window[:, None] == window[None, :]
    bounds = WindowBounds.of(TOKENS, torch.tensor([0, *np.cumsum(TOKENS)]))
    parts = make_parts()
    found = scaled_dot_product_attention(*parts, attn_mask=bounds)
    torch.testing.assert_close(found, scaled_dot_product_attention(*parts, attn_mask=mask))


def test_what_the_kernel_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the kernel of a GPU, which is called as that is."""

    def kernel(
        query: Any,
        key: Any,
        value: Any,
        offsets: Any,
        key_offsets: Any,
        longest: int,
        longest_key: int,
    ) -> torch.Tensor:
        assert query.shape == key.shape == value.shape == (sum(TOKENS), 2, 8)
        assert offsets.dtype == torch.int32 and offsets is key_offsets
        assert offsets.tolist() == [0, *np.cumsum(TOKENS)]
        assert longest == longest_key == max(TOKENS) and type(longest) is int
        assert query.stride(-1) == 1
        steps = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        windows = [[part[a:b].transpose(0, 1) for part in (query, key, value)] for a, b in steps]
        return torch.cat([scaled_dot_product_attention(*w).transpose(0, 1) for w in windows])

    parts = make_parts()
    bounds = WindowBounds.of(TOKENS, torch.tensor([0, *np.cumsum(TOKENS)], dtype=torch.int32))
    expected = attend(*parts, bounds)
    monkeypatch.setattr(packed_attention, "find_kernel", lambda query: kernel)
    found = attend(*parts, bounds)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected)
    # It has neither dropout nor a scale of its own.
    monkeypatch.setattr(packed_attention, "find_kernel", lambda query: None)
    attend(*parts, bounds, dropout_p=0.5)


def test_the_kernel_takes_what_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's own, as far as it can be asked without a GPU: shapes, and a gradient."""
    varlen = pytest.importorskip("torch.nn.attention.varlen")
    monkeypatch.setattr(packed_attention, "find_kernel", lambda query: varlen.varlen_attn)
    size = (1, sum(TOKENS), 2, 8)
    whole = torch.empty(size, device="meta", dtype=torch.bfloat16, requires_grad=True)
    part = whole.transpose(1, 2)
    offsets = torch.empty(len(TOKENS) + 1, device="meta", dtype=torch.int32)
    found = attend(part, part, part, WindowBounds.of(TOKENS, offsets))
    assert found.shape == part.shape and found.dtype == torch.bfloat16
    # Encoders put the heads side by side, which is then no copy.
    assert found.transpose(1, 2).is_contiguous()
    found.sum().backward()
    assert whole.grad is not None and whole.grad.shape == size


def test_where_it_is_fast(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU, which is made up here."""
    encoder = make_encoder(backbone, attention_dropout=0.1).transformer
    exact = make_encoder(backbone, attention_dropout=0.0).transformer

    def asked(one: Any, is_bf16: bool = True, is_train: bool = False) -> bool:
        return is_padding_free("auto", one, is_bf16, is_train)

    assert not asked(encoder)  # a processor
    monkeypatch.setattr(packed_attention, "device_of", lambda encoder: torch.device("cuda"))
    assert not asked(encoder)  # no kernel
    monkeypatch.setattr(packed_attention, "flash_kernel", lambda: attend)
    assert asked(encoder) and asked(exact, is_train=True)
    assert not asked(encoder, is_bf16=False)
    assert not asked(encoder, is_train=True)  # dropout on attention
    assert not is_padding_free(False, encoder, True, False)
    encoder.config.num_attention_heads = 8  # heads 4 wide
    assert not asked(encoder)


def test_a_processor_pads(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*args: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("mtnlp.models.window_encoder.pack_windows", unexpected)
    for settings in ({}, {"precision": "bf16", "allow_slow": True}):
        make_encoder(backbone, **settings).predict(make_docs())


def test_a_saved_pipeline_keeps_the_setting(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner"], {"transformer": {"padding_free": True}})
    nlp.initialize(lambda: make_examples(nlp))
    loaded: Any = type(nlp).from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert loaded.get_pipe("transformer").model.padding_free is True
    assert make_nlp(backbone, []).config["components"]["transformer"]["model"]["padding_free"] == (
        "auto"
    )
    nlp.replace_listeners("transformer", "ner", ["model.tok2vec"])
    ner: Any = nlp.get_pipe("ner")
    own = [node for node in ner.model.walk() if hasattr(node, "padding_free")]
    assert [node.padding_free for node in own] == [True]
    assert own[0].copy().padding_free is True


@pytest.mark.parametrize("value", ["yes", "always", 1])
def test_no_such_setting(backbone: Path, value: Any) -> None:
    with pytest.raises(ValueError, match="padding_free"):
        make_nlp(backbone, [], {"transformer": {"padding_free": value}})
    with pytest.raises(MtnlpError, match=r"E330.*padding_free"):
        build_transformer_model_v1("any", padding_free=value)


windows = st.lists(st.integers(1, 30), min_size=1, max_size=40)


@given(windows, st.integers(1, 60))
def test_rows_hold_all_windows_in_order(lengths: List[int], row: int) -> None:
    rows = list(fill_rows(np.array(lengths), row))
    assert [i for first, stop in rows for i in range(first, stop)] == list(range(len(lengths)))
    for number, (first, stop) in enumerate(rows):
        size = sum(lengths[first:stop])
        assert size <= row or stop == first + 1
        if number + 1 < len(rows):
            assert size + lengths[stop] > row


@given(windows, st.sampled_from([None, 1]), st.randoms(use_true_random=False))
def test_positions_are_those_of_hugging_face(lengths: List[int], padding: Any, random: Any) -> None:
    ids = np.array([random.randrange(4) for _ in range(sum(lengths))])
    batch = WindowBatch(ids, np.array(lengths), [])
    rows = torch.from_numpy(ids).split(lengths)
    create = transformers.models.roberta.modeling_roberta.create_position_ids_from_input_ids
    for is_looked_up in (True, False):
        found = positions_within(batch, padding, is_looked_up)
        if padding is None:
            expected = [torch.arange(len(row)) for row in rows]
        elif is_looked_up:
            expected = [create(row[None], padding)[0] for row in rows]
        else:
            expected = [torch.arange(padding + 1, padding + 1 + len(row)) for row in rows]
        assert found.tolist() == torch.cat(expected).tolist()
