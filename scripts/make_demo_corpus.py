#!/usr/bin/env python3
"""Makes the demo corpus: a small command language spoken by espeak-ng, laid out like LibriSpeech.

    scripts/make_demo_corpus.py OUT [--jobs N] [--voices N] [--train-utterances N] [--dev-utterances N]
                                [--test-utterances N]

    OUT/train-demo/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac   16 kHz, mono, 16 bit
    OUT/train-demo/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt   one "UTTERANCE WORDS" a line
    OUT/dev-demo/...                                           voices and sentences that training lacks
    OUT/test-demo/...                                          and others again, only if asked for
    OUT/demo-corpus.json                                       what was made, written last

The same arguments give the same bytes on the same machine (another version of espeak-ng, sox or
libFLAC may give others). OUT appears in one piece at the end, from OUT.partial; a corpus that is
already there and is what these arguments ask for is left as it is, and one that is not is replaced.
Needs espeak-ng and sox, and of Python only the standard library.
"""
import argparse
import concurrent.futures
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the scripts folder stays as it was checked out
from demo_corpus_plan import CHAPTER, plan_corpus

STAMP = "demo-corpus.json"


# Ctrl-C and an ordinary kill only set this, and the main thread looks at it between two waits. An
# exception out of a signal handler may strike while a lock is held and leave the pool stuck for ever.
interrupted = threading.Event()


class Interrupted(Exception):
    """The user asked to stop."""


class CorpusError(Exception):
    """A message for the user: what is wrong and what to do."""


def stamp_of(utterances):
    """What tells this corpus from another: a digest of every name, transcript and command."""
    plan = [(str(u.folder), u.name, u.text, u.speak_command(), u.encode_command()) for u in utterances]
    digest = hashlib.sha256(json.dumps(plan).encode()).hexdigest()
    return json.dumps({"utterances": len(utterances), "plan_sha256": digest}, indent=1) + "\n"


def check_tools(utterances):
    """espeak-ng speaks an unknown variant with the accent's own voice and says nothing: look first."""
    for tool, package in (("espeak-ng", "espeak-ng"), ("sox", "sox libsox-fmt-base")):
        if not shutil.which(tool):
            raise CorpusError(f"the program {tool} was not found: apt-get install {package}")
    listing = subprocess.run(["espeak-ng", "--voices=variant"], capture_output=True, text=True, check=True).stdout
    known = {word.removeprefix("!v/") for word in listing.split() if word.startswith("!v/")}
    wanted = {u.voice.split("+")[1] for u in utterances if "+" in u.voice}
    if wanted - known:
        raise CorpusError(f"espeak-ng lacks the voice variants {', '.join(sorted(wanted - known))}: "
                          "install espeak-ng 1.51 or newer with its data")


class Speaking:
    """The pipelines that are running, so that an interruption can end them."""

    def __init__(self, root):
        self.root = root
        self.lock = threading.Lock()
        self.running = set()
        self.stopped = False

    def start(self, command, **streams):
        with self.lock:
            if self.stopped:
                raise CorpusError("stopped")
            process = subprocess.Popen(command, cwd=self.root, stderr=subprocess.PIPE, **streams)
            self.running.add(process)
            return process

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()

    def speak(self, utterance):
        speak = self.start(utterance.speak_command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            encode = self.start(utterance.encode_command(), stdin=speak.stdout)
        except BaseException:
            speak.kill()
            raise
        finally:
            speak.stdout.close()  # the pipe is sox's alone, or espeak-ng never learns that sox ended
        encode_message = encode.communicate()[1]
        speak_message = speak.stderr.read()
        speak.stderr.close()
        failed = speak.wait() != 0 or encode.returncode != 0
        with self.lock:
            self.running -= {speak, encode}
        if failed:
            raise CorpusError(f"utterance {utterance.name} (voice {utterance.voice}): espeak-ng ended with "
                              f"{speak.returncode}, sox with {encode.returncode}: "
                              f"{(speak_message + encode_message).decode(errors='replace').strip()}")


def write_corpus(root, utterances, jobs):
    """Speaks every utterance, until the first that fails or until the user interrupts."""
    for folder in dict.fromkeys(u.folder for u in utterances):
        (root / folder).mkdir(parents=True)
        lines = [f"{u.name} {u.text}\n" for u in utterances if u.folder == folder]
        speaker = folder.parent.name
        (root / folder / f"{speaker}-{CHAPTER}.trans.txt").write_text("".join(lines), encoding="ascii")
    speaking = Speaking(root)
    shown_at = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            waiting = {pool.submit(speaking.speak, u) for u in utterances}
            while waiting:
                done, waiting = concurrent.futures.wait(waiting, timeout=0.2, return_when="FIRST_EXCEPTION")
                for future in done:
                    future.result()
                if interrupted.is_set():
                    raise Interrupted
                if time.monotonic() - shown_at > 5:
                    shown_at = time.monotonic()
                    say(f"{len(utterances) - len(waiting)} of {len(utterances)} utterances")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            speaking.stop()
            raise


def make(out, utterances, jobs):
    """Makes the corpus unless it is there; returns whether it had to."""
    stamp = stamp_of(utterances)
    if out.exists():
        stamp_file = out / STAMP
        if stamp_file.is_file():
            if stamp_file.read_text() == stamp:
                return False
            say(f"{out} is another version's or other arguments': making it anew")
        elif not out.is_dir() or any(out.iterdir()):
            raise CorpusError(f"{out} exists and was not made by this script (it has no {STAMP}): "
                              "name another folder, or remove it")
    check_tools(utterances)
    partial = out.with_name(out.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    handle = os.open(partial, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CorpusError(f"{partial} is being written by another process: wait for it to end") from None
        for entry in partial.iterdir():  # what an interrupted run left
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        write_corpus(partial, utterances, jobs)
        (partial / STAMP).write_text(stamp)
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    finally:
        os.close(handle)
    return True


def say(message):
    print(f"demo corpus: {message}", file=sys.stderr, flush=True)


def count(text):
    if not text.isdecimal() or not 1 <= int(text) <= 10000:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 10000, got '{text}'")
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to make")
    parser.add_argument("--jobs", type=count, default=len(os.sched_getaffinity(0)), help="at once; all cores")
    parser.add_argument("--voices", type=count, default=32,
                        help="the first N voices of each split; there are 32 for training and 4 for dev")
    parser.add_argument("--train-utterances", type=count, default=50, help="a training voice; %(default)s")
    parser.add_argument("--dev-utterances", type=count, default=120, help="a dev voice; %(default)s")
    parser.add_argument("--test-utterances", type=count, default=0, help="a test voice, of which there are 6; %(default)s")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    out = Path(os.path.abspath(arguments.out))
    utterances = plan_corpus(arguments.voices, arguments.train_utterances, arguments.dev_utterances,
                             arguments.test_utterances)
    started = time.monotonic()
    try:
        if make(out, utterances, arguments.jobs):
            say(f"{len(utterances)} utterances in {out}, {time.monotonic() - started:.1f} s")
        else:
            say(f"{out} is complete")
    except Interrupted:
        say(f"interrupted; {out} was not made, the next run starts again")
        return 130
    except (CorpusError, OSError) as error:
        say(f"failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
