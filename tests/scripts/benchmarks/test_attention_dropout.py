"""The benchmark of dropout on attention runs, on as many wordpieces as it says."""

from pathlib import Path

from mtnlp.models.precision import CPU, has_bf16
from mtnlp.models.transformer import build_transformer_model_v1
from scripts.benchmarks.attention_dropout import dropout_table, random_docs


def test_a_row_per_window_and_precision(backbone: Path) -> None:
    table = dropout_table([str(backbone)], [16, 32], pieces=40, repeats=1)
    precisions = ["fp32", "bf16"] if has_bf16(CPU) else ["fp32"]
    assert [row[1:3] for row in table.rows] == [
        [window, precision] for window in (16, 32) for precision in precisions
    ]
    assert all(row[3] > 0 and row[4] > 0 for row in table.rows)


def test_a_step_has_the_pieces_it_says(backbone: Path) -> None:
    model = build_transformer_model_v1(str(backbone))
    model.initialize()
    (doc,) = random_docs(model.tokenizer, 40, seed=0)
    assert len(doc) == 40
    assert len(model.tokenizer(doc.text, add_special_tokens=False)["input_ids"]) == 40
