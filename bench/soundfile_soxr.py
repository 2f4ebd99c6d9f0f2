"""The fastest set-up of Python libraries for the same work: soundfile and soxr HQ in threads.

    soundfile_soxr.py FOLDER THREADS SECONDS   -> one JSON object on one line
"""
import collections
import concurrent.futures
import json
import resource
import sys
import time
from pathlib import Path

import numpy
import soundfile
import soxr

RATE_HZ, ROWS, QUEUE = 16000, 4, 4
FACTORS = (0.9, 1.0, 1.1)


def row(number, path):
    samples, _ = soundfile.read(path, dtype="float32")
    seconds = len(samples) / RATE_HZ
    factor = FACTORS[((number * 2654435761 & 0xFFFFFFFF) >> 16) % 3]
    if factor != 1.0:
        samples = soxr.resample(samples, factor * RATE_HZ, RATE_HZ, quality="HQ")
    samples = samples - samples.mean()
    samples *= 1 / numpy.sqrt(numpy.dot(samples, samples) / samples.size + 1e-7)
    return samples, seconds


def batch(first, files):
    rows = [row(first + i, files[(first + i) % len(files)]) for i in range(ROWS)]
    padded = numpy.zeros((ROWS, max(len(samples) for samples, _ in rows)), numpy.float32)
    for place, (samples, _) in zip(padded, rows):
        place[:len(samples)] = samples
    return padded, sum(seconds for _, seconds in rows)


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    folder, threads, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    files = sorted(map(str, folder.rglob("*.flac")))
    audio_s, first = 0.0, 0
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda i: batch(i, files), range(0, len(files), ROWS)))  # warms up
        waiting = collections.deque()
        start_s, start_cpu_s = time.monotonic(), cpu_s()
        while time.monotonic() - start_s < seconds:
            while len(waiting) < threads + QUEUE:
                waiting.append(pool.submit(batch, first, files))
                first += ROWS
            audio_s += waiting.popleft().result()[1]
        wall_s, took_cpu_s = time.monotonic() - start_s, cpu_s() - start_cpu_s
        # What is begun and not counted would count against the others, so it is left to finish.
        concurrent.futures.wait(waiting)
    print(json.dumps({"mode": "soundfile+soxr", "threads": threads, "audio_s": audio_s, "wall_s": wall_s,
                      "cpu_s": took_cpu_s,
                      "peak_rss_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    main()
