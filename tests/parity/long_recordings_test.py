"""`flowqat transcribe` on long recordings, other formats and standard input; word times and frame scores.

    long_recordings_test.py FLOWQAT
"""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy
import soundfile
import torch
from transcribe_test import PROGRAM, make_audio, make_model
from transformers import Wav2Vec2FeatureExtractor, pipeline

FRAME_S = 320 / 16000


def run(*arguments, status=0, **options):
    done = subprocess.run([PROGRAM, "transcribe", *map(str, arguments)], capture_output=True, **options)
    assert done.returncode == status, done.stderr.decode()
    return done


def transcribe(*arguments, **options):
    return [json.loads(line) for line in run("--json", *arguments, **options).stdout.splitlines()]


def speech_like(duration_s, rate_hz, seed=9):
    """Sounds that change every 0.2 s and hold nothing above 3 kHz, so that any rate can carry them."""
    random = numpy.random.default_rng(seed)
    time_s = numpy.arange(int(rate_hz * duration_s)) / rate_hz
    pitches = random.uniform(100, 3000, size=(3, int(duration_s * 5) + 1))
    sound = sum(numpy.sin(2 * numpy.pi * p[(time_s * 5).astype(int)] * time_s) for p in pitches)
    return 0.2 * sound


def make_local(model, folder):
    """Cuts off all that lets a frame know of what lies far away: attention, and the group norm's statistics."""
    with torch.no_grad():
        for layer in model.wav2vec2.encoder.layers:
            layer.attention.out_proj.weight.zero_()
            layer.attention.out_proj.bias.zero_()
        first = model.wav2vec2.feature_extractor.conv_layers[0]
        first.conv.weight -= first.conv.weight.mean(-1, keepdim=True)
        first.conv.weight *= 1e-6  # its variance vanishes beside the norm's 1e-5
        first.layer_norm.weight *= 1e4
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(folder)
    (folder / "processor_config.json").unlink(missing_ok=True)  # it would win


