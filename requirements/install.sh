#!/bin/sh
# sh requirements/install.sh PYTHON VENV NAME: installs what NAME.lock lists, and this checkout, into a virtual environment.
set -eu
python=$1 venv=$2 name=$3
lock=requirements/$name.lock log=$venv/install.log

fail() {
  echo "fauxto: $1" >&2
  exit 1
}

newer="install Python 3.11 or newer, or name the one you have: make PYTHON=python3.12 ..."
command -v "$python" >/dev/null || fail "there is no '$python' on this machine; $newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "'$python' is older than Python 3.11; $newer"

# A virtual environment without pip is one whose making was cut short: it is made again.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv" ||
  fail "'$python' can't make a virtual environment; on Debian and Ubuntu: apt install python3-venv"

case $name in
  app) what="what judges pictures and shows the page (ONNX Runtime, Streamlit), about 0.6 GB" ;;
  lab) what="the page and the laboratory (TensorFlow, Keras, scikit-learn), about 2.5 GB" ;;
  dev) what="all of fauxto with its tests and checks (TensorFlow, Ray, Playwright), about 3.5 GB" ;;
  *) what="$name" ;;
esac
echo "Installing $(grep -c == "$lock") packages into $venv: $what. The first time this takes some minutes."

pip_install() { # shows what is downloaded; all that pip says is in the log
  { "$venv/bin/python" -m pip install --progress-bar off "$@" 2>&1 || echo FAILED; } | tee -a "$log" |
    sed -n -e 's/^ *Downloading \(.*)\)$/  \1/p' -e 's/^ *Using cached \(.*)\)$/  \1/p'
  if ! grep -qx FAILED "$log"; then
    return
  elif grep -Eqi 'connection|failed to resolve|name resolution|timed out|max retries|unreachable|proxyerror|sslerror' "$log"; then
    fail "no package index can be reached; connect to the internet, or set PIP_INDEX_URL to an index of yours, and run make again ($log has the details)"
  fi
  fail "pip can't install what $lock lists: $(grep ERROR "$log" | tail -n 1) ($log has the details)"
}

: >"$log"
pip_install --no-compile --require-hashes -r "$lock"
pip_install --no-deps --editable .
if [ "$name" = app ]; then # tests, headers and notebooks of other packages: a tenth of it all, and nothing uses them
  (cd "$venv"/lib/python3*/site-packages && rm -rf pandas/tests pyarrow/tests pyarrow/include pydeck/nbextension)
fi
echo "Installed; $venv takes $(du -sm "$venv" | cut -f 1) MB."
