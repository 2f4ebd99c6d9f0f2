"""Milliseconds a float training step of wav2vec2-base, this program's and transformers' by turns.

    model_step.py BENCH_MODEL_STEP [--rounds N] [--steps N] [--threads N]

Both train on 4 rows of 5 s of noise in float32: dropouts of 0.1, no layerdrop, forward, CTC loss, backward,
gradients clipped to norm 1, AdamW; transformers with its masks of 5 % of the frames. Each round runs one after the
other, each in a process of its own, so that what else the machine does meets both; the ratio is a round's.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time

ASKED = 0.75  # of transformers' time


def transformers_step_ms(steps, threads):
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    config = Wav2Vec2Config(layerdrop=0.0, mask_time_prob=0.05, ctc_loss_reduction="mean", ctc_zero_infinity=True)
    model = Wav2Vec2ForCTC(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    samples = torch.randn(4, 5 * 16000)
    targets = torch.randint(4, config.vocab_size, (4, 75))
    times_ms = []
    for step in range(-1, steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        model(samples, labels=targets).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step >= 0:
            times_ms.append(1000 * (time.perf_counter() - start))
    return statistics.median(times_ms)


def run(command, pattern):
    environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return [float(value) for value in re.search(pattern, text).groups()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="build/bench_model_step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--transformers", action="store_true", help="its step alone, without this program's")
    options = parser.parse_args()
    if options.transformers:
        print(f"{transformers_step_ms(options.steps, options.threads):.0f} ms a step")
        return

    own = [options.program, "base", str(options.threads), str(options.steps)]
    theirs = [sys.executable, __file__, options.program, "--transformers", "--steps", str(options.steps),
              "--threads", str(options.threads)]  # fmt: skip
    print("round  transformers ms  float ms  ratio  quantization-aware ms  to float")
    ratios, costs = [], []
    for k in range(options.rounds):
        (peer_ms,) = run(theirs, r"(\d+) ms a step")
        float_ms, quantized_ms = run(own, r"(\d+) ms a float step, (\d+) ms a quantization-aware one")
        ratios.append(float_ms / peer_ms)
        costs.append(quantized_ms / float_ms)
        print(f"{k + 1:5}  {peer_ms:15.0f}  {float_ms:8.0f}  {ratios[-1]:5.2f}  {quantized_ms:21.0f}  {costs[-1]:8.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f} (asked: at most {ASKED}); "
          f"a quantization-aware step is {statistics.median(costs):.2f} of a float one")  # fmt: skip


if __name__ == "__main__":
    main()
