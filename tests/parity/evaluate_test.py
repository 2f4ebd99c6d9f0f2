"""`flowqat evaluate` gives jiwer's rates for the texts that `flowqat transcribe` hears.

    evaluate_test.py FLOWQAT
"""

import collections
import json
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

import jiwer
import numpy
import soundfile
from transcribe_test import PROGRAM, make_model


def run(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True)
    return done.stdout


def make_corpus(root):
    """In LibriSpeech's layout; gives each recording's speaker, length and transcript."""
    draw, corpus = random.Random(6), {}
    for speaker, seconds in [("7", [0.4, 0.9, 2.5]), ("8", [1.3, 2.0, 5.2])]:
        folder = root / "dev" / speaker / "1"
        folder.mkdir(parents=True)
        with open(folder / f"{speaker}-1.trans.txt", "w") as transcripts:
            for i, duration_s in enumerate(seconds):
                name = f"{speaker}-1-{i:04}"
                time_s = numpy.arange(int(16000 * duration_s)) / 16000
                sound = 0.3 * numpy.sin(2 * numpy.pi * (150 + 120 * i) * time_s * (1 + time_s))
                soundfile.write(folder / f"{name}.flac", sound, 16000)
                text = " ".join(draw.choice(["A", "IT", "THE", "CAT", "Q"]) for _ in range(draw.randrange(1, 9)))
                transcripts.write(f"{name} {text}\n")
                corpus[folder / f"{name}.flac"] = (speaker, duration_s, text)
    return corpus


def sums(pairs):
    words = jiwer.process_words([said for said, _ in pairs], [heard for _, heard in pairs])
    characters = jiwer.process_characters([said for said, _ in pairs], [heard for _, heard in pairs])
    return {
        "wer": words.wer, "hits": words.hits, "substitutions": words.substitutions,
        "deletions": words.deletions, "insertions": words.insertions,
        "cer": characters.cer, "character_hits": characters.hits,
        "character_substitutions": characters.substitutions, "character_deletions": characters.deletions,
        "character_insertions": characters.insertions,
        "utterances": len(pairs),
    }  # fmt: skip


def confusions(pairs):
    counts = collections.Counter()
    for said, heard in pairs:
        output = jiwer.process_words(said, heard)
        for chunk in output.alignments[0]:
            if chunk.type == "substitute":
                counts.update(zip(output.references[0][chunk.ref_start_idx : chunk.ref_end_idx],
                                  output.hypotheses[0][chunk.hyp_start_idx : chunk.hyp_end_idx]))  # fmt: skip
    return counts


class Evaluate(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        self.corpus = make_corpus(self.root / "corpus")
        make_model(self.root / "model", False)
        heard = run("transcribe", self.root / "model", *self.corpus).split("\n")[:-1]
        self.pairs = {path: (said, text) for (path, (_, _, said)), text in zip(self.corpus.items(), heard)}

    def evaluate(self, *options):
        return run("evaluate", self.root / "model", "--manifest", self.root / "corpus", *options)

    def assert_sums(self, found, pairs):
        for key, value in sums(pairs).items():
            self.assertAlmostEqual(found[key], value, places=5, msg=key)

    def test_rates_are_those_of_jiwer(self):
        lines = self.evaluate("--json", "--out", self.root / "listing.jsonl").splitlines()
        self.assertEqual(len(lines), 1)
        result = json.loads(lines[0])
        self.assert_sums(result, list(self.pairs.values()))
        self.assertGreater(result["x_realtime"], 0)
        self.assertEqual(result["rejected"], 0)
        self.assertAlmostEqual(result["audio_s"], sum(duration_s for _, duration_s, _ in self.corpus.values()))
        self.assertEqual(set(result["by_speaker"]), {"7", "8"})
        for speaker, found in result["by_speaker"].items():
            self.assert_sums(found, [self.pairs[p] for p, (who, _, _) in self.corpus.items() if who == speaker])
        self.assertEqual([b["from_s"] for b in result["by_length"]], [0, 2, 5])
        for bucket in result["by_length"]:
            end_s = bucket["to_s"] or float("inf")
            inside = [p for p, (_, length_s, _) in self.corpus.items() if bucket["from_s"] <= length_s < end_s]
            self.assert_sums(bucket, [self.pairs[path] for path in inside])
        found = {(c["said"], c["heard"]): c["times"] for c in result["most_confused"]}
        self.assertEqual(found, confusions(self.pairs.values()))
        times = [c["times"] for c in result["most_confused"]]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(sum(w["times"] for w in result["most_deleted"]), result["deletions"])
        self.assertEqual(sum(w["times"] for w in result["most_inserted"]), result["insertions"])
        listing = [json.loads(line) for line in (self.root / "listing.jsonl").read_text().splitlines()]
        self.assertEqual([(u["reference"], u["hypothesis"]) for u in listing], list(self.pairs.values()))
        self.assertEqual(sum(u["substitutions"] for u in listing), result["substitutions"])

    def test_tables_are_for_people(self):
        text = self.evaluate("--split", "dev")
        for part in ("WER %", "CER %", "speaker 7", "0 to 2 s", "5 to 10 s", "most often", "x real time"):
            self.assertIn(part, text)

    def test_batches_hold_every_utterance(self):
        self.assertEqual(json.loads(self.evaluate("--json", "--batch", "4"))["utterances"], len(self.corpus))


if __name__ == "__main__":
    unittest.main()