class LongRecordings(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.model_folder = self.folder / "model"
        self.model, self.processor = make_model(self.model_folder, False)

    def logits_of(self, samples):
        inputs = self.processor(samples, sampling_rate=16000, return_tensors="pt")
        with torch.no_grad():
            return self.model(**inputs).logits[0].numpy()

    def test_words_and_times_are_those_of_transformers(self):
        paths = make_audio(self.folder)
        words = 0
        for path, result in zip(paths, transcribe(self.model_folder, *paths)):
            samples, rate_hz = soundfile.read(path, dtype="float32")
            ids = self.logits_of(samples).argmax(-1)
            expected = self.processor.tokenizer.decode(ids, output_word_offsets=True)
            self.assertEqual(result["text"], expected.text)
            self.assertAlmostEqual(result["duration_s"], len(samples) / rate_hz)
            self.assertEqual([w["word"] for w in result["words"]], [w["word"] for w in expected.word_offsets])
            for word, offsets in zip(result["words"], expected.word_offsets):
                self.assertAlmostEqual(word["start_s"], offsets["start_offset"] * FRAME_S)
                self.assertAlmostEqual(word["end_s"], offsets["end_offset"] * FRAME_S)
            words += len(result["words"])
        self.assertGreater(words, 3, "the model should say some words")

    def test_logits_are_arrays_of_numpy_under_names_of_their_own(self):
        paths = make_audio(self.folder)
        (self.folder / "again").mkdir()
        again = self.folder / "again" / paths[1].name
        again.write_bytes(paths[1].read_bytes())
        short = self.folder / "short.wav"
        soundfile.write(short, numpy.zeros(100), 16000)
        out = self.folder / "logits"
        results = transcribe("--logits", out, self.model_folder, *paths, again, short)
        names = ["tone0", "tone1", "tone2", "tone3", "tone1-2", "short"]
        self.assertEqual([r["logits"] for r in results], [str(out / f"{name}.npy") for name in names])
        for path, result in zip(paths, results):
            logits = numpy.load(result["logits"])
            self.assertEqual(logits.dtype, numpy.float32)
            expected = self.logits_of(soundfile.read(path, dtype="float32")[0])
            numpy.testing.assert_allclose(logits, expected, atol=2e-3 * numpy.abs(expected).max())
        numpy.testing.assert_array_equal(numpy.load(out / "tone1.npy"), numpy.load(out / "tone1-2.npy"))
        self.assertEqual(numpy.load(out / "short.npy").shape, (0, 32))

    def test_windows_are_those_of_the_pipeline(self):
        recogniser = pipeline(
            "automatic-speech-recognition", model=self.model, tokenizer=self.processor.tokenizer,
            feature_extractor=self.processor.feature_extractor,
        )  # fmt: skip
        samples = speech_like(9.37, 16000).astype(numpy.float32)
        path = self.folder / "long.flac"
        soundfile.write(path, samples, 16000)
        samples = soundfile.read(path, dtype="float32")[0]
        texts = set()
        for window_s, overlap_s in [(3, 1), (2, 0.4), (4.5, 2.2), (9, 0.04)]:
            expected = recogniser(
                {"raw": samples.copy(), "sampling_rate": 16000}, chunk_length_s=window_s,
                stride_length_s=overlap_s / 2,
            )["text"]  # fmt: skip
            (result,) = transcribe(
                self.model_folder, path, "--window-s", window_s, "--overlap-s", overlap_s)
            self.assertEqual(result["text"], expected, f"windows of {window_s} s")
            texts.add(expected)
        self.assertGreater(len(texts), 1, "windows should make a difference for this model")

    def test_a_model_that_hears_locally_hears_the_same_in_windows(self):
        make_local(self.model, self.model_folder)
        out = self.folder / "logits"
        for rate_hz, name in [(16000, "a.flac"), (8000, "b.wav"), (44100, "c.flac"), (11025, "d.wav"),
                              (48000, "e.ogg"), (44100, "f.mp3")]:  # fmt: skip
            with self.subTest(name, rate_hz=rate_hz):
                path = self.folder / name
                soundfile.write(path, numpy.stack([speech_like(7.3, rate_hz)] * 2, 1), rate_hz)
                (whole,) = transcribe("--logits", out / "whole", "--window-s", 0, self.model_folder, path)
                (parts,) = transcribe(
                    "--logits", out / "parts", "--window-s", 2, "--overlap-s", 1, self.model_folder, path)
                expected, logits = numpy.load(whole["logits"]), numpy.load(parts["logits"])
                self.assertGreater(len(set(expected.argmax(-1))), 3, "the model should say something")
                self.assertEqual(logits.shape, expected.shape)
                scale = numpy.abs(expected).max()
                numpy.testing.assert_allclose(logits, expected, atol=0.01 * scale)
                self.assertEqual(parts["duration_s"], whole["duration_s"])
                if rate_hz == 16000:
                    self.assertEqual((parts["text"], parts["words"]), (whole["text"], whole["words"]))
                # Resampling at a window's edge tips scales that are all but even, in a frame or two.
                same = (logits.argmax(-1) == expected.argmax(-1)).mean()
                self.assertGreater(same, 0.98)

    def test_memory_does_not_grow_with_the_length(self):
        def peak_mb(duration_s):
            path = self.folder / f"{duration_s}.flac"
            soundfile.write(path, speech_like(duration_s, 16000), 16000)
            process = subprocess.Popen([PROGRAM, "transcribe", self.model_folder, path], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return usage.ru_maxrss / 1024

        # Its samples alone are 77 MB in float32.
        self.assertLess(peak_mb(1260), peak_mb(60) + 30)

    def test_standard_input(self):
        path = make_audio(self.folder)[3]
        (expected,) = transcribe(self.model_folder, path)
        result, other = transcribe(self.model_folder, "-", path, input=path.read_bytes())
        self.assertEqual(result, {**expected, "path": "-"})
        self.assertEqual(other, expected)
        out = self.folder / "logits"
        (result,) = transcribe("--logits", out, self.model_folder, "-", input=path.read_bytes())
        self.assertEqual(result["logits"], str(out / "stdin.npy"))

    def test_what_cannot_be_read(self):
        good = make_audio(self.folder)[1]
        for content, complaint in [(b"", "standard input: expected the bytes of an audio file, found none"),
                                   (b"no audio at all" * 99, "standard input: expected an audio file")]:  # fmt: skip
            done = run(self.model_folder, "-", good, status=1, input=content)
            failed, _ = done.stdout.decode().splitlines()
            self.assertEqual(failed, "")  # it keeps its place
            self.assertIn(complaint, done.stderr.decode())
        for arguments in (["-", "-"], [good, "--window-s", "2", "--overlap-s", "2"],
                          [good, "--overlap-s", "0"]):  # fmt: skip
            done = run(self.model_folder, *arguments, status=2, input=b"")
            self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
