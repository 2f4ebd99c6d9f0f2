"""Milliseconds a training step of wav2vec2-base, float and quantization-aware, this program's and transformers' by turns,
and this program's in bfloat16 where the processor multiplies it.

    model_step.py BENCH_MODEL_STEP [--rounds N] [--steps N] [--threads N]

Both train on 4 rows of 5 s of noise in float32: dropouts of 0.1, no layerdrop, forward, CTC loss, backward,
gradients clipped to norm 1, AdamW; transformers with its masks of 5 % of the frames. Quantization-aware means
input, weight and output of the 7 convolutions and of the encoder's 72 linear layers, observers on; transformers' with
torch.ao's FusedMovingAvgObsFakeQuantize. Each round runs one after the other, each in a process of its own, so that what
else the machine does meets all; a ratio is a round's.
"""

import argparse
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

# At most: of transformers' time in float and quantization-aware, of our own in float, and in bfloat16 of theirs in float.
ASKED_FLOAT, ASKED_QUANTIZED, ASKED_COST, ASKED_BF16 = 0.60, 0.52, 1.15, 0.45
SITES = r"wav2vec2\.(feature_extractor\.conv_layers\.\d+\.conv|encoder\.layers\.\d+\..*(_proj|_dense))"


def fake_quantize(model):
    """Around every site: its input by a hook before it, its weight as a parametrization, its output by a hook behind."""
    import torch
    from torch.ao.quantization import (
        FusedMovingAvgObsFakeQuantize,
        MovingAverageMinMaxObserver,
        MovingAveragePerChannelMinMaxObserver,
    )

    def activation():
        return FusedMovingAvgObsFakeQuantize(
            MovingAverageMinMaxObserver, quant_min=0, quant_max=255, dtype=torch.quint8, averaging_constant=0.01
        )

    def weight(per_channel):
        kind = MovingAveragePerChannelMinMaxObserver if per_channel else MovingAverageMinMaxObserver
        scheme = torch.per_channel_symmetric if per_channel else torch.per_tensor_symmetric
        return FusedMovingAvgObsFakeQuantize(
            kind, quant_min=-128, quant_max=127, dtype=torch.qint8, qscheme=scheme, averaging_constant=1.0
        )

    sites = [module for name, module in model.named_modules() if re.fullmatch(SITES, name)]
    assert len(sites) == 79, len(sites)
    for site in sites:
        is_linear = isinstance(site, torch.nn.Linear)
        before, behind = activation(), activation()
        site.add_module("fake_quantize_before", before)  # so that they move with the model
        site.add_module("fake_quantize_behind", behind)
        torch.nn.utils.parametrize.register_parametrization(site, "weight", weight(per_channel=is_linear))
        site.register_forward_pre_hook(lambda _, inputs, quantizer=before: (quantizer(inputs[0]),))
        site.register_forward_hook(lambda _, inputs, output, quantizer=behind: quantizer(output))


def transformers_step_ms(steps, threads, quantized):
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    config = Wav2Vec2Config(layerdrop=0.0, mask_time_prob=0.05, ctc_loss_reduction="mean", ctc_zero_infinity=True)
    model = Wav2Vec2ForCTC(config).train()
    if quantized:
        fake_quantize(model)
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
    parser.add_argument("--transformers", choices=["float", "quantized"], help="its step alone, without this program's")
    options = parser.parse_args()
    if options.transformers:
        ms = transformers_step_ms(options.steps, options.threads, options.transformers == "quantized")
        print(f"{ms:.0f} ms a step")
        return

    own = [options.program, "base", str(options.threads), str(options.steps), "4", "5"]
    has_bf16 = " avx512_bf16 " in pathlib.Path("/proc/cpuinfo").read_text().replace("\n", " ")

    def theirs(kind):
        command = [sys.executable, __file__, options.program, "--transformers", kind]
        command += ["--steps", str(options.steps), "--threads", str(options.threads)]
        return run(command, r"(\d+) ms a step")[0]

    def flowqat(precision):
        return run([*own, precision], r"(\d+) ms a float step, (\d+) ms a quantization-aware one")

    print("             float ms a step              quantization-aware ms a step           bf16: float           aware")
    print("round  transformers  flowqat  ratio  transformers  flowqat  ratio  to float     ms  ratio     ms  to float")
    rounds = []
    for k in range(options.rounds):
        peer, quantized_peer = theirs("float"), theirs("quantized")
        ours, quantized = flowqat("float32")
        bf16, quantized_bf16 = flowqat("bf16") if has_bf16 else (math.nan, math.nan)
        rounds.append((ours / peer, quantized / quantized_peer, quantized / ours, bf16 / peer, quantized_bf16 / bf16))
        ratios = rounds[-1]
        print(f"{k + 1:5}  {peer:12.0f}  {ours:7.0f}  {ratios[0]:5.2f}  {quantized_peer:12.0f}  {quantized:7.0f}  "
              f"{ratios[1]:5.2f}  {ratios[2]:8.2f}  {bf16:5.0f}  {ratios[3]:5.2f}  {quantized_bf16:5.0f}  "
              f"{ratios[4]:8.2f}", flush=True)  # fmt: skip
    medians = [statistics.median(ratios) for ratios in zip(*rounds)]
    print(f"medians: {medians[0]:.2f} of transformers in float (asked: at most {ASKED_FLOAT}), {medians[1]:.2f} "
          f"quantization-aware (asked: {ASKED_QUANTIZED}), {medians[2]:.2f} of flowqat in float (asked: {ASKED_COST}); "
          f"bf16 {medians[3]:.2f} of transformers in float (asked: {ASKED_BF16}), "
          f"quantization-aware {medians[4]:.2f} of bf16")  # fmt: skip


if __name__ == "__main__":
    main()
