"""The model computes what transformers' Wav2Vec2ForCTC computes, from config.json alone.

    model_test.py MODEL_DUMP

Random models of both families, saved by transformers and run by model_dump (beside this file) over padded
and unpadded batches with time and channel masks: hidden states of every layer, logits, CTC losses, the
gradient of every parameter, the losses of 20 AdamW steps, and those of 20 steps as a recipe has them, with
groups of parameters, frozen convolutions, clipping, a schedule, gradient checkpointing and an average.

One difference is meant: without an attention mask transformers counts padded frames into the CTC loss, this
program never does. The expected losses are therefore PyTorch's own over transformers' logits, with the real
numbers of frames.
"""

import copy
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC, get_scheduler
from transformers.models.wav2vec2 import modeling_wav2vec2
from transformers.utils import logging

PROGRAM = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None

# Largest difference allowed, as a share of the largest magnitude of what is compared (of a gradient: of
# that parameter's, and of the largest of any parameter for those that are rounding alone, as is that of
# a key's bias, which moves all scores of a query alike).
TOLERANCES = {
    "hidden": 1e-5,
    "logits": 1e-5,
    "infer": 1e-5,
    "loss": 1e-5,
    "gradient": 3e-4,
    "gradient, of the largest": 1e-6,
    "losses of 20 steps": 1e-4,
    "losses": 1e-4,
    "norms": 3e-3,
    "average": 1e-3,
}
STEPS, LEARNING_RATE = 20, 2e-3

NO_DROPOUT = dict.fromkeys(
    ["hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout", "final_dropout", "layerdrop"],
    0.0,
)
SMALL = dict(
    vocab_size=13, hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=40,
    conv_dim=[12, 16, 12], conv_kernel=[10, 3, 2], conv_stride=[5, 2, 2],
    num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, initializer_range=0.15,
)  # fmt: skip
LAYER = dict(feat_extract_norm="layer", do_stable_layer_norm=True)
# name: (differences from SMALL, whether the processor asks for an attention mask, whether batches are masked)
CASES = {
    "base": (dict(), False, False),
    "base, attention mask": (dict(conv_bias=True, num_attention_heads=3), True, True),
    "base, odd kernel": (
        dict(num_conv_pos_embeddings=7, num_conv_pos_embedding_groups=3, hidden_act="relu"),
        False, True,
    ),
    "base, other sizes": (
        dict(hidden_size=36, num_attention_heads=6, num_conv_pos_embedding_groups=12, conv_dim=[8, 8], conv_kernel=[8, 4],
             conv_stride=[4, 3], feat_extract_activation="gelu_new", layer_norm_eps=1e-3, pad_token_id=5),
        True, True,
    ),
    "large": (LAYER | dict(conv_bias=True), True, True),
    "large, no attention mask": (LAYER | dict(num_attention_heads=2, num_conv_pos_embeddings=9), False, True),
    "large, no convolution bias": (
        LAYER | dict(conv_bias=False, num_conv_pos_embedding_groups=1, hidden_act="gelu_new"),
        True, False,
    ),
    "large, other sizes": (
        LAYER | dict(hidden_size=32, num_attention_heads=8, conv_bias=True, num_hidden_layers=5, num_conv_pos_embeddings=3,
                     feat_extract_activation="silu", layer_norm_eps=1e-3, vocab_size=40),
        True, True,
    ),
    "layer norms in the extractor alone": (dict(feat_extract_norm="layer", conv_bias=True), True, True),
    "norms first in the encoder alone": (dict(do_stable_layer_norm=True, hidden_act="mish"), False, True),
    "no transformer layer": (LAYER | dict(num_hidden_layers=0), True, True),
}  # fmt: skip
BASE_SIZE = dict(vocab_size=32)  # as all of Wav2Vec2Config's defaults: wav2vec2-base
# The widths of wav2vec2-large-lv60, with two of its 24 layers.
LARGE_WIDTH = LAYER | dict(conv_bias=True, hidden_size=1024, num_attention_heads=16, intermediate_size=4096, num_hidden_layers=2)


