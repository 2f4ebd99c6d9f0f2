#!/usr/bin/env python3
"""Makes distillation.json with PyTorch: .venv/bin/python tests/golden/make_distillation.py

T^2 KL(teacher || student) as a mean over each row's frames of speech, and its gradient by the
student's logits, from kl_div in float64, at two temperatures.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

FRAMES = [5, 3, 1]


def main():
    torch.manual_seed(7)
    student = (3 * torch.randn(3, 5, 4, dtype=torch.float64)).requires_grad_()
    teacher = 3 * torch.randn(3, 5, 4, dtype=torch.float64)
    cases = []
    for temperature in (1.0, 2.5):
        rows = [
            F.kl_div(
                F.log_softmax(student[row, :count] / temperature, -1),
                F.softmax(teacher[row, :count] / temperature, -1),
                reduction="sum",
            )
            for row, count in enumerate(FRAMES)
        ]
        loss = temperature**2 * sum(rows) / sum(FRAMES)
        (gradient,) = torch.autograd.grad(loss, student)
        cases.append({"temperature": temperature, "loss": loss.item(), "gradient": gradient.flatten().tolist()})
    golden = {
        "shape": list(student.shape),
        "frames": FRAMES,
        "student": student.flatten().tolist(),
        "teacher": teacher.flatten().tolist(),
        "cases": cases,
    }
    path = pathlib.Path(__file__).with_name("distillation.json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
