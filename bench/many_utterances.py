#!/usr/bin/env python3
"""A corpus of very many utterances in LibriSpeech's layout, to time the index with.

    bench/many_utterances.py FLAC_FOLDER OUT [--utterances 280000]

Every utterance is a hard link to one of the FLAC files of FLAC_FOLDER (a copy where OUT is on another
disk): 120 a chapter, 2 chapters a speaker, transcripts of 30 words. OUT must not exist.
"""
import argparse
import itertools
import os
import shutil
from pathlib import Path


def link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flac_folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--utterances", type=int, default=280000)
    arguments = parser.parse_args()
    sources = sorted(arguments.flac_folder.rglob("*.flac"))[:50]
    if not sources:
        raise SystemExit(f"many_utterances: {arguments.flac_folder} holds no FLAC")
    arguments.out.mkdir(parents=True)
    local = arguments.out / "source"  # links do not cross disks
    local.mkdir()
    for number, source in enumerate(sources):
        shutil.copyfile(source, local / f"{number}.flac")
    sources = itertools.cycle(sorted(local.iterdir()))
    words = " ".join(f"WORD{i}" for i in range(30))
    for chapter_number, first in enumerate(range(0, arguments.utterances, 120)):
        speaker, chapter = str(1000 + chapter_number // 2), str(100000 + chapter_number)
        folder = arguments.out / "train-many" / speaker / chapter
        folder.mkdir(parents=True)
        names = [f"{speaker}-{chapter}-{i:04d}" for i in range(min(120, arguments.utterances - first))]
        for name in names:
            link(next(sources), folder / f"{name}.flac")
        (folder / f"{speaker}-{chapter}.trans.txt").write_text("".join(f"{name} {words}\n" for name in names))


if __name__ == "__main__":
    main()
