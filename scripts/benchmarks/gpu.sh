#!/usr/bin/env bash
# What only a GPU can show: the tests that need one, and words/s.
set -euo pipefail

usage() {
    cat <<EOF
Usage: scripts/benchmarks/gpu.sh [OUTPUT]

Runs the tests marked gpu. Times a joint pipeline, whose encoder pads its windows or does not, on
short and long texts, and training and prediction of configs/conll.cfg: all on one GPU, in fp32 and
bf16. Takes less than 8 minutes. Prints all, and writes it to OUTPUT too, if named.

The corpus is the embedded sample. The encoder is the default backbone where it is installed
(mtnlp backbone, or the extra offline), else a random one of its size, and the output says which.

GPU is the number of the GPU (default: 0).
PYTHON names the interpreter (default: .venv/bin/python if there is one, else python).
MTNLP_GPU_DRY=1 runs the same commands on the processor, with small sizes.
EOF
}

case "${1:-}" in
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
esac
if [ -n "${1:-}" ]; then exec > >(tee "$1") 2>&1; fi

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ -z "${PYTHON:-}" ]; then
    if [ -x .venv/bin/python ]; then PYTHON=.venv/bin/python; else PYTHON=python; fi
fi
# The package of this checkout, installed or not.
export PYTHONPATH="$PWD/components${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
dry="${MTNLP_GPU_DRY:-}"
gpu="${GPU:-0}"
end=$((SECONDS + 460))
# Of a command: what is left, and at least a second.
left() { echo $((end - SECONDS > 1 ? end - SECONDS : 1)); }

# 1. What is there. Nothing is installed here: a machine with a GPU may have no network.
"$PYTHON" - "$dry" <<'EOF' || exit 1
import importlib
import sys

dry = bool(sys.argv[1])
missing = []
for name in ("torch", "thinc", "spacy", "transformers", "spacy_transformers", "mtnlp", "pytest",
             "hypothesis", "sentencepiece", "cupy"):
    try:
        found = importlib.import_module(name)
    except Exception as error:
        print(f"{name}: missing ({type(error).__name__}: {error})")
        if name != "cupy" or not dry:
            missing.append(name)
    else:
        print(f"{name}: {getattr(found, '__version__', 'there')}")
if "torch" not in missing:
    import torch

    if torch.cuda.is_available():
        print(f"GPU: {torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}")
    elif dry:
        print("GPU: none; MTNLP_GPU_DRY is set, so the processor is timed in its place")
    else:
        sys.exit("There is no GPU that torch can use: nothing is run. See --help for MTNLP_GPU_DRY.")
if missing:
    sys.exit(f"Missing: {', '.join(missing)}. Install mtnlp with its extra 'dev', and the "
             "cupy of your CUDA, such as cupy-cuda12x.")
EOF

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# 2. The tests. One that fails does not keep the speed from being measured.
failed=0
echo
echo "== Tests that need a GPU"
timeout "$(left)" "$PYTHON" -m pytest -q -m gpu tests/gpu -p no:cacheprovider -rs || failed=$?

# 3. The speed.
echo
echo "== words/s"
backbone="assets/backbone/all-MiniLM-L6-v2"
if [ ! -f "$backbone/config.json" ]; then
    backbone="$work/all-MiniLM-L6-v2"
    if HF_HUB_OFFLINE=1 "$PYTHON" -m mtnlp backbone --output "$backbone" >"$work/log" 2>&1; then
        echo "encoder: the default backbone"
    else
        backbone="$work/random"
        "$PYTHON" -m scripts.benchmarks.random_backbone "$backbone"
        echo "encoder: random weights of the default backbone's size; its vocabulary is the" \
            "sample's words"
    fi
else
    echo "encoder: the default backbone"
fi
"$PYTHON" -m mtnlp convert conll --source sample --out "$work/corpus" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }

if [ -n "$dry" ]; then
    where=(--gpu-id -1 --threads 1)
    size=(--steps 1 --documents 4 --rounds 1 --batch-size 2)
    padding=(--gpu-id -1 --words 200 --batch-words 100 --steps 1 --rounds 1)
else
    where=(--gpu-id "$gpu")
    size=(--steps 50 --documents 2000 --rounds 3 --batch-size 32)
    padding=(--gpu-id "$gpu")
fi
echo
echo "-- with and without padding"
# What comes after has its share of the time.
part="$(left)"
timeout "$((part > 240 ? part - 150 : part))" "$PYTHON" -m scripts.benchmarks.padding_free \
    "$backbone" "${padding[@]}" ||
    { echo "with and without padding: failed or out of time (exit code $?)"; failed=1; }
for precision in fp32 bf16; do
    echo
    echo "-- $precision"
    # The sample's largest part is what is predicted, too: it is about speed alone.
    timeout "$(left)" "$PYTHON" -m scripts.benchmarks.pipeline_speed configs/conll.cfg \
        --train "$work/corpus/train" --test "$work/corpus/train" --backbone "$backbone" \
        "${where[@]}" "${size[@]}" --precision "$precision" ||
        { echo "$precision: failed or out of time (exit code $?)"; failed=1; }
done

echo
echo "Took $SECONDS seconds."
exit "$failed"
