"""Figures of a fitted classifier, before and after."""

from typing import Any, Dict, Mapping

from mtnlp.evaluation.category_calibration import task_figures
from mtnlp.training.category_fit import TaskFit
from mtnlp.training.kept_scores import KeptCategories


def category_figures(kept: KeptCategories, fits: Mapping[str, TaskFit]) -> Dict[str, Any]:
    """Figures of a fitted classifier on kept scores.

    Multi-label tasks are decided at the default threshold, without temperature ("default"), and
    with it at the one threshold fitted for all labels ("global") and at those of the labels ("per
    label"), where these were fitted.

    fits: by task. RETURNS: by task, of those in both, what `task_figures` does.
    """
    tasks = kept.tasks()
    before, after = kept.probabilities({}), kept.probabilities()
    found = {}
    for name, scores in tasks.items():
        if name not in fits:
            continue
        shared = fits[name].shared_threshold
        each = kept.pipe.label_thresholds[kept.pipe.columns[name]]
        found[name] = task_figures(
            *(before[name], after[name], scores.gold, scores.mask),
            keys=scores.keys,
            exclusive=scores.exclusive,
            default=kept.pipe.cfg["threshold"],
            thresholds={} if shared is None else {"global": shared, "per label": each},
        )
    return found
