"""Loads a saved folder with transformers and tells how well its weights fitted, in one line of JSON.

    .venv/bin/python tests/golden/load_model.py FOLDER GOLDEN

The folder holds a model whose logits for the batch of the golden file (wav2vec2_tiny, ...) are compared with
the recorded ones.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file
from transformers import Wav2Vec2ForCTC

golden = load_file(pathlib.Path(__file__).with_name(sys.argv[2] + ".safetensors"))
model, info = Wav2Vec2ForCTC.from_pretrained(sys.argv[1], output_loading_info=True)
with torch.no_grad():
    logits = model.eval()(golden["samples"]).logits
report = {
    "missing": sorted(info["missing_keys"]),
    "unexpected": sorted(info["unexpected_keys"]),
    "mismatched": sorted(map(str, info["mismatched_keys"])),
    "difference": (logits - golden["logits"]).abs().max().item(),
}
print(json.dumps(report))
