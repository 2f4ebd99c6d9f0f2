#!/usr/bin/env python3
"""The data side against its peers on the same files, by turns, and one table of what was asked.

    bench/data_side.py FOLDER [--rounds N] [--seconds S] [--build build]

FOLDER is searched for FLAC (16 kHz, mono, 16 bit). Every round runs each program once, and ratios
are taken within a round, so that a slow minute of a shared machine counts for both sides. The peers
need libflac-dev, libsoxr-dev and a C compiler, and Python's soundfile and soxr
(.venv/bin/pip install soxr==1.1.0); one that cannot run is named and left out.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def build_c_loop(folder):
    program = Path(folder) / "c_loop"
    command = ["cc", "-O3", "-march=native", HERE / "c_loop.c", "-o", program, "-lFLAC", "-lsoxr", "-lpthread", "-lm"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        say(f"the C loop is left out: {result.stderr.splitlines()[0]} (apt-get install libflac-dev libsoxr-dev)")
        return None
    return program


def python_with_peers():
    python = HERE.parent / ".venv/bin/python"
    result = subprocess.run([python, "-c", "import soundfile, soxr"], capture_output=True, text=True)
    if result.returncode:
        say(f"soundfile + soxr is left out: {result.stderr.splitlines()[-1]} (.venv/bin/pip install soxr==1.1.0)")
        return None
    return python


def say(text):
    print(f"data_side: {text}", file=sys.stderr, flush=True)


def write_graph(folder, scratch):
    """The graph of bench_data_side's mode `graph`, for the program itself."""
    nodes = {
        "corpus": {"type": "folder", "root": str(folder), "extensions": ["flac"]},
        "decode": {"type": "decode", "from": "corpus"},
        "perturb": {"type": "speed_perturb", "from": "decode", "factors": [0.9, 1.0, 1.1]},
        "normalize": {"type": "normalize", "from": "perturb"},
        "masks": {"type": "spec_augment", "from": "normalize"},
        "batch": {"type": "batch", "from": "masks", "size": 4},
    }
    path = Path(scratch) / "graph.json"
    path.write_text(json.dumps({"threads": 2, "nodes": nodes}))
    return path


def programs(build, folder, seconds, scratch):
    """What is run: name to command."""
    ours = build / "bench_data_side"
    if not ours.exists():
        raise SystemExit(f"data_side: {ours} is not there; build it: cmake --build --preset release")
    commands = {}
    for mode in ("decode", "decode-av"):
        commands[f"{mode}, 1 thread"] = [ours, folder, mode, "1", seconds]
    for threads in ("1", "2"):
        for mode in ("loop", "graph"):
            commands[f"{mode}, {threads} thread(s)"] = [ours, folder, mode, threads, seconds]
    commands["flowqat profile, 2 thread(s)"] = [build / "flowqat", "profile", "--json", "--seconds", seconds, "--graph",
                                                write_graph(folder, scratch)]
    if (c_loop := build_c_loop(scratch)):
        for threads in ("1", "2"):
            commands[f"C libFLAC + soxr HQ, {threads} thread(s)"] = [c_loop, folder, threads, seconds]
    if (python := python_with_peers()):
        commands["soundfile + soxr HQ, 2 thread(s)"] = [python, HERE / "soundfile_soxr.py", folder, "2", seconds]
    return commands


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"data_side: {command[0]} failed: {result.stderr.strip()}")
    measured = json.loads(result.stdout)
    if "x_realtime" in measured:
        return {"x": measured["x_realtime"], "cpu": measured["cpu_s_per_1000_s"], "rss": measured["peak_rss_bytes"] / 1e6}
    return {"x": measured["audio_s"] / measured["wall_s"], "cpu": 1000 * measured["cpu_s"] / measured["audio_s"],
            "rss": measured["peak_rss_bytes"] / 1e6}


def asked(rounds):
    """Name, what was asked, and the ratio in each round, for all whose programs ran."""
    graph, loop, c, python = ("graph, {} thread(s)", "loop, {} thread(s)", "C libFLAC + soxr HQ, {} thread(s)",
                              "soundfile + soxr HQ, 2 thread(s)")

    def ratio(value, ours, theirs):
        return lambda r: r[ours][value] / r[theirs][value]

    def scaling(name):
        return lambda r: r[name.format(2)]["x"] / r[name.format(1)]["x"]

    wanted = [
        ("speed, to soundfile + soxr HQ", ">= 1.6", ratio("x", graph.format(2), python)),
        ("speed, to the C loop", ">= 1.1", ratio("x", graph.format(2), c.format(2))),
        ("CPU time, to the C loop", "<= 0.92", ratio("cpu", graph.format(2), c.format(2))),
        ("CPU time of decoding, to libavformat + libavcodec", "<= 0.85",
         ratio("cpu", "decode, 1 thread", "decode-av, 1 thread")),
        ("scaling from 1 to 2 threads, to the C loop's", ">= 0.97", lambda r: scaling(graph)(r) / scaling(c)(r)),
        ("CPU time of the graph, to a plain loop of its nodes", "<= 1.03", ratio("cpu", graph.format(2), loop.format(2))),
        ("wall time of the graph, to a plain loop of its nodes", "<= 1.03",
         lambda r: r[loop.format(2)]["x"] / r[graph.format(2)]["x"]),
    ]
    wanted.append(("CPU time of flowqat profile, to the graph that it observes", "<= 1.01",
                   ratio("cpu", "flowqat profile, 2 thread(s)", graph.format(2))))
    for name, bound, of in wanted:
        try:
            yield name, bound, [of(r) for r in rounds]
        except KeyError:
            say(f"not compared: {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", default="4", help="each program, each round; %(default)s")
    parser.add_argument("--build", type=Path, default=HERE.parent / "build")
    arguments = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as scratch:
        commands = programs(arguments.build, arguments.folder, arguments.seconds, scratch)
        for number in range(arguments.rounds):
            say(f"round {number + 1} of {arguments.rounds}")
            rounds.append({name: run(command) for name, command in commands.items()})

    print("| program | x real time | CPU s per 1,000 s | peak RSS MB |\n|---|---:|---:|---:|")
    for name in rounds[0]:
        medians = [statistics.median(r[name][key] for r in rounds) for key in ("x", "cpu", "rss")]
        print("| {} | {:,.0f} | {:.3f} | {:.0f} |".format(name, *medians))
    print("\n| ratio within a round | asked | median | lowest | highest |\n|---|---:|---:|---:|---:|")
    for name, bound, ratios in asked(rounds):
        print(f"| {name} | {bound} | {statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |")


if __name__ == "__main__":
    main()