def make_model(folder, settings, return_attention_mask):
    config = Wav2Vec2Config(**settings, **NO_DROPOUT, mask_feature_prob=0.1)
    model = Wav2Vec2ForCTC(config)
    with torch.no_grad():  # norms and biases away from 1 and 0, so that an error in them shows
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=return_attention_mask).save_pretrained(folder)
    return model.train()


def make_batch(model, lengths, masked, tokens):
    config = model.config
    samples = torch.zeros(len(lengths), max(lengths))
    for row, length in enumerate(lengths):
        samples[row, :length] = torch.randn(length)
    lengths = torch.tensor(lengths)
    symbols = torch.tensor([i for i in range(config.vocab_size) if i != config.pad_token_id])
    target_lengths = torch.randint(1, tokens + 1, (len(lengths),))
    targets = symbols[torch.randint(len(symbols), (int(target_lengths.sum()),))]
    batch = dict(samples=samples, lengths=lengths, targets=targets, target_lengths=target_lengths)
    if masked:
        frames = int(model._get_feat_extract_output_lengths(samples.shape[1]))
        batch["time_mask"] = (torch.rand(len(lengths), frames) < 0.3).to(torch.uint8)
        batch["channel_mask"] = (torch.rand(len(lengths), config.hidden_size) < 0.2).to(torch.uint8)
    return batch


def forward(model, batch, use_attention_mask, hidden=None):
    """Logits in the model's present mode; appends to `hidden` the first layer's input and each layer's output."""
    samples = batch["samples"]
    attention = (torch.arange(samples.shape[1]) < batch["lengths"][:, None]).long() if use_attention_mask else None
    rows, frames = len(samples), int(model._get_feat_extract_output_lengths(samples.shape[1]))
    time = batch.get("time_mask", torch.zeros(rows, frames)).bool()
    channel = batch.get("channel_mask", torch.zeros(rows, model.config.hidden_size)).bool()
    if not model.training:
        time = torch.zeros_like(time)
    hooks = []
    if hidden is not None:
        encoder = model.wav2vec2.encoder
        for module in (encoder.dropout, *encoder.layers):
            hooks.append(module.register_forward_hook(lambda _, __, y: hidden.append(y.detach().clone())))
    # What transformers would draw for the channels; it takes the time mask as an argument.
    with mock.patch.object(modeling_wav2vec2, "_compute_mask_indices", lambda *_, **__: channel.numpy()):
        logits = model(samples, attention_mask=attention, mask_time_indices=time).logits
    for hook in hooks:
        hook.remove()
    return logits


def ctc_loss(model, logits, batch, reduction):
    frames = model._get_feat_extract_output_lengths(batch["lengths"])
    log_probs = F.log_softmax(logits, -1).transpose(0, 1)
    return F.ctc_loss(
        log_probs, batch["targets"], frames, batch["target_lengths"],
        blank=model.config.pad_token_id, reduction=reduction, zero_infinity=True,
    )  # fmt: skip


def expected_values(model, batches, use_attention_mask, steps):
    out = {}
    to_fine_tune = copy.deepcopy(model)
    for k, batch in enumerate(batches):
        hidden = []
        model.zero_grad()
        logits = forward(model, batch, use_attention_mask, hidden)
        out |= {f"{k}.hidden.{i}": value for i, value in enumerate(hidden)}
        out[f"{k}.logits"] = logits.detach()
        total = ctc_loss(model, logits, batch, "sum").detach()
        out[f"{k}.loss.sum"] = total.reshape(1)
        out[f"{k}.loss.utterances"] = (total / len(batch["lengths"])).reshape(1)
        out[f"{k}.loss.characters"] = (total / len(batch["targets"])).reshape(1)
        mean = ctc_loss(model, logits, batch, "mean")
        out[f"{k}.loss.mean"] = mean.detach().reshape(1)
        mean.backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                out[f"{k}.gradient.{name}"] = parameter.grad.clone()
        with torch.no_grad():
            out[f"{k}.infer"] = forward(model.eval(), batch, use_attention_mask)
        model.train()
    if steps:
        out["losses"] = torch.tensor(train(model, batches, use_attention_mask, steps))
        out |= fine_tune(to_fine_tune, batches, use_attention_mask, steps)
    return out


