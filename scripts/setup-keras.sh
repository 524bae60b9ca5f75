#!/usr/bin/env bash
# Keras in an environment of its own under .cache, for the test that a saved model gives the same output there.
set -euo pipefail
cd "$(dirname "$0")/.."
env=.cache/keras
if "$env/bin/python" -c 'import tensorflow' 2>/dev/null; then
  echo "setup-keras: there already"
  exit 0
fi
python3 -m venv "$env"
"$env/bin/python" -m pip install --quiet --disable-pip-version-check 'tensorflow-cpu==2.15.1' 'numpy<2'
"$env/bin/python" -c 'import tensorflow; print("setup-keras: TensorFlow", tensorflow.__version__)' 2>/dev/null
