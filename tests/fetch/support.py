"""What the tests of `flowqat fetch` share: calls of the program, tiny archives of splits."""

import gzip
import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
PROGRAM = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None


def clean_environment(**changes):
    """Without what the machine may say of proxies, tokens, caches and authorities."""
    names = ("proxy", "hf_", "hugging", "transformers", "curl_", "ssl_cert", "flowqat", "xdg")
    kept = {name: value for name, value in os.environ.items() if not any(n in name.lower() for n in names)}
    return {**kept, **{name: str(value) for name, value in changes.items()}}


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)
        self.environment = clean_environment()

    def call(self, *arguments, preexec=None):
        return subprocess.run([PROGRAM, *map(str, arguments)], env=self.environment, capture_output=True, text=True,
                              timeout=300, preexec_fn=preexec)

    def succeed(self, *arguments):
        result = self.call(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def fail_with(self, *arguments, status=1, preexec=None):
        """What a call that must fail said last, which is the error: a line, or one for each mistake."""
        result = self.call(*arguments, preexec=preexec)
        self.assertEqual(result.returncode, status, result.stderr)
        lines = result.stderr.splitlines()
        begins = [i for i, line in enumerate(lines) if line.startswith("flowqat: ")]
        self.assertTrue(begins and all(line.startswith("  ") for line in lines[begins[-1] + 1:]), result.stderr)
        self.everything = result.stdout + result.stderr
        return "\n".join(lines[begins[-1]:])

    def interrupt(self, ready, *arguments):
        """Starts the program and sends SIGINT as soon as ready() is true."""
        process = subprocess.Popen([PROGRAM, *map(str, arguments)], env=self.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        deadline_s = time.monotonic() + 120
        while not ready() and process.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.01)
        self.assertIsNone(process.poll(), "it ended by itself")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130, err)
        return err


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def split_files(split, size=200_000):
    """Names and contents of a split of two utterances; what is in them is for no decoder."""
    chapter = f"LibriSpeech/{split}/84/121123"
    return {
        "LibriSpeech/README.TXT": b"read me\n",
        "LibriSpeech/SPEAKERS.TXT": b"84 | F\n",
        f"{chapter}/84-121123.trans.txt": b"84-121123-0000 GO\n84-121123-0001 DO\n",
        f"{chapter}/84-121123-0000.flac": noise(size, 1),
        f"{chapter}/84-121123-0001.flac": noise(size, 2),
    }


def archive(members):
    """A .tar.gz of names and contents, or of TarInfo objects as they are."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for member in members.items() if isinstance(members, dict) else members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            name, content = member
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def md5(content):
    return hashlib.md5(content).hexdigest()


def files_below(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
