"""Where the commands of the pages are run: a folder that looks like a checkout after the quickstart, and a network.

The program, scripts and graphs are the project's own. The demo corpus has a few utterances and the model is trained for
an epoch over them; LibriSpeech and the Hub are servers on loopback that have the same utterances and the same model.
"""

import csv
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import wave
from pathlib import Path

from pages import ROOT

sys.path.insert(0, str(ROOT / "tests" / "fetch"))
from server import File, Server  # noqa: E402
from support import PROGRAM, archive, clean_environment, md5  # noqa: E402

LINKED = ("configs", "scripts", "bench", "tests")
MODEL, COMMIT = "facebook/wav2vec2-base-960h", "0123456789abcdef0123456789abcdef01234567"
SPLITS = ("train-clean-100", "train-clean-360", "train-other-500", "dev-clean", "dev-other")

# In place of scripts/quickstart.sh, which sets the machine up, builds, and trains for minutes.
SHORT = "--set learn.epochs=1 --set adapt.epochs=1 --set observe.batches=4"
QUICKSTART = (
    "scripts/make_demo_corpus.py data/demo --voices 2 --train-utterances 8 --dev-utterances 4",
    f"build/flowqat --graph configs/quickstart.json --overwrite {SHORT}",
)

# Of a reader's own recordings, written as people write.
VERBS, THINGS = ("Open", "Close", "Find", "Take"), ("the window", "the red box", "a book")
SENTENCES = [f"{verb} {thing}, please." for verb in VERBS for thing in THINGS]


def write_wav(path, samples, rate_hz=16000):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", round(32767 * sample)) for sample in samples))


class World:
    def __init__(self, root):
        self.root = Path(root)
        for name in LINKED:
            (self.root / name).symlink_to(ROOT / name)
        (self.root / "docs").mkdir()  # the program writes pages there
        (self.root / "build").symlink_to(PROGRAM.parent)
        if (ROOT / ".venv").exists():
            (self.root / ".venv").symlink_to(ROOT / ".venv")
        self.corpora, self.hub = Server(), Server()
        self.environment = clean_environment(
            PATH=f"{PROGRAM.parent}:{self.root}/bin:{os.environ['PATH']}", XDG_CACHE_HOME=self.root / "cache",
            HF_HOME=self.root / "home", HF_ENDPOINT=self.hub.url, FLOWQAT_LIBRISPEECH_TABLE=self.root / "table.json", COLUMNS="100")

    def __enter__(self):
        self.corpora.__enter__(), self.hub.__enter__()
        self.bring()
        for command in QUICKSTART:
            done = self.run(command)
            if done.returncode != 0:
                raise RuntimeError(f"{command}\n{done.stderr}")
        self.publish_model()
        self.publish_corpora()
        self.bring_what_helps_name()
        return self

    def __exit__(self, *problem):
        self.corpora.__exit__(*problem), self.hub.__exit__(*problem)

    def run(self, command, time_limit_s=600):
        return subprocess.run(["bash", "-euc", command], cwd=self.root, env=self.environment, capture_output=True,
                              text=True, timeout=time_limit_s, stdin=subprocess.DEVNULL)

    def bring(self):
        """What is a reader's own: recordings with a table of transcripts, noise, and the echo of a room."""
        (self.root / "data/mine").mkdir(parents=True)
        rows = [("file", "transcript")]
        for number, text in enumerate(SENTENCES):
            rows.append((f"{number:02}.wav", text))
            subprocess.run(["espeak-ng", "-w", self.root / "data/mine" / rows[-1][0], text], check=True)
        with open(self.root / "data/mine/transcripts.csv", "w", newline="") as table:
            csv.writer(table).writerows(rows)
        generator = random.Random(1)
        write_wav(self.root / "data/noise/hiss.wav", [generator.uniform(-0.3, 0.3) for _ in range(16000)])
        write_wav(self.root / "data/rooms/echo.wav", [0.9 if i == 0 else 0.4 if i == 1600 else 0 for i in range(3200)])

    def bring_what_helps_name(self):
        """The examples of the help texts speak of files and folders of anyone's own."""
        shutil.copytree(self.root / "runs/quickstart/float", self.root / "models/mine")
        shutil.copytree(self.root / "runs/quickstart/int8", self.root / "models/quantized")
        for place in ("data/dev/dev-demo", "data/LibriSpeech/test-clean"):
            shutil.copytree(self.root / "data/demo/dev-demo", self.root / place)
        for name in ("recording.flac", "recording.wav", "film.mkv"):  # FFmpeg goes by what is in a file
            shutil.copy(self.root / "data/mine/00.wav", self.root / name)
        for name in ("corpus.jsonl", "test.jsonl"):
            line = {"audio_filepath": "recording.wav", "text": SENTENCES[0]}
            (self.root / name).write_text(json.dumps(line) + "\n")
        dot = self.root / "bin/dot"  # Graphviz is no part of the set-up: this takes its input and its options
        dot.parent.mkdir()
        dot.write_text('#!/bin/sh\ngrep -q "^digraph" && echo "<svg/>" >"$3"\n')
        dot.chmod(0o755)

    def paths(self):
        return {path for folder in (".", "runs", "models", "data") for path in (self.root / folder).iterdir()}

    def remember(self):
        self.remembered = self.paths()

    def forget(self):
        """Removes what commands left since remember()."""
        for path in self.paths() - self.remembered:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def publish_model(self):
        files = {path.name: path.read_bytes() for path in (self.root / "runs/quickstart/float").iterdir()}
        listing = {"sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        self.hub.files[f"/api/models/{MODEL}/revision/main"] = File(json.dumps(listing).encode())
        for name, content in files.items():
            tag = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            file = File(content, {"X-Repo-Commit": COMMIT}, etag=f'"{tag}"')
            for revision in (COMMIT, "main"):
                self.hub.files[f"/{MODEL}/resolve/{revision}/{name}"] = file

    def publish_corpora(self):
        """The demo's dev split under the names of LibriSpeech's."""
        table = {}
        for split in SPLITS:
            files = {"LibriSpeech/README.TXT": b"a few utterances of the demo\n"}
            for path in sorted((self.root / "data/demo/dev-demo").rglob("*")):
                if path.is_file():
                    files[f"LibriSpeech/{split}/{path.relative_to(self.root / 'data/demo/dev-demo')}"] = path.read_bytes()
            content = archive(files)
            self.corpora.files[f"/{split}.tar.gz"] = File(content)
            table[split] = {"bytes": len(content), "md5": md5(content)}
        (self.root / "table.json").write_text(json.dumps(table))
