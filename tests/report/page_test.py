"""report.html of real runs: a page that is whole, leads nowhere, and has the numbers of the run's files.

    page_test.py FLOWQAT
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from small_world import ENVIRONMENT, call, make_world, metrics

PROGRAM = Path(sys.argv[1]).resolve()
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Sees to it that every element is closed in its turn, and keeps what stands in tables and headings."""

    def __init__(self, path):
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.open, self.tags, self.attributes = [], [], []
        self.headings, self.rows, self.titles = [], [], []
        self.feed(self.text)
        self.close()
        assert not self.open, self.open
        assert self.text.count("<!doctype html>") == 1

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3", "figcaption"):
            self.headings.append("")
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "title":
            self.titles.append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        for tags, list_ in ((("h1", "h2", "h3", "figcaption"), self.headings), (("title",), self.titles)):
            if any(tag in self.open for tag in tags):
                list_[-1] += data
        if self.open and any(tag in self.open for tag in ("td", "th")):
            self.rows[-1][-1] += data


def check_stands_alone(page):
    assert not {"script", "link", "img", "iframe", "object", "a", "base", "form"} & set(page.tags)
    for name, value in page.attributes:
        assert name not in ("href", "src", "srcset", "action", "data") and not name.startswith("on"), (name, value)
    for outside in ("http://", "https://", "url(", "@import", "javascript:"):
        assert outside not in page.text, outside
    assert not re.search(r"\b(nan|inf)\b", page.text)


def test_finished(root):
    out = root / "whole"
    done = call(PROGRAM, "run", root / "graph.json", "--out", out)
    assert done.returncode == 0, done.stderr
    page = Page(out / "report.html")
    check_stands_alone(page)
    assert "This run is <b>finished</b>" in page.text and 'http-equiv="refresh"' not in page.text
    for heading in ("Models", "Learning", "Speed", "Ranges of the quantizers", "Graph"):
        assert heading in page.headings, (heading, page.headings)
    assert any(heading.startswith("Worst utterances: wer-int8") for heading in page.headings)
    for figure in ("Loss", "Gradient norm", "Learning rate", "Audio trained on", "Share of the time"):
        assert any(heading.startswith(figure) for heading in page.headings), figure

    summary = json.loads((out / "summary.json").read_text())["evaluations"]["wer"]
    rows = {row[0]: row for row in page.rows if row and row[0] in summary["wer"]}
    assert rows.keys() == summary["wer"].keys()
    for model, row in rows.items():
        assert row[1] == f"{100 * summary['wer'][model]:.2f}" and row[2] == f"{100 * summary['cer'][model]:.2f}", row
        assert row[4] == f"{summary['size_bytes'][model] / 1e6:.2f}", row
        told = summary["differences"]["wer"].get(model)
        assert row[3].startswith(f"{100 * told['difference']:+.2f}" if told else ""), row

    # Each step's loss can be read from the picture of it.
    for line in metrics(out):
        if "learning_rate" in line:
            step = line["step"] + (12 if line["node"] == "adapt" else 0)
            told = [title for title in page.titles if title.startswith(f"{line['node']}, step {step}: ")]
            assert any(abs(float(title.rsplit(": ", 1)[1]) - line["loss"]) < 0.01 * line["loss"] for title in told), told

    ranges = [line for line in metrics(out) if "ranges" in line]
    assert ranges[0]["step"] == 0 and ranges[-1]["step"] == 12 and len(ranges) == 13
    layers = ranges[0]["ranges"]
    assert layers.keys() == ranges[-1]["ranges"].keys() and len(layers) > 10
    told = [row for row in page.rows if len(row) == 6 and row[1] in ("input", "weight", "output")]
    assert len(told) == 3 * len(layers)
    first, last = ({(name, part): reach for name, parts in line["ranges"].items() for part, reach in parts.items()}
                   for line in (ranges[0], ranges[-1]))
    for row in told:
        key = next((name, row[1]) for name in layers if name.removeprefix("wav2vec2.") == row[0])
        for text, (lowest, highest) in ((row[3], first[key]), (row[4], last[key])):
            assert text == f"{lowest:.3g} to {highest:.3g}", (row, lowest, highest)

    worst = re.findall(r'<div class="utterance"><b>(.*?)</b>.*?, (\d+) of', page.text)
    listed = [json.loads(line) for line in (out / "wer-int8.jsonl").read_text().splitlines()]
    listed = sorted((line for line in listed if line["errors"]), key=lambda line: -line["errors"])
    assert [int(errors) for _, errors in worst] == [line["errors"] for line in listed[:20]]

    # What the page is made of is there: one that is gone is made again.
    (out / "report.html").unlink()
    done = call(PROGRAM, "run", "--resume", out)
    assert done.returncode == 0, done.stderr
    again = Page(out / "report.html")
    assert again.headings == page.headings and again.titles == page.titles


def test_rejected(root):
    out = root / "rejected"
    broken = root / "audio" / "train-4.wav"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-4000])  # its header promises more
    done = call(PROGRAM, "run", root / "graph.json", "--out", out)
    broken.write_bytes(whole)
    assert done.returncode == 0, done.stderr
    page = Page(out / "report.html")
    check_stands_alone(page)
    told = json.loads((out / "summary.json").read_text())["utterances"]["rejected"]
    assert "Rejected" in page.headings and f"<p>{told} by " in page.text, told
    assert any("train-4" in row[0] for row in page.rows if row)


def test_failed(root):
    """On a disk that takes no large file."""
    out = root / "failed"
    limited = f"ulimit -f 120; exec '{PROGRAM}' run '{root / 'graph.json'}' --out '{out}'"
    done = subprocess.run(["bash", "-c", limited], env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 3, (done.returncode, done.stderr)
    page = Page(out / "report.html")
    check_stands_alone(page)
    assert "This run is <b>failed</b>" in page.text
    told = json.loads((out / "stopped.json").read_text())
    assert told["state"] == "failed" and told["why"] in done.stderr, (told, done.stderr)


def test_interrupted(root):
    out = root / "stopped"
    process = subprocess.Popen([PROGRAM, "run", str(root / "graph.json"), "--out", str(out), "--set", "learn.epochs=5000"],
                               env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pages = set()
    while len(pages) < 2 or (out / "metrics.jsonl").read_text().count("\n") < 30:
        assert process.poll() is None
        if (out / "report.html").is_file():
            page = Page(out / "report.html")  # whole, whenever it is read
            assert "This run is <b>running</b>" in page.text and 'http-equiv="refresh"' in page.text
            pages.add(page.text)
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM
    page = Page(out / "report.html")
    assert "This run is <b>interrupted</b>" in page.text and 'http-equiv="refresh"' not in page.text
    last = [line for line in metrics(out) if "learning_rate" in line][-1]
    assert f">{last['step']:,}<" in page.text


with tempfile.TemporaryDirectory() as folder:
    world = Path(folder)
    make_world(world)
    test_finished(world)
    test_rejected(world)
    test_failed(world)
    test_interrupted(world)
print("pages stand alone and tell what the files tell")
