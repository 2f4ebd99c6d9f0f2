"""`flowqat transcribe` prints, character for character, what transformers' greedy decoding prints.

    transcribe_test.py FLOWQAT

Random small models (so that every token occurs) of both families, with and without an attention mask in the
processor, over synthesized files of several rates and containers.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy
import soundfile
import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)

PROGRAM = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", "|"] + list("ETAONIHSRDLUMWCFGYPBVK'XJQZ")


LARGE = dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)


def make_model(
    folder: Path, return_attention_mask: bool, family: dict | None = None
) -> tuple[Wav2Vec2ForCTC, Wav2Vec2Processor]:
    torch.manual_seed(7)
    config = Wav2Vec2Config(
        vocab_size=32, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
        conv_dim=[24] * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
        initializer_range=0.5, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        **(family or {}),
    )
    model = Wav2Vec2ForCTC(config).eval()
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(VOCABULARY)}))
    processor = Wav2Vec2Processor(
        Wav2Vec2FeatureExtractor(return_attention_mask=return_attention_mask),
        Wav2Vec2CTCTokenizer(str(folder / "vocab.json"), do_lower_case=False),
    )
    processor.save_pretrained(folder)
    return model, processor


def make_audio(folder: Path) -> list[Path]:
    random = numpy.random.default_rng(3)
    paths = []
    for i, duration_s in enumerate([0.03, 0.5, 1.234, 3.7]):
        time_s = numpy.arange(int(16000 * duration_s)) / 16000
        tone = numpy.sin(2 * numpy.pi * (200 + 90 * i) * time_s * (1 + time_s))
        samples = 0.3 * tone + 0.1 * random.standard_normal(len(time_s))
        paths.append(folder / f"tone{i}.{'wav' if i == 2 else 'flac'}")
        soundfile.write(paths[-1], samples, 16000, subtype="PCM_16")
    return paths


def expected_text(model, processor, path: Path) -> str:
    samples, rate_hz = soundfile.read(path, dtype="float32")
    inputs = processor(samples, sampling_rate=rate_hz, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    return processor.batch_decode(logits.argmax(-1))[0]


class Transcribe(unittest.TestCase):
    def test_text_is_that_of_transformers(self):
        for return_attention_mask, family in ((False, {}), (True, {}), (True, LARGE)):
            case = self.subTest(return_attention_mask=return_attention_mask, family=family)
            with case, tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                model, processor = make_model(folder / "model", return_attention_mask, family)
                paths = make_audio(folder)
                command = [PROGRAM, "transcribe", "--json", folder / "model", *paths]
                lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
                results = [json.loads(line) for line in lines]
                self.assertEqual([r["path"] for r in results], [str(p) for p in paths])
                expected = [expected_text(model, processor, path) for path in paths]
                self.assertGreater(len(set("".join(expected))), 4, "the models should say something")
                self.assertEqual([r["text"] for r in results], expected)


if __name__ == "__main__":
    unittest.main()
