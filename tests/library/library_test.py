"""A C program hears through libflowqat what `flowqat transcribe` hears, and survives what it does wrong.

    library_test.py FLOWQAT RECOGNISE LIBFLOWQAT
"""

import re
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import as_floats, make_models, run, speech, transcribed, write_wav

LIBRARY, RECOGNISE, PROGRAM = (Path(sys.argv.pop()) for _ in range(3)) if len(sys.argv) > 3 else (None,) * 3

# What it may need of the system: the language's own libraries, oneTBB and the resamplers.
NEEDED = r"lib(c|m|stdc\+\+|gcc_s|tbb|soxr|samplerate|asan|ubsan)\.so|ld-linux"
MOST_BYTES = 4e6


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        cls.float, cls.int8 = make_models(PROGRAM, cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def write(self, samples, rate_hz):
        write_wav(self.folder / "heard.wav", samples, rate_hz)
        (self.folder / "heard.f32").write_bytes(struct.pack(f"<{len(samples)}f", *as_floats(samples)))

    def heard_by_c(self, rate_hz, threads=0, kernels="-"):
        lines = run(RECOGNISE, "transcribe", self.int8, self.folder / "heard.f32", rate_hz, threads, kernels,
                    self.folder / "scores").splitlines()
        words = [(word, float(start), float(end)) for word, start, end in (line.split("\t") for line in lines[1:])]
        return lines[0], words, (self.folder / "scores").read_bytes()

    def test_it_hears_what_the_program_hears_at_any_rate_and_length(self):
        for rate_hz, duration_s in ((16000, 2.3), (8000, 1.7), (44100, 1.9), (11023, 1.1), (16000, 95)):
            with self.subTest(rate_hz=rate_hz, duration_s=duration_s):
                self.write(speech(duration_s, rate_hz, seed=rate_hz), rate_hz)
                expected, scores = transcribed(PROGRAM, self.int8, self.folder / "heard.wav", self.folder / "logits")
                text, words, found = self.heard_by_c(rate_hz)
                self.assertEqual(text, expected["text"])
                self.assertGreater(len(words), 0)
                self.assertEqual([word for word, _, _ in words], [word["word"] for word in expected["words"]])
                for (_, start_s, end_s), word in zip(words, expected["words"], strict=True):
                    self.assertAlmostEqual(start_s, word["start_s"], places=6)
                    self.assertAlmostEqual(end_s, word["end_s"], places=6)
                self.assertEqual(found, scores)  # bit for bit

    def test_scores_are_the_same_with_any_kernels_and_threads(self):
        self.write(speech(2, 16000, seed=5), 16000)
        expected = self.heard_by_c(16000)
        self.assertEqual(self.heard_by_c(16000, threads=3), expected)
        self.assertEqual(self.heard_by_c(16000, threads=1, kernels="scalar"), expected)

    def test_misuse_is_an_error_with_a_text(self):
        self.assertEqual(run(RECOGNISE, "misuse", self.int8, self.float), "done\n")

    def test_a_damaged_folder_is_an_error(self):
        for name in ("quantization.json", "config.json", "model.safetensors", "vocab.json"):
            with self.subTest(name), tempfile.TemporaryDirectory() as broken:
                for file in self.int8.iterdir():
                    content = file.read_bytes()
                    (Path(broken) / file.name).write_bytes(content[:len(content) // 2] if file.name == name else content)
                done = subprocess.run([RECOGNISE, "transcribe", broken, self.folder / "0.wav", "16000", "1", "-", "/dev/null"],
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(name, done.stderr)

    def test_threads_recognise_at_once(self):
        self.write(speech(1.5, 16000, seed=6), 16000)
        self.assertEqual(run(RECOGNISE, "at_once", self.int8, self.folder / "heard.f32", 16000), "done\n")

    def test_it_shows_only_its_functions_and_needs_little(self):
        symbols = {line.split()[-1].split("@")[0] for line in run("nm", "-D", "--defined-only", LIBRARY).splitlines()}
        declared = set(re.findall(r"\b(flowqat_\w+)\(", (Path(__file__).parents[2] / "library" / "flowqat.h").read_text()))
        self.assertEqual(symbols - {"FLOWQAT_1"}, declared)
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", LIBRARY))
        self.assertGreater(len(needed), 0)
        self.assertEqual([name for name in needed if not re.match(NEEDED, name)], [])
        stripped = self.folder / "stripped.so"
        run("strip", "-o", stripped, LIBRARY)
        self.assertLess(stripped.stat().st_size, MOST_BYTES)


if __name__ == "__main__":
    unittest.main()
