"""What the tests of `flowqat fetch librispeech` share: a mirror on loopback with tiny splits, and a table of them."""

import json

from support import Case, archive, files_below, md5, split_files
from server import File, Server


class Fetch(Case):
    """One split, dev-clean, unless a test has more."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(Server())
        self.to = self.root / "data"
        self.folder = self.to / "LibriSpeech"
        self.splits = {}
        self.add("dev-clean")

    def add(self, split, content=None, **table):
        content = archive(split_files(split)) if content is None else content
        self.server.files[f"/{split}.tar.gz"] = file = File(content)
        self.splits[split] = {"bytes": len(content), "md5": md5(content), **table}
        (self.root / "table.json").write_text(json.dumps(self.splits))
        self.environment["FLOWQAT_LIBRISPEECH_TABLE"] = str(self.root / "table.json")
        self.file = file if split == "dev-clean" else self.file
        return file

    def arguments(self, *splits, retries=2):
        return ("fetch", "librispeech", *(splits or ["dev-clean"]), "--to", self.to, "--base-url", self.server.url,
                "--retries", retries)

    def partial(self, split="dev-clean"):
        return self.folder / f"{split}.tar.gz.partial"

    def requests(self, split="dev-clean"):
        return self.server.asked(f"/{split}.tar.gz")

    def assert_whole(self, *splits):
        """Each file as it was packed, and nothing beside."""
        expected = {}
        for split in splits or ["dev-clean"]:
            expected.update(split_files(split))
        self.assertEqual(files_below(self.to), dict(sorted(expected.items())))
        self.assertEqual({entry.name for entry in self.folder.iterdir() if entry.is_dir()}, set(splits or ["dev-clean"]))

    def assert_not_there(self, partial_bytes=None):
        """No split; of a partial file, so many bytes (None: no such file)."""
        self.assertFalse((self.folder / "dev-clean").exists())
        self.assertFalse((self.folder / "dev-clean.unpacking").exists())
        size = self.partial().stat().st_size if self.partial().exists() else None
        self.assertEqual(size, partial_bytes)
