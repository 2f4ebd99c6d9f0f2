"""`flowqat fetch librispeech` from a server that is slow, breaks off, or has changed its mind.

    librispeech_test.py FLOWQAT
"""

import subprocess
import unittest

from support import PROGRAM
from splits import Fetch
from server import Cut, File, Server, Silent, Slow, Status


class WhatComes(Fetch):
    def test_splits_are_fetched_verified_and_unpacked_and_then_nothing_is_asked(self):
        self.add("dev-other")
        result = self.succeed(*self.arguments("dev-clean", "dev-other"))
        self.assertEqual(result.stdout, f"{self.folder}\n")
        self.assertIn(f"(dev-clean, dev-other) to {self.folder}, from {self.server.url}", result.stderr)
        self.assert_whole("dev-clean", "dev-other")
        self.server.requests.clear()
        times = {path: path.stat().st_mtime_ns for path in self.to.rglob("*")}
        again = self.succeed(*self.arguments("dev-clean", "dev-other"))
        self.assertIn("dev-clean: is there already", again.stderr)
        self.assertEqual(self.server.requests, [])
        self.assertEqual(times, {path: path.stat().st_mtime_ns for path in self.to.rglob("*")})

    def test_to_may_be_the_librispeech_folder_itself(self):
        self.to = self.folder
        self.succeed(*self.arguments())
        self.assertTrue((self.folder / "dev-clean").is_dir())

    def test_a_slow_server_is_waited_for(self):
        self.file.troubles = [Slow(piece=40_000, pause_s=0.1)]
        self.succeed(*self.arguments())
        self.assertEqual(len(self.requests()), 1)
        self.assert_whole()

    def test_redirects_are_followed(self):
        with Server() as other:
            other.files["/mirror/d"] = File(self.file.content)
            self.file.redirect = other.url + "/mirror/d?signature=abc"
            self.succeed(*self.arguments())
            self.assertEqual(len(other.requests), 1)
        self.assert_whole()

    def test_a_redirect_in_a_circle_is_an_error(self):
        self.file.redirect = self.server.url + "/dev-clean.tar.gz"
        self.assertIn("more than 10 times", self.fail_with(*self.arguments()))

    def test_what_breaks_off_goes_on_where_it_was(self):
        for trouble in (Cut(150_000), Cut(150_000, reset=True)):
            with self.subTest(trouble=trouble):
                self.server.requests.clear()
                self.file.troubles = [trouble, Status(503)]
                self.succeed(*self.arguments())
                first, refused, last = [request.headers for request in self.requests()]
                self.assertNotIn("range", first)
                self.assertEqual(refused["range"], last["range"])
                self.assertEqual(last["if-range"], self.file.tag())
                if not trouble.reset:  # a reset may lose what was sent before it
                    self.assertEqual(last["range"], "bytes=150000-")
                self.assert_whole()
                subprocess.run(["rm", "-r", self.to], check=True)

    def test_silence_is_given_up(self):
        self.file.troubles = [Silent(after=100_000, for_s=60)]
        self.succeed(*self.arguments(), "--timeout-s", 1)
        self.assertEqual(self.requests()[1].headers["range"], "bytes=100000-")
        self.assert_whole()

    def test_a_file_without_a_length_is_fetched_and_its_end_is_noticed(self):
        self.file.sized = False
        self.file.troubles = [Cut(150_000)]
        self.succeed(*self.arguments())
        self.assertEqual(len(self.requests()), 2)
        self.assert_whole()

    def test_a_server_without_ranges_sends_it_all_again(self):
        self.file.ranges = False
        self.file.troubles = [Cut(150_000)]
        result = self.succeed(*self.arguments())
        self.assertIn("cannot send a file from its middle on", result.stderr)
        self.assert_whole()

    def test_a_server_that_always_breaks_off_and_has_no_ranges_is_given_up(self):
        self.file.ranges = False
        self.file.troubles = [Cut(150_000)] * 20
        self.assertIn("tried", self.fail_with(*self.arguments()))
        self.assertLess(len(self.requests()), 6)
        self.assert_not_there(150_000)

    def test_retry_after_is_waited_for(self):
        self.file.troubles = [Status(429, {"Retry-After": "2"})]
        result = self.succeed(*self.arguments())
        self.assertIn("trying again in 2 s (1 of 2)", result.stderr)
        self.assert_whole()

    def test_a_server_that_wants_an_hour_is_not_waited_for(self):
        self.file.troubles = [Status(429, {"Retry-After": "3600"})]
        error = self.fail_with(*self.arguments())
        self.assertIn("left alone for 3600 s", error)
        self.assertIn(f"{self.server.url}/dev-clean.tar.gz", error)

    def test_an_interrupted_fetch_goes_on_from_there(self):
        self.file.troubles = [Silent(after=150_000, for_s=60)]
        err = self.interrupt(lambda: self.partial().exists() and self.partial().stat().st_size == 150_000,
                             *self.arguments())
        self.assertIn("run the same again to go on", err)
        self.assert_not_there(150_000)
        self.succeed(*self.arguments())
        self.assertEqual(self.requests()[1].headers["range"], "bytes=150000-")
        self.assert_whole()

    def test_a_killed_fetch_goes_on_too_and_what_it_had_unpacked_is_not_taken(self):
        self.file.troubles = [Silent(after=300_000, for_s=60)]
        process = subprocess.Popen([PROGRAM, *map(str, self.arguments())], env=self.environment,
                                   stderr=subprocess.DEVNULL)
        while not list(self.folder.glob("dev-clean.unpacking/LibriSpeech/dev-clean/84/*/*0.flac")):
            self.assertIsNone(process.poll())
        process.kill()
        process.wait()
        (self.folder / "dev-clean.unpacking" / "stray").touch()
        self.assertFalse((self.folder / "dev-clean").exists())
        self.succeed(*self.arguments())
        self.assertIn("range", self.requests()[1].headers)
        self.assert_whole()

    def test_bytes_of_one_mirror_are_gone_on_with_from_another(self):
        self.file.troubles = [Cut(150_000), Status(404)]
        self.fail_with(*self.arguments())
        with Server() as other:
            other.files["/dev-clean.tar.gz"] = File(self.file.content, etag='"another"')
            self.server = other
            self.succeed(*self.arguments())
            self.assertEqual(self.requests()[0].headers["range"], "bytes=150000-")
        self.assert_whole()


if __name__ == "__main__":
    unittest.main()
