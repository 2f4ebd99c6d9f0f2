#!/usr/bin/env python3
"""Makes the golden files of the wav2vec2 tests with transformers:

    .venv/bin/python tests/golden/make_wav2vec2.py [NAME...]

wav2vec2_tiny: weights, a padded batch, logits with and without an attention mask, CTC losses in the
three reductions, gradients, and the weights after three AdamW steps with masks.
wav2vec2_variant: biased convolutions, an odd positional kernel, other epsilon; logits alone.
wav2vec2_layer_norm: the other family (layer norms behind biased convolutions, norms first in the
encoder), another activation; weights, logits, losses, gradients.
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

HERE = pathlib.Path(__file__).parent
NO_DROPOUT = dict(
    hidden_dropout=0.0,
    activation_dropout=0.0,
    attention_dropout=0.0,
    feat_proj_dropout=0.0,
    final_dropout=0.0,
    layerdrop=0.0,
)
TINY = Wav2Vec2Config(
    vocab_size=12,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    conv_dim=[16, 16, 24],
    conv_kernel=[10, 3, 2],
    conv_stride=[5, 2, 2],
    num_conv_pos_embeddings=16,
    num_conv_pos_embedding_groups=4,
    initializer_range=0.2,
    architectures=["Wav2Vec2ForCTC"],
    **NO_DROPOUT,
)
VARIANT = Wav2Vec2Config(
    vocab_size=7,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=24,
    conv_dim=[8, 12],
    conv_kernel=[8, 4],
    conv_stride=[4, 2],
    conv_bias=True,
    num_conv_pos_embeddings=5,
    num_conv_pos_embedding_groups=2,
    initializer_range=0.3,
    layer_norm_eps=1e-3,
    architectures=["Wav2Vec2ForCTC"],
    **NO_DROPOUT,
)
LAYER_NORM = Wav2Vec2Config(
    vocab_size=12,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=20,
    hidden_act="gelu_new",
    conv_dim=[8, 6, 8],
    conv_kernel=[10, 3, 2],
    conv_stride=[5, 2, 2],
    conv_bias=True,
    feat_extract_norm="layer",
    do_stable_layer_norm=True,
    num_conv_pos_embeddings=6,
    num_conv_pos_embedding_groups=2,
    initializer_range=0.3,
    layer_norm_eps=1e-4,
    architectures=["Wav2Vec2ForCTC"],
    **NO_DROPOUT,
)
LENGTHS = [1000, 731, 402]
TARGETS = [[3, 3, 7, 4, 11, 5], [6, 2, 9], [8, 8, 1, 10]]
# (row, start, length): frames, then hidden channels
TIME_SPANS = [(0, 4, 6), (0, 8, 5), (1, 30, 3), (2, 0, 2)]
CHANNEL_SPANS = [(0, 3, 5), (2, 20, 12)]
LEARNING_RATES = [1e-2, 5e-3, 2e-3]
GRADIENTS = [
    "wav2vec2.feature_extractor.conv_layers.0.conv.weight",
    "wav2vec2.feature_extractor.conv_layers.0.layer_norm.weight",
    "wav2vec2.feature_extractor.conv_layers.2.conv.weight",
    "wav2vec2.feature_projection.projection.weight",
    "wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    "wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original1",
    "wav2vec2.encoder.layers.0.attention.k_proj.weight",
    "wav2vec2.encoder.layers.1.feed_forward.output_dense.weight",
    "wav2vec2.encoder.layers.1.final_layer_norm.bias",
    "lm_head.bias",
]


def build(config, seed):
    torch.manual_seed(seed)
    model = Wav2Vec2ForCTC(config)
    with torch.no_grad():  # norms and biases away from 1 and 0, so that an error in them shows
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def padded_batch():
    samples = torch.zeros(len(LENGTHS), max(LENGTHS))
    for row, length in enumerate(LENGTHS):
        samples[row, :length] = torch.randn(length)
    mask = torch.arange(samples.shape[1])[None] < torch.tensor(LENGTHS)[:, None]
    return samples, mask.long()


def losses(model, logits):
    frames = model._get_feat_extract_output_lengths(torch.tensor(LENGTHS))
    log_probs = F.log_softmax(logits, -1).transpose(0, 1)
    flat = torch.tensor(sum(TARGETS, []))
    sizes = torch.tensor([len(target) for target in TARGETS])
    result = {
        reduction: F.ctc_loss(log_probs, flat, frames, sizes, reduction=reduction, zero_infinity=True)
        for reduction in ("mean", "sum")
    }
    result["characters"] = result["sum"] / len(flat)
    return result


def mask_explicitly(model, frames):
    time = torch.zeros(len(LENGTHS), frames, dtype=torch.bool)
    channel = torch.zeros(len(LENGTHS), model.config.hidden_size, dtype=torch.bool)
    for mask, spans in ((time, TIME_SPANS), (channel, CHANNEL_SPANS)):
        for row, start, length in spans:
            mask[row, start : start + length] = True

    def masked(hidden, mask_time_indices=None, attention_mask=None):
        hidden = torch.where(time[..., None], model.wav2vec2.masked_spec_embed, hidden)
        return hidden.masked_fill(channel[:, None], 0)

    model.wav2vec2._mask_hidden_states = masked


def train(model, samples, mask, out):
    model.train()
    mask_explicitly(model, out["logits"].shape[1])
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [dict(params=matrices, weight_decay=0.1), dict(params=vectors, weight_decay=0.0)],
        betas=(0.9, 0.98),
    )
    for step, rate in enumerate(LEARNING_RATES):
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = losses(model, model(samples, attention_mask=mask).logits)["characters"]
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        out[f"train.{step}.loss"] = loss.detach().reshape(1)
        out[f"train.{step}.norm"] = norm.reshape(1)
    for name, value in model.state_dict().items():
        out["trained." + name] = value


def save(name, config, tensors):
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    save_file(tensors, HERE / f"{name}.safetensors")
    text = json.dumps(config.to_dict(), indent=1, sort_keys=True)
    (HERE / f"{name}.json").write_text(text + "\n")


def forward_and_gradients(model, samples, mask, out):
    for name, attention in (("logits", None), ("masked_logits", mask)):
        out[name] = model(samples, attention_mask=attention).logits
        for reduction, loss in losses(model, out[name]).items():
            out[f"{name}.{reduction}"] = loss.reshape(1)
    losses(model, out["masked_logits"])["mean"].backward()
    parameters = dict(model.named_parameters())
    for name in GRADIENTS:
        out["gradient." + name] = parameters[name].grad


def make(name, config, seed):
    model = build(config, seed)
    samples, mask = padded_batch()
    out = {"weights." + name: value.clone() for name, value in model.state_dict().items()}
    out |= {"samples": samples, "lengths": torch.tensor(LENGTHS)}
    if config is VARIANT:
        out["logits"] = model(samples).logits
        out["masked_logits"] = model(samples, attention_mask=mask).logits
    else:
        forward_and_gradients(model, samples, mask, out)
    if config is TINY:
        train(model, samples, mask, out)
    save(name, config, out)


def main():
    torch.set_num_threads(1)
    files = {"wav2vec2_tiny": (TINY, 1), "wav2vec2_variant": (VARIANT, 2), "wav2vec2_layer_norm": (LAYER_NORM, 3)}
    for name in sys.argv[1:] or files:
        make(name, *files[name])


if __name__ == "__main__":
    main()
