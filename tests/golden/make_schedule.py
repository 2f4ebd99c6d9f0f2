#!/usr/bin/env python3
"""Makes cosine_schedule.json, the rates of torch.optim.lr_scheduler.CosineAnnealingLR:

    .venv/bin/python tests/golden/make_schedule.py
"""

import json
import pathlib

import torch


def rates(peak, lowest, t_max, count):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=t_max, eta_min=lowest)
    result = []
    for _ in range(count):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return dict(lr=peak, lr_min=lowest, t_max=t_max, rates=result)


def main():
    cases = [
        rates(5e-5, 0.0, 2, 2),
        rates(2e-3, 4e-5, 10, 10),
        rates(1e-3, 1e-4, 7, 20),  # beyond T_max, where the cosine climbs again
    ]
    path = pathlib.Path(__file__).with_name("cosine_schedule.json")
    path.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
