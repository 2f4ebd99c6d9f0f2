"""What `flowqat fetch librispeech` refuses: wrong, hostile and changed archives, untrusted servers, full disks.

    refusals_test.py FLOWQAT
"""

import os
import resource
import subprocess
import tarfile
import unittest

from support import archive, md5, split_files
from splits import Fetch
from server import Cut, Server, Silent, Status


class WhatIsRefused(Fetch):
    def test_a_wrong_checksum_leaves_nothing(self):
        self.add("dev-clean", md5="0" * 32)
        error = self.fail_with(*self.arguments())
        self.assertIn(f"its MD5 is {md5(self.file.content)}, expected {'0' * 32}", error)
        self.assertIn("--base-url", error)
        self.assert_not_there()

    def test_another_size_is_refused_before_anything_comes(self):
        self.add("dev-clean", bytes=12345)
        error = self.fail_with(*self.arguments())
        self.assertIn(f"expected 12345 bytes, the server has {len(self.file.content)}", error)
        self.assert_not_there()

    def test_more_bytes_than_expected_are_refused(self):
        self.add("dev-clean", bytes=12345)
        self.file.sized = False
        self.assertIn("is longer than the 12345 bytes", self.fail_with(*self.arguments()))

    def test_a_file_that_changed_between_two_tries_is_fetched_anew(self):
        self.file.troubles = [Cut(150_000), Status(404)]
        self.fail_with(*self.arguments())
        self.assert_not_there(150_000)
        changed = split_files("dev-clean")
        changed["LibriSpeech/README.TXT"] = b"another edition\n"
        self.add("dev-clean", archive(changed))
        result = self.succeed(*self.arguments())
        self.assertIn("has changed on the server", result.stderr)
        self.assertEqual((self.folder / "README.TXT").read_bytes(), b"another edition\n")
        self.assertFalse(self.partial().exists())

    def test_bytes_from_before_that_do_not_fit_are_noticed_by_the_checksum(self):
        self.file.etag = ""  # nothing tells that the file changed
        for place, text in ((100_000, "its MD5 is"), (0, "cannot be unpacked")):
            with self.subTest(place=place):
                self.file.troubles = [Cut(150_000), Status(404)]
                self.fail_with(*self.arguments())
                content = bytearray(self.partial().read_bytes())
                content[place] ^= 1
                self.partial().write_bytes(content)
                result = self.succeed(*self.arguments())
                self.assertRegex(result.stderr, f"does not fit the rest .*{text}")
                self.assert_whole()
                subprocess.run(["rm", "-r", self.to], check=True)

    def test_statuses_that_stay_say_what_and_where_and_what_to_do(self):
        for code, text in ((401, "wants to know who asks"), (403, "does not allow it"), (404, "has no such file")):
            with self.subTest(code=code):
                self.file.troubles = [Status(code)]
                self.server.requests.clear()
                error = self.fail_with(*self.arguments())
                self.assertIn(f"{self.server.url}/dev-clean.tar.gz: the server {text} (status {code})", error)
                self.assertIn("name a mirror", error)
                self.assertEqual(len(self.requests()), 1)

    def test_one_split_that_fails_does_not_stop_the_other(self):
        other = self.add("dev-other")
        other.troubles = [Status(404)]
        self.assertIn("dev-other", self.fail_with(*self.arguments("dev-clean", "dev-other")))
        self.assert_whole()

    def test_nobody_there(self):
        self.server.http.socket.close()
        error = self.fail_with(*self.arguments(retries=1))
        self.assertIn(self.server.url, error)
        self.assertIn("(tried 2 times)", error)

    def test_unknown_splits_and_no_urls_are_bad_usage(self):
        error = self.fail_with(*self.arguments("dev-claen"), status=2)
        self.assertIn('"dev-claen": is none of LibriSpeech\'s, which are dev-clean', error)
        self.assertEqual(self.call("fetch", "librispeech", "--to", self.to).returncode, 2)
        del self.environment["FLOWQAT_LIBRISPEECH_TABLE"]
        error = self.fail_with(*self.arguments("all"), status=2)
        self.assertIn("dev-clean, dev-other, test-clean, test-other, train-clean-100, train-clean-360, train-other-500",
                      error)
        self.server.url = "ftp://127.0.0.1/"
        self.assertIn("ftp", self.fail_with(*self.arguments()))

    def test_hostile_members_are_not_unpacked(self):
        def link(kind, target):
            info = tarfile.TarInfo("LibriSpeech/dev-clean/link")
            info.type, info.linkname = kind, target
            return info

        pipe = tarfile.TarInfo("LibriSpeech/dev-clean/pipe")
        pipe.type = tarfile.FIFOTYPE
        outside = self.root / "outside"
        sound = list(split_files("dev-clean", 1000).items())
        for member, text in (
            (("../../../outside", b"x"), "elsewhere"),
            (("LibriSpeech/dev-clean/../../../../outside", b"x"), "elsewhere"),
            ((str(outside), b"x"), "elsewhere"),
            (link(tarfile.SYMTYPE, str(self.root)), "is a link"),
            (link(tarfile.LNKTYPE, "LibriSpeech/README.TXT"), "is a link"),
            (pipe, "neither a file nor a folder"),
            (sound[0], "is there twice"),
        ):
            with self.subTest(member=member):
                self.add("dev-clean", archive([*sound, member]))
                self.assertIn(text, self.fail_with(*self.arguments()))
                self.assertFalse(outside.exists())
                self.assert_not_there()

    def test_what_is_no_archive_or_another_one_is_refused(self):
        for content, text in ((b"<html>log in</html>" * 100, "cannot be unpacked"),
                              (archive(split_files("dev-clean"))[:-5000], "cannot be unpacked"),
                              (archive({"other/file": b"x"}), "not LibriSpeech/dev-clean/")):
            with self.subTest(text=text):
                self.add("dev-clean", content)
                self.assertIn(text, self.fail_with(*self.arguments()))
                self.assertFalse((self.folder / "dev-clean").exists())

    def test_a_fetch_beside_another_one_is_refused(self):
        self.file.troubles = [Silent(after=100_000, for_s=60)]

        def second_is_refused():
            if not self.partial().exists() or self.partial().stat().st_size < 100_000:
                return False
            self.assertIn("another process is fetching this file", self.fail_with(*self.arguments()))
            return True

        self.interrupt(second_is_refused, *self.arguments())


