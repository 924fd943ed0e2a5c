#!/usr/bin/env bash
# Compiles the dependency groups of pyproject.toml into packaging/locks, with
# hashes and without the address of any index. Arguments go to uv.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet "uv==0.13.9"

compile() {
    local lock="packaging/locks/$1.txt"
    shift
    "$tools/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --annotation-style line \
        --custom-compile-command "make lock" --output-file "$lock" "$@"
    echo "$lock: $(grep -c '==' "$lock") distributions"
}

compile runtime pyproject.toml --group pyproject.toml:build "$@"
compile binary pyproject.toml --group pyproject.toml:binary \
    --constraints packaging/locks/runtime.txt "$@"
compile dev pyproject.toml --group pyproject.toml:dev --constraints packaging/locks/runtime.txt "$@"
compile reference --group pyproject.toml:reference "$@"
