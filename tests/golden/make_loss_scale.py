#!/usr/bin/env python3
"""Makes loss_scale.json: how torch.amp.GradScaler moves its scale.

    .venv/bin/python tests/golden/make_loss_scale.py
"""

import json
import pathlib

import torch

UPDATES = 9000
# Updates whose gradient is not finite: at once, in a row, just before and at the end of 2,000 good ones.
OVERFLOWS = [0, 1, 2, 100, 2099, 4100, 4101, 6101, 6102]


def main():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0)
    scaler = torch.amp.GradScaler("cpu")
    changes = [[0, scaler.get_scale()]]
    for update in range(UPDATES):
        weight.grad = torch.full([1], float("inf") if update in OVERFLOWS else 1.0)
        scaler.scale(torch.zeros(1))
        scaler.step(optimizer)
        scaler.update()
        if scaler.get_scale() != changes[-1][1]:
            changes.append([update + 1, scaler.get_scale()])
    reference = {"torch": torch.__version__, "updates": UPDATES, "overflows": OVERFLOWS, "changes": changes}
    path = pathlib.Path(__file__).with_name("loss_scale.json")
    path.write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
