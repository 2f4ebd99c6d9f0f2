"""Commands that take a model by its id on the Hub fetch it first, once.

    commands_test.py FLOWQAT
"""

import unittest

from server import Status
from model_test import ID
import graph_test
from graph_test import flac


class Commands(graph_test.Run):
    def setUp(self):
        super().setUp()
        self.speech = self.root / "speech.flac"
        self.speech.write_bytes(flac())

    def test_each_command_fetches_the_model_that_it_is_given_and_the_next_asks_nothing(self):
        result = self.succeed("transcribe", ID, self.speech)
        self.assertRegex(result.stderr, rf"fetching .* of {ID} .* from {self.hub.url}")
        self.assertEqual(len(result.stdout.splitlines()), 1)
        self.hub.requests.clear(), self.store.requests.clear()
        self.succeed("inspect", self.root, "--model", ID)
        self.succeed("export", ID, "--onnx", self.root / "model.onnx")
        manifest = self.root / "m.jsonl"
        manifest.write_text(f'{{"audio_filepath": "{self.speech}", "duration": 1, "text": "GO"}}\n')
        self.succeed("evaluate", ID, "--manifest", manifest)
        self.succeed("quantize", ID, "--manifest", manifest, "--out", self.root / "int8")
        self.succeed("sensitivity", ID, "--manifest", manifest, "--by", "part")
        self.assertEqual(self.hub.requests + self.store.requests, [])

    def test_a_mistyped_folder_is_no_id(self):
        for path in ("./tiny", "/someone/tiny", "~/tiny", "a/b/c", "someone/tiny/"):
            self.assertIn("no such folder", self.fail_with("transcribe", path, self.speech, status=2))
        self.assertEqual(self.hub.requests, [])

    def test_an_id_that_the_hub_does_not_know_is_told_as_a_folder_too(self):
        self.listing.troubles = [Status(404)]
        error = self.fail_with("transcribe", ID, self.speech)
        self.assertTrue(error.startswith(f"flowqat: {ID}: there is no folder of that name, and as a model"), error)


if __name__ == "__main__":
    unittest.main()
