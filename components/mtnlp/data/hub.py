"""Datasets as the Hugging Face hub has them: rows of `datasets` into Records."""

from typing import Any, Callable, Mapping, Optional

from ..errors import DataError, Errors, MtnlpError
from .formats.bad_input import BadInput
from .formats.entry import HubSource
from .options import Splits

# The hub's names of splits, and ours.
_OUR_NAMES = {"train": "train", "validation": "dev", "test": "test"}

# (dataset, revision) to splits, each an iterable of rows.
Loader = Callable[[str, Optional[str]], Mapping[str, Any]]


def load(dataset: str, revision: Optional[str] = None) -> Mapping[str, Any]:
    """Fetches a dataset with the library `datasets`.

    Raises: MtnlpError when the library is not installed or the hub cannot be reached.
    """
    try:
        import datasets
    except ImportError:
        raise MtnlpError(Errors.E143) from None
    try:
        return datasets.load_dataset(dataset, revision=revision)
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise MtnlpError(Errors.E142.format(dataset=dataset, reason=reason)) from None


def read_hub(source: HubSource, on_bad: BadInput, loader: Loader = load) -> Splits:
    """A dataset's splits as Records; a bad row is reported by split and number.

    Raises: MtnlpError (E142, E143) when it cannot be fetched or lacks a split, DataError for a bad
        row, through `on_bad`.
    """
    of_hub = loader(source.dataset, source.revision)
    missing = [name for name in source.splits if name not in of_hub]
    if missing:
        reason = f"it has no split {', '.join(missing)}"
        raise MtnlpError(Errors.E142.format(dataset=source.dataset, reason=reason))
    splits: Splits = {}
    for name in source.splits:
        read = source.row_reader(of_hub[name])
        where = f"{source.dataset}/{name}"
        records = splits[_OUR_NAMES[name]] = []
        for number, row in enumerate(of_hub[name], start=1):
            left_out = source.left_out(row)
            if left_out is not None:
                on_bad.note(left_out)
                continue
            try:
                record = read(row)
            except DataError as error:
                on_bad.report(DataError(f"{where}:{number}: {error}"))
                continue
            record.meta.update(path=where, line=number)
            records.append(record)
    return splits
