"""Texts, frames and signals come out of io/text/tokenizer.h and the audio nodes as out of Wav2Vec2Processor.

    processor_test.py PROCESSOR_ANSWERS

Several configurations; hundreds of random texts, frames and signals for each.
"""

import itertools
import json
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy
import soundfile
from transformers import (
    AutoTokenizer,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2PhonemeCTCTokenizer,
    Wav2Vec2Processor,
)

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else None
BASE = ["<pad>", "<s>", "</s>", "<unk>", "|"] + list("ETAONIHSRDLUMWCFGYPBVK'XJQZ")
UNICODE = ["[PAD]", "[UNK]", "|", "_"] + list("AÄÖÜßẞÉΣΟΔΌΑΒΓЖДЯ日本語😀ǄǅIİıſ.,?!'-STF’´\u0301\u00ad")
BRACKETS = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[BOS]", "eos_token": "[EOS]"}
CONFIGURATIONS = {
    "base": (BASE, {}),
    "lower case": (BASE, {"do_lower_case": True}),
    "unicode": (UNICODE, BRACKETS),
    "unicode, lower case": (UNICODE, {**BRACKETS, "do_lower_case": True}),
    "another delimiter": (UNICODE, {**BRACKETS, "word_delimiter_token": "_"}),
    "spaces become dashes": (BASE, {"replace_word_delimiter_char": "-"}),
    "spaces become longer": (BASE, {"replace_word_delimiter_char": " _ ", "do_lower_case": True}),
    "clean up": (BASE + list(".,?!nmtsver"), {"clean_up_tokenization_spaces": True}),
    "a space in the vocabulary": (BASE + [" "], {}),
    "pad is not the first": (BASE[1:] + ["<pad>"], {"unk_token": "<unk>"}),
    "tokens of several letters": (BASE + ["TH", "THE", "ING", "ÄÖ"], {}),
    "specials outside the vocabulary": (["<unk>"] + list("ABC|"), {}),
}
# Of another class: a token is what stands between spaces. do_phonemize would have transformers call another program.
PHONEMES = ["<s>", "<pad>", "</s>", "<unk>", "a", "aː", "aɪ", "tʃ", "ɛ̃", "ɹ", "ai5", "|", "ç"]
PHONEME_CONFIGURATIONS = {
    "phonemes": {},
    "phonemes and words": {"word_delimiter_token": "|"},
    "a word delimiter that is no token": {"word_delimiter_token": "_"},
    "another phone delimiter": {"phone_delimiter_token": "-"},
    "phonemes, cleaned up": {"clean_up_tokenization_spaces": True},
    "phonemes and another unknown": {"unk_token": "ç"},
}
PHONEME_PIECES = PHONEMES + ["aɪtʃ", "q", "AɪA", "-", "_", "\t", "\u00a0", " ", "  ", "\n", ".", "'"]
PIECES = (
    list("ABCDETHINGS  ||''_-.,?!azß\t\n\u00a0\u3000ÄÖÜäöüéÉσςΣΟΔΑοδаЖжя日本語😀ıİſﬁŉǆǅ1234567890")
    + ["<pad>", "<s>", "</s>", "<unk>", "[PAD]", "[UNK]", "[BOS]", "THE", "ING", "e\u0301", "  ", " n't", " 's"]
)  # fmt: skip


def random_text(draw):
    return "".join(draw.choice(PIECES) for _ in range(draw.randrange(30)))


def random_frames(draw, size):
    """Token ids with repeats and blanks, as a recogniser's best tokens have; a few are out of range."""
    frames = []
    while len(frames) < draw.randrange(60):
        token = draw.randrange(-1, size + 2) if draw.random() < 0.05 else draw.randrange(size)
        frames += [token] * draw.choice([1, 1, 2, 3])
    return frames


def ask(folder, questions):
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    run = subprocess.run([PROGRAM, folder], input=lines, check=True, capture_output=True, text=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(questions), "an answer a question"
    return answers


def make_tokenizer(folder, tokens, options):
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "tokenizer_config.json").write_text(json.dumps(options))
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    if "tokenizer_class" in options:
        return None
    # Not from_pretrained(), which (5.23) leaves a configured word_delimiter_token out.
    return Wav2Vec2CTCTokenizer(str(folder / "vocab.json"), **options)


