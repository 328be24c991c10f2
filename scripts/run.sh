#!/usr/bin/env bash
# The project's steps as shell verbs. Overrides go behind the verb:
#   scripts/run.sh all --vars.training " --training.max_epochs 3"
set -euo pipefail

usage() {
    cat <<EOF
Usage: scripts/run.sh prepare|train|evaluate|all [--vars.NAME VALUE ...]

  prepare   fetch the encoder, convert the corpora, count them
  train     fit the config to the corpora, train the joint pipeline
  evaluate  score it
  all       everything, then package the model and try it in a new environment

PYTHON names the interpreter (default: .venv/bin/python if there is one, else python).
EOF
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${PYTHON:-}" ]; then
    if [ -x .venv/bin/python ]; then PYTHON=.venv/bin/python; else PYTHON=python; fi
fi

verb="${1:-}"
[ $# -gt 0 ] && shift
case "$verb" in
    prepare) steps=(backbone convert-imdb convert-conll convert-nerel convert-multinerd stats) ;;
    train) steps=(recipe train) ;;
    evaluate | all) steps=("$verb") ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

for step in "${steps[@]}"; do
    "$PYTHON" -m spacy project run "$step" . "$@"
done