def train(model, batches, use_attention_mask, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    losses = []
    for step in range(steps):
        batch = batches[step % len(batches)]
        loss = ctc_loss(model, forward(model, batch, use_attention_mask), batch, "mean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def fine_tune(model, batches, use_attention_mask, steps):
    model.freeze_feature_encoder()
    model.gradient_checkpointing_enable()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    average.update_parameters(model)  # the first call copies
    groups = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name.startswith("lm_head."), name.endswith(".bias")), []).append(parameter)
    optimizer = torch.optim.AdamW([
        dict(params=parameters, lr=LEARNING_RATE * (3 if is_head else 1), weight_decay=0 if is_bias else 0.01)
        for (is_head, is_bias), parameters in groups.items()
    ])  # fmt: skip
    scheduler = get_scheduler("linear", optimizer, num_warmup_steps=4, num_training_steps=steps)
    losses, norms = [], []
    for step in range(steps):
        batch = batches[step % len(batches)]
        loss = ctc_loss(model, forward(model, batch, use_attention_mask), batch, "mean")
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1).item())
        optimizer.step()
        scheduler.step()
        average.update_parameters(model)
        losses.append(loss.item())
    with torch.no_grad():
        scores = forward(average.module.eval(), batches[0], use_attention_mask)
    return {
        "fine_tuned.losses": torch.tensor(losses), "fine_tuned.norms": torch.tensor(norms),
        "fine_tuned.average": scores,
    }  # fmt: skip


class Model(unittest.TestCase):
    def compare(self, found, expected):
        gradients = {name for name in expected if ".gradient." in name}
        largest = max(expected[name].abs().max() for name in gradients)
        # A parameter that played no part has no gradient here, and may have zeros there.
        for name in gradients - found.keys():
            self.assertEqual(expected.pop(name).abs().max(), 0, name)
        self.assertEqual(found.keys(), expected.keys())
        for name, value in expected.items():
            kind = "losses of 20 steps" if name == "losses" else name.split(".")[1]
            allowed = TOLERANCES[kind] * value.abs().max()
            if kind == "gradient":
                allowed = max(allowed, TOLERANCES["gradient, of the largest"] * largest)
            self.assertEqual(found[name].shape, value.shape, name)
            self.assertLessEqual((found[name] - value).abs().max().item(), float(allowed), name)

    def check(self, settings, use_attention_mask, masked, lengths, tokens, steps):
        torch.manual_seed(5)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            model = make_model(folder, settings, use_attention_mask)
            batches = [make_batch(model, batch, masked, tokens) for batch in lengths]
            inputs = {f"{k}.{key}": value for k, batch in enumerate(batches) for key, value in batch.items()}
            save_file(inputs, folder / "inputs")
            command = [PROGRAM, folder, folder / "inputs", folder / "outputs", str(steps), str(LEARNING_RATE)]
            subprocess.run(command, check=True)
            found = load_file(folder / "outputs")
            self.compare(found, expected_values(model, batches, use_attention_mask, steps))

    def test_small_models(self):
        for case, (differences, use_attention_mask, masked) in CASES.items():
            with self.subTest(case):
                lengths = [[900, 611, 340], [700, 700], [1203, 420]]
                self.check(SMALL | differences, use_attention_mask, masked, lengths, tokens=5, steps=STEPS)

    def test_base_size(self):
        self.check(BASE_SIZE, False, True, [[16000, 11777]], tokens=12, steps=0)

    def test_large_width(self):
        self.check(LARGE_WIDTH, True, True, [[16000, 11777]], tokens=12, steps=0)


if __name__ == "__main__":
    torch.set_num_threads(1)  # more of them only wait for each other in models of this size
    logging.disable_progress_bar()
    unittest.main()
