"""The demo corpus: what is planned at full size, and the files of a tiny one.

Needs espeak-ng and sox for the files, and flac to look into them; skips those tests by name without.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
from demo_corpus_plan import plan_corpus

TINY = ["--voices", "2", "--train-utterances", "3", "--dev-utterances", "2"]
MISSING = [tool for tool in ("espeak-ng", "sox", "flac") if not shutil.which(tool)]


def run_script(*arguments):
    return subprocess.run([sys.executable, SCRIPTS / "make_demo_corpus.py", *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)


def kill_group(process):
    """Whatever a failed test left running ends with it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def bytes_of(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class ThePlan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        plan = plan_corpus(voices=32, train_utterances=50, dev_utterances=120, test_utterances=80)
        cls.test = [u for u in plan if u.split == "test-demo"]
        cls.without_test = [u for u in plan if u.split != "test-demo"]
        cls.train = [u for u in plan if u.split == "train-demo"]
        cls.dev = [u for u in plan if u.split == "dev-demo"]

    def test_the_full_corpus_has_32_voices_of_50_and_4_dev_voices_of_120(self):
        for split, voices, utterances in ((self.train, 32, 50), (self.dev, 4, 120), (self.test, 6, 80)):
            names = [u.voice for u in split]
            self.assertEqual({names.count(name) for name in names}, {utterances})
            self.assertEqual(len(set(names)), voices)
            self.assertEqual(len({u.speaker for u in split}), voices)

    def test_no_sentence_and_no_voice_variant_is_heard_in_two_splits(self):
        for one, other in ((self.train, self.dev), (self.train, self.test), (self.dev, self.test)):
            self.assertFalse({u.text for u in one} & {u.text for u in other})
            variants = [{u.voice.partition("+")[2] for u in split} for split in (one, other)]
            self.assertFalse(variants[0] & variants[1])

    def test_the_test_split_changes_nothing_else(self):
        self.assertEqual(self.without_test, plan_corpus(voices=32, train_utterances=50, dev_utterances=120))

    def test_all_splits_use_the_same_42_words(self):
        train, dev, test = ({word for u in split for word in u.text.split()}
                            for split in (self.train, self.dev, self.test))
        self.assertEqual(len(train), 42)
        self.assertEqual(train, dev)
        self.assertEqual(train, test)

    def test_three_sentences_in_ten_are_digits_alone(self):
        digits = set("ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split())
        share = sum(set(u.text.split()) <= digits for u in self.train) / len(self.train)
        self.assertAlmostEqual(share, 0.3, delta=0.04)


@unittest.skipIf(MISSING, f"these programs are not installed: {', '.join(MISSING)}")
class TheFiles(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.out = Path(holder.name) / "corpus"

    def make(self, *arguments, out=None):
        result = run_script(out or self.out, *(arguments or TINY))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def test_two_makes_give_the_same_bytes_whatever_the_number_of_jobs(self):
        again = self.out.with_name("again")
        self.make(*TINY, "--jobs", "1")
        self.make(*TINY, "--jobs", "3", out=again)
        self.assertEqual(bytes_of(self.out), bytes_of(again))

    def test_the_layout_is_librispeechs(self):
        self.make()
        for split, speakers, utterances in (("train-demo", 2, 3), ("dev-demo", 2, 2)):
            transcripts = sorted((self.out / split).glob("*/*/*.trans.txt"))
            self.assertEqual(len(transcripts), speakers)
            for file in transcripts:
                speaker, chapter = file.parts[-3:-1]
                self.assertEqual(file.name, f"{speaker}-{chapter}.trans.txt")
                lines = [line.split(" ", 1) for line in file.read_text().splitlines()]
                self.assertEqual([name for name, _ in lines],
                                 [f"{speaker}-{chapter}-{i:04d}" for i in range(utterances)])
                self.assertEqual(sorted(flac.stem for flac in file.parent.glob("*.flac")),
                                 [name for name, _ in lines])
                for _, text in lines:
                    self.assertRegex(text, r"^[A-Z]+( [A-Z]+){2,6}$")

    def test_the_audio_is_whole_16_khz_mono_flac_of_one_to_four_seconds(self):
        self.make()
        for file in self.out.rglob("*.flac"):
            subprocess.run(["flac", "--test", "--silent", file], check=True)
            head = file.read_bytes()[:42]
            self.assertEqual(head[:4], b"fLaC")
            packed = int.from_bytes(head[18:26], "big")  # STREAMINFO: rate 20, channels 3, bits 5, samples 36
            rate_hz, channels, bits = packed >> 44, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
            samples = packed & (1 << 36) - 1
            self.assertEqual((rate_hz, channels, bits), (16000, 1, 16))
            self.assertTrue(16000 <= samples <= 4 * 16000, f"{file.name}: {samples} samples")

    def test_a_complete_corpus_is_left_as_it_is(self):
        self.make()
        before = {file: file.stat().st_mtime_ns for file in self.out.rglob("*")}
        self.assertIn("is complete", self.make().stderr)
        self.assertEqual(before, {file: file.stat().st_mtime_ns for file in self.out.rglob("*")})

    def test_a_corpus_made_with_other_arguments_is_made_anew(self):
        self.make()
        self.make("--voices", "1", "--train-utterances", "2", "--dev-utterances", "1")
        self.assertEqual(len(list(self.out.rglob("*.flac"))), 3)
        self.assertEqual(json.loads((self.out / "demo-corpus.json").read_text())["utterances"], 3)

    def test_a_folder_that_something_else_made_is_refused_and_untouched(self):
        self.out.mkdir()
        (self.out / "thesis.txt").write_text("do not lose me")
        result = run_script(self.out, *TINY)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, re.escape(str(self.out)) + ".*was not made by this script")
        self.assertEqual(list(bytes_of(self.out)), ["thesis.txt"])

    def test_an_interrupted_make_leaves_no_corpus_and_no_process_and_can_be_repeated(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                self.interrupt_and_repeat(number)

    def interrupt_and_repeat(self, number):
        process = subprocess.Popen([sys.executable, SCRIPTS / "make_demo_corpus.py", self.out],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        self.addCleanup(kill_group, process)
        partial = self.out.with_name("corpus.partial")
        deadline_s = time.monotonic() + 60
        while not list(partial.rglob("*.flac")) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        process.send_signal(number)
        self.assertEqual(process.wait(timeout=60), 130)
        self.assertFalse(self.out.exists())
        with self.assertRaises(ProcessLookupError):  # nobody is left in its process group
            os.killpg(process.pid, 0)
        self.make()
        self.assertFalse(partial.exists())
        shutil.rmtree(self.out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
