#!/usr/bin/env python3
"""Makes bootstrap.json, intervals of the difference of two error rates, with numpy:

    .venv/bin/python tests/golden/make_bootstrap.py

`exact`: of the very resamples that nodes/support/bootstrap.h defines, drawn here anew. `independent`: of resamples
that numpy's own generator draws, ten times as many; these agree only as closely as chance allows.
"""

import json
import pathlib

import numpy

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def finalize(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def mix(keys):
    state = GOLDEN
    for key in keys:
        state = finalize((state + GOLDEN) & MASK) ^ key
    return finalize((state + GOLDEN) & MASK)


class RandomStream:
    def __init__(self, key):
        self.state = key

    def below(self, count):
        while True:
            self.state = (self.state + GOLDEN) & MASK
            product = finalize(self.state) * count
            if (product & MASK) >= (1 << 64) % count:
                return product >> 64


def rate_difference(pairs):
    """Over the last axis but one of [..., utterances, 4]."""
    errors, references, other_errors, other_references = numpy.moveaxis(pairs.sum(axis=-2), -1, 0)
    return errors / numpy.maximum(references, 1) - other_errors / numpy.maximum(other_references, 1)


def summary(differences):
    low, high = numpy.percentile(differences, [2.5, 97.5])
    return dict(low=low, high=high, probability_of_improvement=float((differences < 0).mean()))


def exact(pairs, seed, resamples):
    differences = []
    for resample in range(resamples):
        stream = RandomStream(mix([seed, resample]))
        differences.append(rate_difference(pairs[[stream.below(len(pairs)) for _ in pairs]]))
    return summary(numpy.array(differences))


def independent(pairs, resamples):
    random = numpy.random.default_rng(7)
    differences = [
        rate_difference(pairs[random.integers(len(pairs), size=(1000, len(pairs)))])
        for _ in range(resamples // 1000)
    ]
    return summary(numpy.concatenate(differences))


def utterances(count, rate, change, seed):
    """Two models that mostly make the same errors."""
    random = numpy.random.default_rng(seed)
    words = random.integers(0, 25, size=count)
    other = random.binomial(words, rate)
    errors = numpy.maximum(other + random.poisson(abs(change) * words) * (1 if change > 0 else -1), 0)
    return numpy.stack([errors, words, other, words], axis=1)


def case(pairs, seed, resamples):
    return dict(
        utterances=pairs.tolist(),
        seed=seed,
        resamples=resamples,
        difference=float(rate_difference(pairs)),
        exact=exact(pairs, seed, resamples),
        independent=independent(pairs, 10 * resamples),
    )


def main():
    different = utterances(60, 0.1, 0.0, 4)
    different[:, 1] += numpy.arange(60) % 3  # references that are not the same for both
    cases = [
        case(utterances(200, 0.1, 0.01, 1), 1, 2000),
        case(utterances(200, 0.1, -0.004, 2), 1, 2000),
        case(utterances(7, 0.3, 0.2, 3), 2**63 + 5, 2000),
        case(different, 3, 1000),
    ]
    path = pathlib.Path(__file__).with_name("bootstrap.json")
    path.write_text("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")


if __name__ == "__main__":
    main()
