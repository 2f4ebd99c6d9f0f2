"""Writes safetensors.safetensors with the reference implementation: a tensor of most types.

    .venv/bin/python tests/golden/make_safetensors.py
"""

import pathlib

import torch
from safetensors.torch import save_file

tensors = {
    "weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
    "weight_int8": torch.tensor([[-128, 127, 0]], dtype=torch.int8),
    "flags": torch.tensor([True, False, True]),
    "half": torch.tensor([1.5, -2.0], dtype=torch.float16),
    "brain": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "count": torch.tensor(7, dtype=torch.int64),
    "bytes": torch.tensor([0, 255], dtype=torch.uint8),
    "ids": torch.tensor([-1, 2], dtype=torch.int32),
    "empty": torch.zeros(0, 4),
    "Größe": torch.tensor([3.0], dtype=torch.float64),
}
path = pathlib.Path(__file__).with_name("safetensors.safetensors")
save_file(tensors, path, metadata={"format": "pt"})
print(f"{path}: {len(tensors)} tensors")