def ask_with_extractor(folder, questions):
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return ask(folder, questions)


def random_signals(draw, rate_hz):
    """Lengths from one sample on: noise, tones, offsets, constants, silence, the faintest sounds."""
    for length in itertools.chain(range(1, 18), (draw.randrange(18, 4000) for _ in range(120))):
        noise = numpy.array([draw.uniform(-1, 1) for _ in range(length)])
        tone = numpy.sin(numpy.arange(length) * draw.uniform(100, 4000) / rate_hz)
        yield draw.choice([
            noise, 0.3 * tone, 0.01 * noise + 0.5, 1e-4 * noise, numpy.full(length, draw.uniform(-1, 1)),
            numpy.zeros(length), numpy.sign(noise), 1e-30 * noise, numpy.eye(1, length)[0],
        ]).astype(numpy.float32)  # fmt: skip


class Tokenizer(unittest.TestCase):
    def test_texts_and_frames(self):
        for name, (tokens, options) in CONFIGURATIONS.items():
            draw = random.Random(name)
            with tempfile.TemporaryDirectory() as root:
                tokenizer = make_tokenizer(Path(root) / "model", tokens, options)
                texts = ["", " ", "\n", "  |  "] + [random_text(draw) for _ in range(300)]
                frames = [[], [tokenizer.pad_token_id]] + [random_frames(draw, len(tokenizer)) for _ in range(300)]
                questions = [{"encode": text} for text in texts] + [{"decode": ids} for ids in frames]
                answers = ask(Path(root) / "model", questions)
            for question, answer in zip(questions, answers):
                with self.subTest(name, question=question):
                    if "encode" in question:
                        self.assertEqual(answer["ids"], tokenizer(question["encode"]).input_ids)
                        continue
                    decoded = tokenizer.decode(question["decode"], output_word_offsets=True)
                    self.assertEqual(answer["text"], decoded.text)
                    offsets = [[w["word"], w["start_offset"], w["end_offset"]] for w in decoded.word_offsets]
                    self.assertEqual(answer["words"], offsets)

    def test_phonemes(self):
        for name, more in PHONEME_CONFIGURATIONS.items():
            draw = random.Random(name)
            options = {**more, "do_phonemize": False}
            with tempfile.TemporaryDirectory() as root:
                folder = Path(root) / "model"
                make_tokenizer(folder, PHONEMES, {**options, "tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer"})
                tokenizer = Wav2Vec2PhonemeCTCTokenizer(str(folder / "vocab.json"), **options)
                texts = [" ", "a"] + [
                    "".join(p + draw.choice([" ", " ", " ", ""]) for p in draw.choices(PHONEME_PIECES, k=draw.randrange(20)))
                    for _ in range(300)
                ]  # fmt: skip
                frames = [[1]] + [random_frames(draw, len(tokenizer)) or [1] for _ in range(300)]
                questions = [{"encode": text} for text in texts] + [{"decode": ids} for ids in frames]
                answers = ask(folder, questions)
                tokenizer.save_pretrained(Path(root) / "saved")
                self.assertEqual(answers, ask_with_extractor(Path(root) / "saved", questions))
            for question, answer in zip(questions, answers):
                with self.subTest(name, question=question):
                    if "encode" in question:
                        self.assertEqual(answer["ids"], tokenizer(question["encode"]).input_ids)
                        continue
                    decoded = tokenizer.decode(question["decode"], output_char_offsets=True)
                    self.assertEqual(answer["text"], decoded.text)
                    offsets = [[w["char"], w["start_offset"], w["end_offset"]] for w in decoded.char_offsets]
                    self.assertEqual(answer["words"], offsets)

    def test_transformers_loads_what_is_saved_as_the_same_class(self):
        frames = [[5, 5, 1, 5, 7, 7, 11, 3], [4]]
        with tempfile.TemporaryDirectory() as root:
            folder, saved = Path(root) / "model", Path(root) / "saved"
            config = {"tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer", "phonemizer_lang": "de", "word_delimiter_token": "|"}
            make_tokenizer(folder, PHONEMES, config)
            saved.mkdir()
            answers = ask(folder, [{"save": str(saved)}] + [{"decode": ids} for ids in frames])[1:]
            tokenizer = AutoTokenizer.from_pretrained(saved)
        self.assertIsInstance(tokenizer, Wav2Vec2PhonemeCTCTokenizer)
        self.assertEqual((tokenizer.phonemizer_lang, tokenizer.do_phonemize), ("de", True))
        self.assertEqual([answer["text"] for answer in answers], [tokenizer.decode(ids) for ids in frames])

    def test_every_character_that_has_a_case(self):
        cased = [c for c in map(chr, range(0x80, 0x1F000)) if c.lower() != c or c.upper() != c]
        upper = sorted({u for c in cased for u in c.upper()})
        with tempfile.TemporaryDirectory() as root:
            options = {**BRACKETS, "do_lower_case": True}
            tokenizer = make_tokenizer(Path(root) / "model", ["[PAD]", "[UNK]", "|"] + upper, options)
            ids = [[i] for i in range(len(tokenizer))]
            answers = ask(Path(root) / "model", [{"encode": c} for c in cased] + [{"decode": i} for i in ids])
        wrong = [c for c, a in zip(cased, answers) if a["ids"] != tokenizer(c).input_ids]
        wrong += [i for i, a in zip(ids, answers[len(cased) :]) if a["text"] != tokenizer.decode(i)]
        self.assertEqual(wrong, [])


