#!/usr/bin/env bash
# TensorBoard on the curves of mtnlp.TensorBoardLogger.v1.
set -euo pipefail

usage() {
    cat <<EOF
Usage: scripts/tensorboard.sh [DIR]

  DIR   a log_dir, or a folder of several (default: training)

PORT is the port (default: 6006), HOST the address to listen on (default: localhost).
PYTHON names the interpreter (default: .venv/bin/python if there is one, else python).
EOF
}

case "${1:-}" in
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
esac

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
folder="${1:-$root/training}"
if [ ! -d "$folder" ]; then
    echo "No folder $folder: train with mtnlp.TensorBoardLogger.v1 first, or name its log_dir." >&2
    exit 1
fi
if [ -z "${PYTHON:-}" ]; then
    if [ -x "$root/.venv/bin/python" ]; then PYTHON="$root/.venv/bin/python"; else PYTHON=python; fi
fi

exec "$PYTHON" -m tensorboard.main --logdir "$folder" --port "${PORT:-6006}" \
    --host "${HOST:-localhost}"
