"""What the demo corpus says, and in which voices: a pure function of a few counts, no audio.

A small command language of 42 words, spoken by 32 espeak-ng voices for training and by four others
for the dev split and, where it is asked for, by six more for a test split. make_demo_corpus.py turns the plan into files.
"""
import random
from pathlib import Path
from typing import NamedTuple

CHAPTER = 1

DIGITS = "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split()
VERBS = "PUT MOVE FIND OPEN CLOSE BRING TAKE PAINT".split()
COLOURS = "RED BLUE GREEN WHITE BLACK YELLOW".split()
OBJECTS = "LAMP DOOR BOX BOOK CUP WINDOW".split()
PREPOSITIONS = "IN ON NEAR BEHIND".split()
PLACES = "KITCHEN GARDEN OFFICE BEDROOM".split()
TAILS = "NOW PLEASE AGAIN".split()

# Shares of the sentences, and the words to choose from at each place (a string is itself).
PATTERNS = (
    (0.075, [DIGITS] * 3), (0.075, [DIGITS] * 4), (0.075, [DIGITS] * 5), (0.075, [DIGITS] * 6),
    (0.3, [VERBS, "THE", COLOURS, OBJECTS, PREPOSITIONS, "THE", PLACES]),
    (0.2, [VERBS, OBJECTS, DIGITS, DIGITS, TAILS]),
    (0.2, [VERBS, DIGITS, COLOURS, OBJECTS, TAILS]),
)

# espeak-ng's accents and the variants (throats) spoken with; "" is the accent's own.
TRAIN_VARIANTS = {
    "en-us": "m1 m2 m3 m4 m6 m7 f1 f2 f3 f5 Andy Annie Alex linda steph edward rob Alicia victor".split() + [""],
    "en-gb": "m1 m3 f2 john belinda max".split() + [""],
    "en-gb-x-rp": ["f1"],
    "en-gb-scotland": "m2 f3 paul".split(),
    "en-gb-x-gbclan": ["f1"],
}
DEV_VARIANTS = {"en-us": ["m5", "f4"], "en-gb": ["m8"], "en-gb-scotland": ["f4"]}
# Nothing is chosen on these: they are for the last measurement alone.
TEST_VARIANTS = {"en-us": ["Michael", "anika"], "en-gb": ["benjamin", "Andrea"], "en-gb-x-rp": ["david"],
                 "en-gb-scotland": ["travis"]}


class Speaker(NamedTuple):
    number: int
    voice: str  # as espeak-ng's -v takes it
    speed_wpm: int
    pitch: int  # espeak-ng's scale, 0 to 99


class Utterance(NamedTuple):
    split: str
    speaker: int
    number: int
    text: str
    voice: str
    speed_wpm: int
    pitch: int

    @property
    def name(self):
        return f"{self.speaker}-{CHAPTER}-{self.number:04d}"

    @property
    def folder(self):
        return Path(self.split, str(self.speaker), str(CHAPTER))

    def speak_command(self):
        return ["espeak-ng", "-v", self.voice, "-s", str(self.speed_wpm), "-p", str(self.pitch),
                "--stdout", self.text.lower()]

    def encode_command(self):
        # -D: sox would dither with random numbers. --ignore-length: a WAV through a pipe does not
        # know its length.
        return ["sox", "-D", "-V1", "-t", "wav", "--ignore-length", "-",
                "-r", "16000", "-b", "16", "-c", "1", str(self.folder / f"{self.name}.flac")]


def draw_below(generator, bound):
    # random() is the only method whose sequence Python promises to keep from version to version.
    return int(generator.random() * bound)


def draw_sentence(generator):
    remainder = generator.random()
    for share, pattern in PATTERNS:
        if remainder < share:
            break
        remainder -= share
    return " ".join(words if isinstance(words, str) else words[draw_below(generator, len(words))]
                    for words in pattern)


def speakers_of(variants, first_number):
    """One speaker a voice; the base speed and pitch step through 160-180 and 40-60 side by side."""
    voices = [f"{accent}+{variant}" if variant else accent
              for accent, names in variants.items() for variant in names]
    return [Speaker(first_number + i, voice, 160 + 5 * (2 * i % 5), 40 + 5 * (i % 5))
            for i, voice in enumerate(voices)]


def plan_corpus(voices, train_utterances, dev_utterances, test_utterances=0):
    """Everything that will be spoken, as a pure function of the counts. No sentence occurs twice."""
    taken, utterances = set(), []
    splits = (("dev-demo", speakers_of(DEV_VARIANTS, 201), dev_utterances),
              ("train-demo", speakers_of(TRAIN_VARIANTS, 101), train_utterances),
              ("test-demo", speakers_of(TEST_VARIANTS, 301), test_utterances))
    for split, speakers, count in splits:
        for speaker in speakers[:voices]:
            generator = random.Random(speaker.number)
            for number in range(count):
                text = draw_sentence(generator)
                while text in taken:
                    text = draw_sentence(generator)
                taken.add(text)
                speed_wpm = speaker.speed_wpm - 15 + draw_below(generator, 36)
                pitch = speaker.pitch - 12 + draw_below(generator, 25)
                utterances.append(
                    Utterance(split, speaker.number, number, text, speaker.voice, speed_wpm, pitch))
    return utterances
