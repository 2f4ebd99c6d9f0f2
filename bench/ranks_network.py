#!/usr/bin/env python3
"""How a step of several processes takes longer as the network between them gets slower: as root, on Linux.

    sudo bench/ranks_network.py [--rates none,1gbit,100mbit,20mbit] [--ranks 2] [--steps 20] [--rounds 3]
                                [--root data/demo] [--split train-demo] [--config configs/tiny-wav2vec2]

Each process lives in a network namespace of its own, with one compute thread; a bridge joins them, and what each sends is
held to a rate (a token bucket, tc-tbf). A step of W processes sends and receives 2 (W - 1) / W of the gradient's bytes at
each of them (Patarasuk & Yuan 2009, the ring), so that it should take as much longer than without a limit as those bytes
take at the rate, less what goes on while the backward still computes. Prints a table in Markdown of both.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ranks import ROOT, graph  # noqa: E402

BRIDGE, NAME, NET = "flowqat-br", "flowqat-r{}", "10.213.0.{}"
PORT = 29617


def ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True)


@contextmanager
def network(ranks):
    """A namespace for each rank, on one bridge."""
    with ExitStack() as stack:
        ip("link", "add", BRIDGE, "type", "bridge")
        stack.callback(ip, "link", "del", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for rank in range(ranks):
            name, outside = NAME.format(rank), f"fqout{rank}"
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
            ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", outside, "master", BRIDGE, "up")
            ip("-n", name, "addr", "add", NET.format(rank + 1) + "/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                ip("-n", name, "link", "set", device, "up")
        yield


def hold(ranks, rate):
    for rank in range(ranks):
        inside = ["ip", "netns", "exec", NAME.format(rank), "tc", "qdisc"]
        subprocess.run([*inside, "del", "dev", "eth0", "root"], capture_output=True)
        if rate != "none":
            subprocess.run([*inside, "add", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "256kb", "latency", "100ms"],
                           check=True)


def bits_per_s(rate):
    for unit, factor in (("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3)):
        if rate.endswith(unit):
            return float(rate[:-len(unit)]) * factor
    raise SystemExit(f"--rates: {rate}: expected none, or a number with kbit, mbit or gbit")


def run(program, file, out, ranks):
    """Milliseconds a step, the median of all but the first two, and the bytes of the gradient."""
    processes = []
    for rank in range(ranks):
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "RANK": str(rank), "WORLD_SIZE": str(ranks),
                       "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": NET.format(1), "MASTER_PORT": str(PORT),
                       "GLOO_SOCKET_IFNAME": "eth0"}
        command = ["ip", "netns", "exec", NAME.format(rank), str(program), "run", str(file), "--out", str(out)]
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.PIPE, text=True))
    for process in processes:
        said = process.communicate()[1]
        if process.returncode != 0:
            raise SystemExit(said)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    lines = [line for line in lines if "learning_rate" in line]
    times = [1000 * (after["wall_s"] - before["wall_s"]) for before, after in zip(lines[1:], lines[2:])]
    summary = json.loads((out / "summary.json").read_text())
    return statistics.median(times), next(iter(summary["evaluations"]["wer"]["size_bytes"].values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rates", "none,1gbit,100mbit,20mbit"), ("root", "data/demo"), ("split", "train-demo"),
                          ("dev", "dev-demo"), ("config", "configs/tiny-wav2vec2"), ("program", "build/flowqat")):
        parser.add_argument(f"--{name}", default=default)
    for name, default in (("ranks", 2), ("steps", 20), ("rounds", 3), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.set_defaults(start="", lr=1e-3)
    given = parser.parse_args()
    rates = given.rates.split(",")
    found = {rate: [] for rate in rates}
    with tempfile.TemporaryDirectory(prefix="flowqat-ranks-") as folder, network(given.ranks):
        file = Path(folder) / "graph.json"
        file.write_text(json.dumps(graph(given)))
        for number in range(given.rounds):
            for rate in rates:
                hold(given.ranks, rate)
                step_ms, gradient_bytes = run(ROOT / given.program, file, Path(folder) / f"{number}-{rate}", given.ranks)
                found[rate].append(step_ms)
                print(f"{rate}: {step_ms:.0f} ms a step", file=sys.stderr, flush=True)
    free_ms = statistics.median(found[rates[0]])
    sent = 2 * (given.ranks - 1) / given.ranks * gradient_bytes
    print(f"{given.ranks} processes, {1e-6 * gradient_bytes:.1f} MB of gradients\n")
    print("| rate | ms a step | longer than the first by | its bytes take |\n|---|---|---|---|")
    for rate, times in found.items():
        step_ms = statistics.median(times)
        takes = "" if rate == "none" else f"{1000 * 8 * sent / bits_per_s(rate):.0f} ms"
        print(f"| {rate} | {step_ms:.0f} | {step_ms - free_ms:.0f} ms | {takes} |")


if __name__ == "__main__":
    main()
