"""Word and character errors are jiwer's: counts, rates and alignments of random pairs.

    error_rate_test.py ERROR_RATE_ANSWERS
"""

import json
import random
import subprocess
import sys
import unittest

import jiwer

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else None
LETTERS = {"substitute": "S", "delete": "D", "insert": "I", "equal": "H"}
VOCABULARIES = [
    ["A", "B"],
    ["A", "B", "C", "D", "E"],
    "THE CAT SAT ON A MAT AND THAT WAS IT".split(),
    ["straße", "Straße", "日本", "日", "😀", "é", "e\u0301", "ДОМ"],
]
GAPS = [" "] * 12 + ["  ", "\t", "\u00a0", "\u3000\u2003", " \n ", "\x1c\x1c", ""]


def random_text(draw, words):
    text = "".join(draw.choice(words) + draw.choice(GAPS) for _ in range(draw.randrange(14)))
    return draw.choice(["", " ", "\n", "\u00a0"]) + text if draw.random() < 0.2 else text


def damaged(draw, text, words):
    """Somewhat like `text`, as a recogniser's answer is."""
    heard = []
    for word in text.split(" "):
        what = draw.random()
        if what < 0.15:
            continue
        heard.append(draw.choice(words) if what < 0.35 else word)
        if what > 0.88:
            heard.append(draw.choice(words))
    return " ".join(heard)


def pairs():
    draw = random.Random(4)
    yield from [("", ""), ("", "A"), ("A", ""), (" ", " "), ("", " A B "), ("\u3000", "A"), ("A", "A")]
    for i in range(800):
        words = VOCABULARIES[i % len(VOCABULARIES)]
        said = random_text(draw, words)
        yield said, damaged(draw, said, words) if i % 3 else random_text(draw, words)
    for count in (60, 63, 64, 65, 130, 400):  # around and beyond rapidfuzz's machine words
        for words in VOCABULARIES:
            said = " ".join(draw.choice(words) for _ in range(count))
            yield said, damaged(draw, said, words)


def expected(output, rate):
    edits = ""
    for chunk in output.alignments[0]:
        length = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
        edits += LETTERS[chunk.type] * length
    counts = [output.hits, output.substitutions, output.deletions, output.insertions]
    return {"counts": counts, "rate": rate, "edits": edits}


class ErrorRate(unittest.TestCase):
    def test_counts_rates_and_alignments_are_those_of_jiwer(self):
        cases = list(pairs())
        lines = "".join(json.dumps({"reference": r, "hypothesis": h}) + "\n" for r, h in cases)
        run = subprocess.run([PROGRAM], input=lines, check=True, capture_output=True, text=True)
        answers = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(len(answers), len(cases))
        for (said, heard), answer in zip(cases, answers):
            with self.subTest(said=said, heard=heard):
                words, characters = jiwer.process_words(said, heard), jiwer.process_characters(said, heard)
                self.assertEqual(answer["words"], expected(words, words.wer))
                self.assertEqual(answer["characters"], expected(characters, characters.cer))


if __name__ == "__main__":
    unittest.main()
