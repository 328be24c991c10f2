from mtnlp.evaluation.spans import document_counts, span_metrics


def test_overlapping_spans() -> None:
    gold = [{(0, 4, "A"), (1, 2, "A"), (1, 2, "B")}, set()]
    predicted = [{(0, 4, "A"), (1, 2, "B"), (0, 2, "C")}, {(0, 1, "A")}]
    metrics = span_metrics(gold, predicted)
    assert metrics["entities"] == 3
    assert metrics["micro"] == {"p": 0.5, "r": 2 / 3, "f": 4 / 7}
    assert metrics["per_type"]["A"] == {"p": 0.5, "r": 0.5, "f": 0.5, "support": 2}
    assert metrics["per_type"]["C"]["support"] == 0
    assert metrics["macro"]["f"] == (0.5 + 1.0 + 0.0) / 3
    assert document_counts(gold, predicted).tolist() == [[2, 1, 1], [0, 1, 0]]


def test_no_documents() -> None:
    assert span_metrics([], [])["macro"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert document_counts([], []).shape == (0, 3)
