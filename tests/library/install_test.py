"""`cmake --install` gives C programs what they need, and the program runs from where it was installed.

    install_test.py FLOWQAT BUILD_FOLDER

A consumer is built against the prefix with CMake's find_package() and with pkg-config, after the prefix was moved.
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import as_floats, make_models, run, speech, transcribed, write_wav

BUILD, PROGRAM = (Path(sys.argv.pop()) for _ in range(2)) if len(sys.argv) > 2 else (None,) * 2
ROOT = Path(__file__).parents[2]

CONSUMER = """
cmake_minimum_required(VERSION 3.22)
project(consumer LANGUAGES C)
find_package(flowqat 0.1 REQUIRED)
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE flowqat::flowqat)
"""


def example():
    """The program of docs/embedding.md, as it stands there."""
    return (ROOT / "docs" / "embedding.md").read_text().split("```c\n")[1].split("```")[0]


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "first")
        cls.prefix = cls.folder / "moved"
        shutil.move(cls.folder / "first", cls.prefix)
        cls.float, cls.int8 = make_models(PROGRAM, cls.folder)
        samples = speech(2, 16000, seed=9)
        write_wav(cls.folder / "heard.wav", samples, 16000)
        (cls.folder / "heard.f32").write_bytes(struct.pack(f"<{len(samples)}f", *as_floats(samples)))
        cls.expected = transcribed(PROGRAM, cls.int8, cls.folder / "heard.wav")[0]
        cls.source = cls.folder / "source"
        cls.source.mkdir()
        (cls.source / "consumer.c").write_text(example())
        (cls.source / "CMakeLists.txt").write_text(CONSUMER)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def check(self, consumer, **more):
        lines = run(consumer, self.int8, self.folder / "heard.f32", **more).splitlines()
        words = [f"{word['start_s']:6.2f} {word['end_s']:6.2f} {word['word']}" for word in self.expected["words"]]
        self.assertEqual(lines, words)
        self.assertGreater(len(words), 0)
        done = subprocess.run([consumer, self.float, self.folder / "heard.f32"], capture_output=True, text=True, **more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("flowqat quantize", done.stderr)

    def test_a_cmake_project_finds_it(self):
        build = self.folder / "with-cmake"
        run("cmake", "-S", self.source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        self.check(build / "consumer")

    def test_a_later_version_than_it_is_not_found(self):
        text = CONSUMER.replace("0.1 REQUIRED", "99 REQUIRED")
        later = self.folder / "later"
        shutil.copytree(self.source, later)
        (later / "CMakeLists.txt").write_text(text)
        done = subprocess.run(["cmake", "-S", later, "-B", later / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}"],
                              capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("99", done.stderr)

    def test_pkg_config_finds_it(self):
        files = list(self.prefix.rglob("flowqat.pc"))
        self.assertEqual(len(files), 1)
        flags = run("pkg-config", "--cflags", "--libs", "flowqat",
                    env={**os.environ, "PKG_CONFIG_PATH": str(files[0].parent)}).split()
        consumer = self.folder / "with-pkg-config"
        run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", consumer, self.source / "consumer.c", *flags)
        self.check(consumer, env={**os.environ, "LD_LIBRARY_PATH": str(files[0].parents[1])})

    def test_the_program_runs_from_there_with_its_libraries(self):
        program = self.prefix / "bin" / "flowqat"
        self.assertEqual(transcribed(program, self.int8, self.folder / "heard.wav")[0], self.expected)
        transcribed(program, self.float, self.folder / "heard.wav")  # by LibTorch
        run(program, "export", self.int8, "--onnx", self.folder / "onnx" / "model.onnx")


if __name__ == "__main__":
    unittest.main()
