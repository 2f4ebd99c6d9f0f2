"""A build with -DFLOWQAT_TORCH=OFF: small, one program, true to the other build's numbers, and clear about what it lacks.

    without_torch_test.py FLOWQAT BUILD_FOLDER

Builds it in BUILD_FOLDER, packs its tarball, and tries what comes out of that.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import make_models, run, speech, transcribed, write_wav

BUILD, PROGRAM = (Path(sys.argv.pop()) for _ in range(2)) if len(sys.argv) > 2 else (None,) * 2
ROOT = Path(__file__).parents[2]
MOST_BYTES = 15e6  # of the program, stripped

# What the target machine has to have: its C library, and the kernel's part.
OF_THE_SYSTEM = ("linux-vdso", "ld-linux", "libc.so", "libm.so", "libdl.so", "librt.so", "libpthread.so", "libresolv.so",
                 "libmvec.so", "libanl.so", "libutil.so")


class WithoutTorch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        run("cmake", "-G", "Ninja", "-S", ROOT, "-B", BUILD, "-DCMAKE_BUILD_TYPE=Release", "-DFLOWQAT_TORCH=OFF", "-Wno-dev")
        run("cmake", "--build", BUILD, "--target", "flowqat")
        run("cmake", "--build", BUILD, "--target", "flowqat_library")
        for old in BUILD.glob("*.tar.gz"):
            old.unlink()
        run("cpack", cwd=BUILD)
        (tarball,) = BUILD.glob("flowqat-*.tar.gz")
        (cls.folder / "unpacked").mkdir()
        run("tar", "-xzf", tarball, "-C", cls.folder / "unpacked")
        (cls.unpacked,) = (cls.folder / "unpacked").iterdir()
        cls.program = cls.unpacked / "bin" / "flowqat"
        cls.float, cls.int8 = make_models(PROGRAM, cls.folder)
        write_wav(cls.folder / "heard.wav", speech(2.5, 22050, seed=4), 22050)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def refused(self, *arguments):
        """What it says where it cannot do something: 2 for a graph, of which nothing was begun."""
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, cwd=self.folder, env={})
        self.assertEqual(done.returncode, 2 if str(self.folder / "graph.json") in map(str, arguments) else 1, done.stderr)
        return done.stderr

    def test_the_program_is_small_and_the_tarball_needs_only_the_c_library(self):
        self.assertLess(self.program.stat().st_size, MOST_BYTES)
        loaded = [line.split()[0:3:2] for line in run("ldd", self.program).splitlines()]
        for name, *place in loaded:
            with self.subTest(name):
                self.assertTrue(name.split("/")[-1].startswith(OF_THE_SYSTEM) or place[0].startswith(str(self.unpacked)), place)
        self.assertGreater(len(loaded), len(OF_THE_SYSTEM))
        self.assertEqual([str(path) for path in self.unpacked.rglob("*torch*")], [])

    def test_it_hears_what_the_other_build_hears(self):
        found = transcribed(self.program, self.int8, self.folder / "heard.wav", self.folder / "found")
        self.assertEqual(found[1], transcribed(PROGRAM, self.int8, self.folder / "heard.wav", self.folder / "expected")[1])
        self.assertGreater(len(found[0]["words"]), 0)
        arguments = ("evaluate", self.int8, "--manifest", self.folder / "corpus.csv", "--json")
        evaluations = [json.loads(run(program, *arguments)) for program in (self.program, PROGRAM)]
        self.assertEqual(*[(one["wer"], one["cer"], one["utterances"]) for one in evaluations])

    def test_it_prepares_data(self):
        self.assertIn("3", run(self.program, "inspect", self.folder / "corpus.csv"))
        run(self.program, "nodes")
        self.assertIn("LibTorch none in this build", run(self.program, "--version"))

    def test_what_it_cannot_do_it_says(self):
        corpus = ("--manifest", self.folder / "corpus.csv")
        for arguments in (("transcribe", self.float, self.folder / "heard.wav"),
                          ("transcribe", self.int8, self.folder / "heard.wav", "--kernels", "exact"),
                          ("evaluate", self.float, *corpus),
                          ("quantize", self.float, *corpus, "--out", self.folder / "new"),
                          ("ranges", self.float, *corpus),
                          ("validate", self.folder / "graph.json"),
                          ("run", self.folder / "graph.json", "--overwrite"),
                          ("export", self.float, "--onnx", self.folder / "onnx" / "model.onnx")):
            with self.subTest(arguments[0]):
                self.assertIn("is not part of this build of flowqat", self.refused(*arguments))


if __name__ == "__main__":
    unittest.main()
