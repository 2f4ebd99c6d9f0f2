"""Processes of a group (member.cpp), driven by a test through their pipes."""

import json
import os
import signal
import socket
import subprocess
import threading
import time


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Member:
    def __init__(self, program, told, environment=None):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GLOO_", "TORCHELASTIC_"))}
        self.process = subprocess.Popen([program, json.dumps(told)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**kept, **(environment or {})})
        self.errors = []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def tell(self, do, **what):
        self.process.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"ended with {self.process.wait()}: {''.join(self.errors)}")
        return json.loads(line)

    def answers_until(self, last):
        answers = []
        while not answers or answers[-1] != last:
            answers.append(self.answer())
            if isinstance(answers[-1], dict) and "error" in answers[-1]:
                raise AssertionError(answers[-1])
        return answers[:-1]

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)

    def end(self):
        """Its exit status, when its input has ended."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(60)

    def said(self):
        """On its stderr, when it has ended."""
        self.process.wait(60)
        self.reader.join()
        return "".join(self.errors)

    def cleanup(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        self.reader.join()
        self.process.stderr.close()


class Group:
    """Some processes; those of `ranks` are started."""

    def __init__(self, program, size, ranks=None, environment=None, **told):
        port = told.pop("port", None) or free_port()
        self.members = {}
        for rank in range(size) if ranks is None else ranks:
            self.members[rank] = Member(program, {"rank": rank, "size": size, "port": port, **told}, environment)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for member in self.members.values():
            member.cleanup()

    def __getitem__(self, rank):
        return self.members[rank]

    def joined(self):
        for rank, member in self.members.items():
            answer = member.answer()
            assert answer == "joined", (rank, answer)
        return self

    def tell(self, do, but=(), **what):
        for rank, member in self.members.items():
            if rank not in but:
                member.tell(do, **what)

    def answers(self, but=()):
        return {rank: member.answer() for rank, member in self.members.items() if rank not in but}

    def failures(self, but=()):
        """What the others say, each with the seconds until it had ended."""
        start = time.monotonic()
        told = {}
        for rank, member in self.members.items():
            if rank in but:
                continue
            answer = member.answer()
            status = member.process.wait(60)
            told[rank] = (answer, status, time.monotonic() - start)
        return told
