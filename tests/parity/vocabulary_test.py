"""`flowqat vocabulary` makes what transformers' Wav2Vec2CTCTokenizer takes for its own.

    vocabulary_test.py FLOWQAT
"""

import json
import subprocess
import sys
import tempfile
import unicodedata
import unittest
from pathlib import Path

import numpy
import soundfile
from transformers import Wav2Vec2CTCTokenizer

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else None
TEXTS = {
    "english": ["Don’t stop, please!", "So it goes: 7 times."],
    "german": ["Die Straße ist naß.", "Äpfel, Öl und Übermut"],
    "turkish": ["Işık kapıyı açtı.", "İyi günler İstanbul, ılık"],
    "vietnamese": ["Vi\u00ea\u0323t Nam đẹp", "tiếng Việt"],
    "hindi": ["नमस्ते दुनिया", "यह हिन्दी है"],
    "upper case": ["THE CAT", "IT'S A DOG"],
}  # fmt: skip


def make(folder, texts, *options):
    folder.mkdir()
    for number, text in enumerate(texts):
        soundfile.write(folder / f"{number}.wav", 0.1 * numpy.ones(8000), 16000)
        (folder / f"{number}.txt").write_text(text)
    out = folder / "made"
    subprocess.run([PROGRAM, "vocabulary", folder, "--out", out, *options], check=True, capture_output=True)
    return out


class Vocabulary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def check(self, tokenizer, vocabulary):
        self.assertEqual((tokenizer.pad_token, tokenizer.pad_token_id), ("<pad>", 0))
        self.assertEqual((tokenizer.bos_token, tokenizer.bos_token_id), ("<s>", 1))
        self.assertEqual((tokenizer.eos_token, tokenizer.eos_token_id), ("</s>", 2))
        self.assertEqual((tokenizer.unk_token, tokenizer.unk_token_id), ("<unk>", 3))
        self.assertEqual((tokenizer.word_delimiter_token, tokenizer.word_delimiter_token_id), ("|", 4))
        self.assertEqual(len(tokenizer), len(vocabulary))
        self.assertEqual(tokenizer.get_vocab(), vocabulary)
        letters = [token for token in vocabulary if vocabulary[token] > 4]
        text = " ".join(letters)
        ids = tokenizer(text).input_ids
        self.assertEqual(ids, [i for token in letters for i in (vocabulary[token], 4)][:-1])
        apart = [i for token in ids for i in (token, 0)]  # a blank between equal letters
        self.assertEqual(tokenizer.decode(apart), text)

    def test_a_folder_loads_as_it_is(self):
        for name, texts in TEXTS.items():
            with self.subTest(name):
                out = make(self.root / name, texts)
                vocabulary = json.loads((out / "vocab.json").read_text())
                self.assertEqual(sorted(vocabulary.values()), list(range(len(vocabulary))))
                self.check(Wav2Vec2CTCTokenizer.from_pretrained(out), vocabulary)
                # The file alone, with the class's own special tokens.
                self.check(Wav2Vec2CTCTokenizer(str(out / "vocab.json")), vocabulary)

    def test_every_letter_of_the_corpus_has_a_token(self):
        for name, texts in TEXTS.items():
            with self.subTest(name):
                vocabulary = json.loads((make(self.root / f"{name} again", texts) / "vocab.json").read_text())
                for letter in unicodedata.normalize("NFC", "".join(texts)):
                    cases = {letter, letter.lower(), {"I": "ı", "İ": "i"}.get(letter)}
                    self.assertTrue(not letter.isalpha() or cases & set(vocabulary), letter)


if __name__ == "__main__":
    unittest.main()
