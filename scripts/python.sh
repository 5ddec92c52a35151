#!/usr/bin/env bash
# Makes the Python environment with vLLM, PyTorch and peft that engine.kind vllm and trainer.kind torch use; prints its interpreter's path as the last line.
# Idempotent: an environment that is complete is left as it is. A new version of any requirement makes a new one beside it.
#   TROUPE_PYTHON_HOME   where it goes; default ~/.cache/troupe/python-<hash of what is installed>
#   TROUPE_PYTHON_BUILD  cpu or cuda; default cuda where nvidia-smi finds a GPU
#   PYTHON               the interpreter to make it from; default the first of python3.12, python3.13, python3.11, python3 that fits
set -eu
cd "$(dirname "$0")/../python"
say() { echo "$*" >&2; }
fail() { say "npm run python: $*"; exit 1; }

[ "$(uname -s)" = Linux ] || fail "there is no vLLM for $(uname -s); the embedded default needs no Python, and servers on a Linux machine can be named in engine.vllm.servers"

key=$(cat requirements.txt requirements-cpu.txt requirements-cuda.txt overrides-cpu.txt | sha256sum | cut -c1-12)
home=${TROUPE_PYTHON_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/troupe/python-$key}
if [ -f "$home/complete" ] && [ -x "$home/bin/python" ]; then
  echo "$home/bin/python"
  exit 0
fi

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }
python=
for candidate in ${PYTHON:-python3.12 python3.13 python3.11 python3}; do
  if command -v "$candidate" >/dev/null && fits "$candidate"; then python=$(command -v "$candidate"); break; fi
done
[ -n "$python" ] || fail "there is no Python 3.11, 3.12 or 3.13 (vLLM needs one); install one, or name it: PYTHON=/path/to/python3.12 npm run python"

build=${TROUPE_PYTHON_BUILD:-cpu}
if [ -z "${TROUPE_PYTHON_BUILD:-}" ] && command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; then build=cuda; fi
case $build in
  cpu) wanted=(-r requirements.txt -r requirements-cpu.txt --override overrides-cpu.txt) ;;
  cuda) wanted=(-r requirements.txt -r requirements-cuda.txt) ;;
  *) fail "TROUPE_PYTHON_BUILD is $build; it may be cpu or cuda" ;;
esac

# An existing folder that no run of this script began is somebody's: it is not removed.
if [ -e "$home" ] && [ ! -f "$home/begun" ]; then fail "$home exists and is not an environment of ours; remove it, or choose another TROUPE_PYTHON_HOME"; fi
say "making $home for $build from $("$python" --version) (about 6 GB for cpu, 10 GB for cuda)"
rm -rf "$home"
mkdir -p "$home"
touch "$home/begun"
"$python" -m venv "$home" || fail "$python -m venv failed; on Debian and Ubuntu it is the package python3-venv"
# uv resolves and unpacks ten times faster than pip, and can leave out what a CPU does not need.
uv=uv
if ! uv --version >/dev/null 2>&1; then
  "$home/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 uv || fail "pip cannot reach its package index; behind a mirror, set PIP_INDEX_URL and UV_DEFAULT_INDEX"
  uv=$home/bin/uv
fi
"$uv" pip install --quiet --python "$home/bin/python" "${wanted[@]}" || fail "the packages could not be installed; behind a mirror, set UV_DEFAULT_INDEX"
"$home/bin/python" -c 'import torch, transformers, peft, msgpack, vllm' >/dev/null || fail "the packages were installed and do not load"
touch "$home/complete"
echo "$home/bin/python"