class FeatureExtractor(unittest.TestCase):
    def check_batch(self, processor, signals, rows):
        """A row is what pad() makes of signals that were processed one by one; behind its length is silence."""
        single = [processor(s, sampling_rate=16000).input_values[0] for s in signals]
        padded = processor.pad({"input_values": single}, padding=True, return_attention_mask=True, return_tensors="np")
        self.assertEqual([row["length"] for row in rows], padded["attention_mask"].sum(-1).tolist())
        self.assertFalse(any(row["rejected"] for row in rows))
        for row, expected, signal in zip(rows, padded["input_values"], signals):
            self.assertEqual(row["samples"][len(signal) :], [0.0] * (len(expected) - len(signal)))
            # Sums are taken in single precision there and in double here: the mean may differ by some of
            # the largest sample's ulps (1.2e-7), and the division magnifies that.
            atol = 1e-6 + 5e-7 * float(numpy.abs(signal).max()) / numpy.sqrt(signal.var() + 1e-7)
            numpy.testing.assert_allclose(row["samples"], expected, rtol=1e-5, atol=atol)
        return padded

    def test_signals(self):
        draw = random.Random(5)
        for masked, normalized in itertools.product([False, True], repeat=2):
            with self.subTest(masked=masked, normalized=normalized), tempfile.TemporaryDirectory() as name:
                root = Path(name)
                extractor = Wav2Vec2FeatureExtractor(return_attention_mask=masked, do_normalize=normalized)
                processor = Wav2Vec2Processor(extractor, make_tokenizer(root / "model", BASE, {}))
                processor.save_pretrained(root / "model")
                signals = list(random_signals(draw, 16000))
                paths = [str(root / f"{i}.wav") for i in range(len(signals))]
                for path, signal in zip(paths, signals):
                    soundfile.write(path, signal, 16000, subtype="FLOAT")
                spans = [slice(i, i + draw.randrange(1, 6)) for i in range(0, len(signals), 2)]
                answers = ask(root / "model", [{"batch": paths[span]} for span in spans])
                for span, answer in zip(spans, answers):
                    self.assertEqual(answer["rate_hz"], 16000)
                    padded = self.check_batch(extractor, signals[span], answer["rows"])
                    if masked or not normalized:  # then one call on all of them gives the same
                        at_once = processor(signals[span], sampling_rate=16000, padding=True, return_tensors="np")
                        numpy.testing.assert_allclose(at_once.input_values, padded["input_values"], atol=1e-4)

    def test_silence_without_a_sample_is_rejected(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            make_tokenizer(root / "model", BASE, {})
            soundfile.write(root / "empty.wav", numpy.zeros(0, "float32"), 16000, subtype="FLOAT")
            soundfile.write(root / "one.wav", numpy.ones(1, "float32"), 16000, subtype="FLOAT")
            (answer,) = ask(root / "model", [{"batch": [str(root / "empty.wav"), str(root / "one.wav")]}])
        self.assertEqual([row["rejected"] for row in answer["rows"]], [True, False])
        self.assertEqual([row["samples"] for row in answer["rows"]], [[0.0], [0.0]])


if __name__ == "__main__":
    unittest.main()
