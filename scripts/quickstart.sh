#!/usr/bin/env bash
# From a machine with nothing but git to a quantized speech recogniser with its word error rates.
#
#   scripts/quickstart.sh [OPTION...]
#
# Sets the machine up, builds, makes the demo corpus in data/demo, then runs configs/quickstart.json
# with the options given (as `build/flowqat` has them: --set, --out, --resume). What an earlier run
# left is replaced, unless --resume is given.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
.venv/bin/python scripts/make_demo_corpus.py data/demo

# The program refuses a folder that holds a run; a command that can be repeated has to say which it means.
run=(build/flowqat --graph configs/quickstart.json)
[[ " $* " == *" --resume "* || " $* " == *" --overwrite "* ]] || run+=(--overwrite)
run+=("$@")
echo "quickstart: ${run[*]}" >&2
exec "${run[@]}"