class WhereThereIsNoRoom(Fetch):
    def test_too_little_free_space_is_told_beforehand(self):
        self.add("dev-clean", bytes=10**15)
        error = self.fail_with(*self.arguments())
        self.assertIn("needs 2100000.0 GB of free space (the archives and what is in them)", error)
        self.assertEqual(self.server.requests, [])

    def test_a_limit_on_the_archive_is_an_error_and_the_next_run_goes_on(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
        error = self.fail_with(*self.arguments(), status=3, preexec=limit)
        self.assertRegex(error, "File too large; make room, then run the same again")
        self.assertFalse((self.folder / "dev-clean").exists())
        kept = self.partial().stat().st_size
        self.assertGreater(kept, 0)
        self.succeed(*self.arguments())
        self.assertEqual(self.requests()[1].headers["range"], f"bytes={kept}-")
        self.assert_whole()

    @unittest.skipUnless(os.geteuid() == 0, "only root may mount a small file system")
    def test_a_full_disk_is_an_error_and_the_next_run_goes_on(self):
        self.to.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=640k", "none", self.to]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("no small file system can be mounted here")
        self.addCleanup(subprocess.run, ["umount", self.to], check=True)
        # The table promises less than comes out, as an archive might that shrank more than others.
        self.add("dev-clean", archive({**split_files("dev-clean", 10_000),
                                       "LibriSpeech/dev-clean/84/121123/84-121123-0002.flac": bytes(900_000)}))
        error = self.fail_with(*self.arguments(), status=3)
        self.assertIn("No space left on device; make room", error)
        self.assert_not_there(len(self.file.content))
        subprocess.run(["mount", "-o", "remount,size=8m", self.to], check=True)
        self.server.requests.clear()
        self.succeed(*self.arguments())
        self.assertEqual(self.server.requests, [])  # all of it was there
        self.assertTrue((self.folder / "dev-clean" / "84").is_dir())

    def test_a_folder_that_cannot_be_made_is_an_error(self):
        self.to = self.root / "file"
        self.to.touch()
        self.assertIn(str(self.folder.parent.parent / "file"), self.fail_with(*self.arguments(), status=3))


class WhoIsTrusted(Fetch):
    def setUp(self):
        super().setUp()
        both = self.root / "server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.root / "key",
                        "-out", self.root / "certificate"], check=True, capture_output=True)
        both.write_bytes((self.root / "key").read_bytes() + (self.root / "certificate").read_bytes())
        self.safe = self.enterContext(Server(both))
        self.safe.files = self.server.files
        self.plain, self.server = self.server, self.safe

    def test_a_certificate_of_nobody_is_refused_at_once(self):
        error = self.fail_with(*self.arguments())
        self.assertIn("certificate", error)
        self.assertIn("cannot prove who it is", error)
        self.assertEqual(self.safe.requests, [])
        self.assert_not_there()

    def test_authorities_can_be_named(self):
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            with self.subTest(name=name):
                self.environment[name] = str(self.root / "certificate")
                self.to = self.root / name
                self.folder = self.to / "LibriSpeech"
                self.succeed(*self.arguments())
                del self.environment[name]

    def test_a_redirect_out_of_encryption_is_not_followed(self):
        self.environment["SSL_CERT_FILE"] = str(self.root / "certificate")
        self.file.redirect = self.plain.url + "/dev-other.tar.gz"
        self.assertIn("which is not encrypted", self.fail_with(*self.arguments()))
        self.assertEqual(self.plain.requests, [])


if __name__ == "__main__":
    unittest.main()
