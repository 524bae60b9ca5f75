"""Loads a saved LayersModel in Keras and prints its output for the rows on stdin, both as JSON: [[...], ...]."""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

folder = sys.argv[1]
with open(os.path.join(folder, "model.json"), encoding="utf8") as file:
    saved = json.load(file)
model = tf.keras.models.model_from_json(json.dumps(saved["modelTopology"]))
manifest = saved["weightsManifest"][0]
with open(os.path.join(folder, manifest["paths"][0]), "rb") as file:
    data = file.read()
weights = []
at = 0
for spec in manifest["weights"]:
    assert spec["dtype"] == "float32", spec
    count = int(np.prod(spec["shape"]))
    weights.append(np.frombuffer(data, dtype="<f4", count=count, offset=at).reshape(spec["shape"]))
    at += 4 * count
assert at == len(data), (at, len(data))
model.set_weights(weights)
rows = np.array(json.load(sys.stdin), dtype="float32")
print(json.dumps(model(rows).numpy().tolist()))
