"""Milliseconds a training step of wav2vec2-base on a GPU, transformers' and this program's, by turns.

    gpu_step.py BENCH_MODEL_STEP [--rounds N] [--steps N] [--rows N] [--seconds S]

The peer is transformers' Wav2Vec2ForCTC: forward, CTC loss, backward, gradients clipped to norm 1, fused AdamW, in
float32, TF32 and bf16 (autocast), with and without torch.compile, and with torch.ao's fake quantizers (model_step.py
says where). Both train on rows of noise, dropouts of 0.1, no layerdrop.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from model_step import fake_quantize

WAYS = {
    # name: (precision, compiled, quantized)
    "float32": ("float32", False, False),
    "tf32": ("tf32", False, False),
    "tf32, torch.compile": ("tf32", True, False),
    "bf16": ("bf16", False, False),
    "bf16, torch.compile": ("bf16", True, False),
    "quantization-aware, tf32": ("tf32", False, True),
    "quantization-aware, bf16": ("bf16", False, True),
}


def peer_step_ms(way, rows, seconds, steps):
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    precision, compiled, quantized = WAYS[way]
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
    torch.manual_seed(1)
    config = Wav2Vec2Config(layerdrop=0.0, mask_time_prob=0.0, ctc_loss_reduction="mean", ctc_zero_infinity=True,
                            attn_implementation="sdpa")  # fmt: skip
    model = Wav2Vec2ForCTC(config).train()
    if quantized:
        fake_quantize(model)
    model.cuda()
    run = torch.compile(model) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    samples = torch.randn(rows, int(seconds * 16000), device="cuda")
    targets = torch.randint(4, config.vocab_size, (rows, int(15 * seconds)), device="cuda")
    times_ms = []
    for step in range(-4, steps):
        torch.cuda.synchronize()
        start = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            loss = run(samples, labels=targets).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        torch.cuda.synchronize()
        if step >= 0:
            times_ms.append(1000 * (time.perf_counter() - start))
    return statistics.median(times_ms)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="build/bench_model_step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--way", choices=WAYS, action="append", help="these of the peer's alone")
    options = parser.parse_args()
    size = f"{options.rows} rows of {options.seconds:g} s"
    for _ in range(options.rounds):
        for way in options.way or WAYS:
            try:
                ms = peer_step_ms(way, options.rows, options.seconds, options.steps)
            except RuntimeError as error:
                print(f"transformers, {way}: {str(error).splitlines()[0]}", flush=True)
                continue
            print(f"transformers, {way}: {size}: {ms:.1f} ms a step, "
                  f"{1000 * options.rows * options.seconds / ms:.0f} x real time", flush=True)  # fmt: skip
        for precision in ("float32", "tf32"):
            command = [options.program, "base", "0", options.steps, options.rows, options.seconds, precision]
            run = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
            print(f"{precision}: {run.stdout}", end="", flush=True)


if __name__ == "__main__":
    main()
