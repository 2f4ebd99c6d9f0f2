"""Small int8 models and speech-like audio for the tests of what embeds them."""

import json
import math
import os
import random
import struct
import subprocess
import wave
from pathlib import Path

# Wide initial weights, so that an untrained head says every token.
CONFIG = {
    "model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "vocab_size": 32, "pad_token_id": 0,
    "conv_dim": [16] * 7, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
    "initializer_range": 0.5,
}
PROCESSOR = {
    "feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1, "sampling_rate": 16000,
    "do_normalize": True, "return_attention_mask": False, "padding_side": "right", "padding_value": 0.0,
}


def run(*arguments, **more):
    """What a command printed; its error output in the exception where it failed."""
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def speech(duration_s, rate_hz, seed):
    """16-bit samples of a voice that says nothing: gliding harmonics in syllables, noise between them."""
    draw = random.Random(seed)
    samples, phase = [], 0.0
    for i in range(round(duration_s * rate_hz)):
        time_s = i / rate_hz
        pitch_hz = 120 + 40 * math.sin(2.1 * time_s + seed)
        phase += 2 * math.pi * pitch_hz / rate_hz
        loudness = max(0.0, math.sin(2 * math.pi * 2.5 * time_s)) * 0.2
        voice = sum(math.sin(k * phase) / k for k in (1, 2, 3, 5, 8, 13))
        samples.append(round(32767 * (loudness * voice + 0.01 * draw.gauss(0, 1))))
    return samples


def write_wav(path, samples, rate_hz):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def as_floats(samples):
    """As the program decodes 16-bit samples."""
    return [sample / 32768 for sample in samples]


def make_models(program, folder):
    """Folders of a float model and of the int8 model that `flowqat quantize` makes of it."""
    folder = Path(folder)
    (folder / "config").mkdir()
    (folder / "config" / "config.json").write_text(json.dumps(CONFIG))
    (folder / "config" / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    rows = ["file,transcript"]
    for i in range(3):
        write_wav(folder / f"{i}.wav", speech(0.8 + 0.3 * i, 16000, i), 16000)
        rows.append(f"{i}.wav,HELLO")
    (folder / "corpus.csv").write_text("\n".join(rows) + "\n")
    (folder / "graph.json").write_text(json.dumps({"seed": 3, "out": str(folder / "run"), "nodes": {
        "start": {"type": "model", "config": str(folder / "config"), "device": "cpu"},
        "save": {"type": "checkpoint", "model": "start", "folder": "float"}}}))
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    run(program, "run", folder / "graph.json", env=environment)
    run(program, "quantize", folder / "run" / "float", "--manifest", folder / "corpus.csv",
        "--out", folder / "int8", env=environment)
    return folder / "run" / "float", folder / "int8"


def transcribed(program, model, audio, logits=None):
    """What `flowqat transcribe` says of a file: its JSON object, and the bytes of its scores."""
    more = ["--logits", logits, "--overwrite"] if logits else []
    told = json.loads(run(program, "transcribe", model, "--json", *more, audio))
    if not logits:
        return told, b""
    array = Path(told["logits"]).read_bytes()  # NumPy's format 1.0
    return told, array[10 + struct.unpack("<H", array[8:10])[0]:]
