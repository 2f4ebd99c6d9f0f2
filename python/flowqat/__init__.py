"""Speech to text with flowqat's int8 models.

    import flowqat
    recognizer = flowqat.load("models/mine-int8")
    print(recognizer.transcribe(samples, 16000).text)
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy
import numpy.typing

from ._native import Error, Native

__all__ = ["Error", "Recognizer", "Transcript", "Word", "load"]


@dataclass(frozen=True)
class Word:
    """A word, and in seconds from the first sample where its first character begins and its last one ends."""

    word: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Transcript:
    text: str
    words: list[Word]
    duration_s: float


def _samples(array: numpy.typing.ArrayLike) -> numpy.ndarray:
    """As the recogniser takes them: float32, one after the other."""
    array = numpy.asarray(array)
    if array.ndim != 1:
        raise ValueError(f"array: expected one channel, an array of shape (samples,), found {array.shape}; "
                         "take one channel, or the mean of all")
    if array.dtype == numpy.int16:
        return array.astype(numpy.float32) / numpy.float32(32768)
    if array.dtype == numpy.float32:
        return numpy.ascontiguousarray(array)
    raise TypeError(f"array: expected float32 from -1 to 1 or int16, found {array.dtype}; "
                    "array.astype('float32') makes it so where the values are from -1 to 1")


class Recognizer:
    """An int8 model, for any number of threads at once; each call releases the interpreter's lock."""

    def __init__(self, folder: str | os.PathLike[str], threads: int = 0, kernels: str | None = None) -> None:
        self._native = Native(os.fspath(folder), threads, kernels)

    def transcribe(self, array: numpy.typing.ArrayLike, rate_hz: int) -> Transcript:
        """What is said in one channel of float32 (-1 to 1) or int16 samples, at any rate; what `flowqat transcribe` says."""
        text, words, duration_s = self._native.transcribe(_samples(array), rate_hz)
        return Transcript(text, [Word(*word) for word in words], duration_s)

    def logits(self, array: numpy.typing.ArrayLike, rate_hz: int) -> numpy.ndarray:
        """The scores of every frame before the softmax, float32 of shape (frames, len(tokens))."""
        return self._native.logits(_samples(array), rate_hz)

    @property
    def rate_hz(self) -> int:
        """The rate that the model hears: samples of it are not resampled."""
        return self._native.rate_hz

    @property
    def frame_s(self) -> float:
        """From one frame to the next, in seconds."""
        return self._native.frame_s

    @property
    def tokens(self) -> list[str]:
        """The text of each token; empty for one that is not used."""
        return self._native.tokens

    @property
    def blank(self) -> int:
        """The token that is the blank of CTC."""
        return self._native.blank

    @property
    def notes(self) -> list[str]:
        """What the user should hear of the folder, a sentence each."""
        return self._native.notes


def load(folder: str | os.PathLike[str], threads: int = 0, kernels: str | None = None) -> Recognizer:
    """Loads an int8 model's folder, as `flowqat quantize` and `flowqat convert` leave it.

    `threads` compute, the caller's among them; 0: as many as there are cores. `kernels` is None, the fastest that the
    processor has, or a target by name ("avx2"); scores are the same, bit for bit, with all of them. Raises Error.
    """
    return Recognizer(folder, threads, kernels)
