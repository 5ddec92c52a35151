#!/usr/bin/env bash
# Compares our engine with transformers and PyTorch (python/parity/): installs both from PyPI into a cached environment, builds, dumps, compares.
# Exit code: the number of checks that failed; 0 and a loud line where Python or the package index cannot be had.
set -eu
cd "$(dirname "$0")/.."
parity=python/parity
skip() { echo "SKIPPED: Python parity: $1"; exit 0; }

python=$(command -v python3) || skip "there is no python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip "$("$python" --version) is older than 3.10"
key=$(cat $parity/requirements.txt $parity/overrides.txt | sha256sum | cut -c1-12)
venv=${TROUPE_PARITY_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/troupe/parity-$key}
if [ ! -f "$venv/complete-$key" ]; then
  echo "installing torch and transformers into $venv (about 5 GB)"
  rm -rf "$venv"
  "$python" -m venv "$venv" || skip "python3 -m venv failed"
  # uv resolves and unpacks ten times faster than pip, and can leave out what a CPU does not need.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 uv || skip "pip cannot reach its package index"
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" -r $parity/requirements.txt --override $parity/overrides.txt
  touch "$venv/complete-$key"
fi

npm run --silent build
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
models=()
for config in models/*/config.json; do [ -f "$config" ] && models+=("$(dirname "$config")"); done
node $parity/dump.mjs "$out" ${models[@]+"${models[@]}"}
# Two OpenMP threads that spin at barriers are many times slower than one where another process runs.
export OMP_WAIT_POLICY=passive HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false PYTHONDONTWRITEBYTECODE=1
"$venv/bin/python" $parity/compare.py "$out"
