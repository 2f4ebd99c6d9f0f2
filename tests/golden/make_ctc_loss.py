#!/usr/bin/env python3
"""Makes ctc_loss.json, the losses of torch.nn.functional.ctc_loss in double:

    .venv/bin/python tests/golden/make_ctc_loss.py
"""

import json
import math
import pathlib

import torch


def case(frames, vocabulary, target, blank, scale, seed):
    draw = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(frames, vocabulary, generator=draw)
    loss = torch.nn.functional.ctc_loss(
        logits.double().log_softmax(-1)[:, None],
        torch.tensor([target], dtype=torch.long),
        torch.tensor([frames]),
        torch.tensor([len(target)]),
        blank=blank,
        reduction="sum",
    ).item()
    return dict(
        logits=[round(value, 9) for value in logits.flatten().tolist()],
        vocabulary=vocabulary,
        target=target,
        blank=blank,
        loss=None if math.isinf(loss) else loss,
    )


def main():
    cases = [
        case(12, 6, [1, 2, 3], 0, 1, 1),
        case(12, 6, [2, 2, 2, 4, 4], 0, 1, 2),  # repeats need blanks between them
        case(9, 5, [0, 1, 0], 4, 1, 3),
        case(5, 4, [1, 1, 1], 0, 1, 4),  # fits exactly
        case(4, 4, [1, 1, 1], 0, 1, 5),  # does not
        case(3, 4, [], 0, 1, 6),
        case(1, 4, [3], 0, 1, 7),
        case(40, 8, [1, 5, 5, 2, 7, 1, 3], 0, 30, 8),  # probabilities that no float holds
    ]
    path = pathlib.Path(__file__).with_name("ctc_loss.json")
    path.write_text("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")


if __name__ == "__main__":
    main()
