#!/bin/sh
# sh requirements/build.sh PYTHON FOLDER: builds the wheel and the sdist of the last commit into FOLDER.
# PYTHON has what build.lock lists. Whoever builds the same commit gets the same bits: nothing but what is committed
# goes in, and every file has the date that hatchling gives where it is told none.
set -eu
python=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
unset SOURCE_DATE_EPOCH

git archive HEAD | tar -x -C "$source"
(cd "$source" && "$python" -m hatchling build -t sdist -t wheel -d "$out")
cd "$out"
sha256sum fauxto-*.whl fauxto-*.tar.gz
