"""`pip wheel .` makes a wheel whose package hears what `flowqat transcribe` hears, on NumPy's arrays.

    wheel_test.py FLOWQAT BUILD_FOLDER
"""

import json
import os
import struct
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import numpy
from support import as_floats, make_models, run, speech, transcribed, write_wav

BUILD, PROGRAM = (Path(sys.argv.pop()) for _ in range(2)) if len(sys.argv) > 2 else (None,) * 2
ROOT = Path(__file__).parents[2]


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir")
        run(*pip, "wheel", "--no-build-isolation", "--no-deps", f"--config-settings=build-dir={BUILD}", "-w", cls.folder, ROOT,
            env={**os.environ, "CC": "cc", "CXX": "c++"})  # by the names that ccache knows from the build
        (wheel,) = cls.folder.glob("flowqat-*.whl")
        run(*pip, "install", "--no-deps", "--target", cls.folder / "site", wheel)
        sys.path.insert(0, str(cls.folder / "site"))
        import flowqat
        cls.flowqat = flowqat
        cls.float, cls.int8 = make_models(PROGRAM, cls.folder)
        cls.recognizer = flowqat.load(cls.int8)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_it_hears_what_the_program_hears(self):
        for rate_hz, duration_s in ((16000, 2.2), (44100, 1.3), (16000, 61)):
            with self.subTest(rate_hz=rate_hz, duration_s=duration_s):
                samples = speech(duration_s, rate_hz, seed=rate_hz)
                write_wav(self.folder / "heard.wav", samples, rate_hz)
                expected, scores = transcribed(PROGRAM, self.int8, self.folder / "heard.wav", self.folder / "logits")
                integers = numpy.array(samples, numpy.int16)
                floats = numpy.array(as_floats(samples), numpy.float32)
                spread = numpy.repeat(floats, 2)[::2]  # not one after the other in memory
                for array in (integers, floats, spread):
                    found = self.recognizer.transcribe(array, rate_hz)
                    self.assertEqual(found.text, expected["text"])
                    words = [{"word": one.word, "start_s": one.start_s, "end_s": one.end_s} for one in found.words]
                    self.assertEqual(words, expected["words"])
                    self.assertGreater(len(words), 0)
                    self.assertAlmostEqual(found.duration_s, duration_s, places=3)
                logits = self.recognizer.logits(integers, rate_hz)
                self.assertEqual((logits.dtype, logits.shape[1]), (numpy.float32, len(self.recognizer.tokens)))
                self.assertEqual(logits.tobytes(), scores)  # bit for bit

    def test_scores_outlive_the_recogniser(self):
        samples = numpy.array(speech(1, 16000, seed=1), numpy.int16)
        other = self.flowqat.load(self.int8, threads=1, kernels="scalar")
        logits = other.logits(samples, 16000)
        del other
        numpy.testing.assert_array_equal(logits, self.recognizer.logits(samples, 16000))

    def test_what_it_knows_of_the_model(self):
        self.assertEqual((self.recognizer.rate_hz, self.recognizer.frame_s, self.recognizer.blank), (16000, 0.02, 0))
        vocabulary = json.loads((self.int8 / "vocab.json").read_text())
        self.assertEqual(self.recognizer.tokens, sorted(vocabulary, key=vocabulary.get))
        self.assertIsInstance(self.recognizer.notes, list)

    def test_wrong_arrays_are_refused_in_clear_words(self):
        transcribe = self.recognizer.transcribe
        for array, error, text in ((numpy.zeros(16000), TypeError, "float32 from -1 to 1 or int16, found float64"),
                                   (numpy.zeros((2, 16000), numpy.float32), ValueError, r"one channel.*\(2, 16000\)"),
                                   (["a"], TypeError, "int16"), (None, ValueError, "one channel"),
                                   (numpy.full(16000, numpy.nan, numpy.float32), self.flowqat.Error, "not a number")):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                transcribe(array, 16000)
        with self.assertRaisesRegex(self.flowqat.Error, "rate_hz"):
            transcribe(numpy.zeros(16000, numpy.float32), 0)
        nothing = transcribe(numpy.zeros(0, numpy.float32), 16000)
        self.assertEqual((nothing.text, nothing.words, nothing.duration_s), ("", [], 0))
        self.assertEqual(self.recognizer.logits(numpy.zeros(0, numpy.int16), 16000).shape, (0, 32))

    def test_wrong_folders_and_kernels_are_refused(self):
        for arguments, text in ((("no/such",), "no/such"), ((self.float,), "flowqat quantize"),
                                ((self.int8, -1), "threads"), ((self.int8, 0, "sse9"), "avx2")):
            with self.subTest(text), self.assertRaisesRegex(self.flowqat.Error, text):
                self.flowqat.load(*arguments)

    def test_threads_recognise_at_once_and_the_interpreter_goes_on(self):
        samples = numpy.array(speech(60, 16000, seed=2), numpy.int16)
        expected = self.recognizer.transcribe(samples, 16000)
        found, ticks, done = [], 0, threading.Event()

        def work():
            found.append(self.recognizer.transcribe(samples, 16000))

        workers = [threading.Thread(target=work) for _ in range(3)]

        def wait():
            for worker in workers:
                worker.join()
            done.set()

        for worker in workers:
            worker.start()
        threading.Thread(target=wait).start()
        while not done.wait(0.005):
            ticks += 1
        self.assertEqual(found, [expected] * 3)
        self.assertGreater(ticks, 3)  # the lock was not held for a whole call

    def test_the_example_of_the_page_runs(self):
        samples = speech(2, 16000, seed=3)
        with open(self.folder / "recording.raw", "wb") as file:
            file.write(struct.pack(f"<{len(samples)}h", *samples))
        write_wav(self.folder / "recording.wav", samples, 16000)
        example = (ROOT / "docs" / "embedding.md").read_text().split("```python\n")[1].split("```")[0]
        printed = run(sys.executable, "-c", example.replace("runs/quickstart/int8", str(self.int8)), cwd=self.folder,
                      env={"PYTHONPATH": str(self.folder / "site")})
        expected = transcribed(PROGRAM, self.int8, self.folder / "recording.wav")[0]
        self.assertEqual(printed.splitlines()[0], expected["text"])
        self.assertIn(f"({round(2 / 0.02) - 1}, 32)", printed)


if __name__ == "__main__":
    unittest.main()
