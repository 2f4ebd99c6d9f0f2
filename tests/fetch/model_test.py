"""`flowqat fetch model` from a Hub on loopback, with a host beside it for large files.

    model_test.py FLOWQAT

Where huggingface_hub is installed, also what it finds in the cache that flowqat filled.
"""

import hashlib
import importlib.util
import json
import os
import sys
import unittest

import support
from support import Case, files_below, noise
from server import Cut, File, Server, Silent, Status

HUGGINGFACE = importlib.util.find_spec("huggingface_hub") is not None
ID, COMMIT = "someone/tiny-wav2vec2", "0123456789abcdef0123456789abcdef01234567"
OTHER_COMMIT = "f" * 40
SMALL = {"config.json": b'{"model_type": "wav2vec2"}', "vocab.json": b'{"<pad>": 0}', "preprocessor_config.json": b"{}"}
WEIGHTS = noise(300_000)
TOKEN = "hf_secret"


def git_hash(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(Case):
    def setUp(self):
        super().setUp()
        self.hub = self.enterContext(Server())
        self.store = self.enterContext(Server())  # where the Hub keeps large files
        self.cache = self.root / "home" / "hub"
        self.model = self.cache / "models--someone--tiny-wav2vec2"
        self.snapshot = self.model / "snapshots" / COMMIT
        self.environment.update(HF_HOME=str(self.root / "home"), HF_ENDPOINT=self.hub.url)
        self.publish({**SMALL, "model.safetensors": WEIGHTS, "README.md": b"#"})

    def publish(self, files, commit=COMMIT, revision="main"):
        listing = json.dumps({"sha": commit, "siblings": [{"rfilename": name} for name in files]}).encode()
        self.listing = self.hub.files[f"/api/models/{ID}/revision/{revision.replace('/', '%2F')}"] = File(listing)
        for name, content in files.items():
            path = self.path(name, commit)
            if not name.endswith(".safetensors"):
                file = File(content, {"X-Repo-Commit": commit}, etag=f'"{git_hash(content)}"')
                self.hub.files[path] = self.hub.files[self.path(name, revision)] = file
                continue
            sha256 = hashlib.sha256(content).hexdigest()
            self.hub.files[path] = File(b"", redirect=f"{self.store.url}/{sha256}?signature=s", headers={
                "X-Repo-Commit": commit, "X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{sha256}"'})
            self.hub.files[self.path(name, revision)] = self.hub.files[path]
            self.store.files[f"/{sha256}"] = File(content)
            self.weights = self.store.files[f"/{sha256}"]
            self.weights_path = f"/{sha256}?signature=s"
            self.incomplete = self.model / "blobs" / f"{sha256}.incomplete"

    @staticmethod
    def path(name, commit=COMMIT):
        return f"/{ID}/resolve/{commit}/{name}"

    def fetch(self, *more, **how):
        return self.succeed("fetch", "model", ID, "--retries", 2, *more, **how)

    def refuse(self, *more, **how):
        return self.fail_with("fetch", "model", ID, "--retries", 1, *more, **how)

    def assert_whole(self, weights=WEIGHTS):
        self.assertEqual({path.name: path.read_bytes() for path in self.snapshot.iterdir()},
                         {**SMALL, "model.safetensors": weights})

    def assert_no_model(self):
        self.assertFalse(self.snapshot.exists())
        self.assertFalse((self.model / "refs").exists())


class TheCache(Hub):
    def test_the_needed_files_come_into_the_standard_layout(self):
        result = self.fetch()
        self.assertEqual(result.stdout, f"{self.snapshot}\n")
        self.assertIn(f"of {ID} (4 files, commit 01234567) to {self.model}, from {self.hub.url}", result.stderr)
        self.assert_whole()
        for path in self.snapshot.iterdir():
            self.assertTrue(path.is_symlink())
            self.assertTrue(os.readlink(path).startswith("../../blobs/"))
        blobs = {git_hash(content): content for content in SMALL.values()}
        blobs[hashlib.sha256(WEIGHTS).hexdigest()] = WEIGHTS
        self.assertEqual(files_below(self.model / "blobs"), dict(sorted(blobs.items())))
        self.assertEqual((self.model / "refs" / "main").read_text(), COMMIT)
        self.assertTrue((self.model / ".no_exist" / COMMIT / "tokenizer.json").exists())

    def test_again_nothing_is_asked(self):
        self.fetch()
        self.hub.requests.clear(), self.store.requests.clear()
        self.assertEqual(self.fetch().stdout, f"{self.snapshot}\n")
        self.environment["HF_HUB_OFFLINE"] = "1"
        self.assertEqual(self.fetch().stdout, f"{self.snapshot}\n")
        self.assertEqual(self.hub.requests + self.store.requests, [])

    def test_a_model_without_a_vocabulary_is_known_to_have_none(self):
        self.publish({"config.json": SMALL["config.json"], "model.safetensors": WEIGHTS})
        self.fetch()
        self.hub.requests.clear()
        self.fetch()
        self.assertEqual(self.hub.requests, [])

    def test_what_a_cache_lacks_is_fetched_and_the_rest_is_left(self):
        self.fetch()
        self.snapshot.joinpath("vocab.json").unlink()
        self.hub.requests.clear(), self.store.requests.clear()
        self.fetch()
        self.assert_whole()
        self.assertEqual(self.store.requests, [])
        self.assertEqual([r.path for r in self.hub.requests if r.method == "GET"],
                         [f"/api/models/{ID}/revision/main"])  # its blob was still there

    def test_revisions(self):
        self.publish({**SMALL, "model.safetensors": noise(1000, 7)}, OTHER_COMMIT, "refs/pr/3")
        other = self.model / "snapshots" / OTHER_COMMIT
        self.assertEqual(self.fetch("--revision", "refs/pr/3").stdout, f"{other}\n")
        self.assertEqual((self.model / "refs" / "refs" / "pr" / "3").read_text(), OTHER_COMMIT)
        self.assertFalse((self.model / "refs" / "main").exists())
        self.hub.requests.clear()
        self.assertEqual(self.fetch("--revision", OTHER_COMMIT).stdout, f"{other}\n")
        self.assertEqual(self.hub.requests, [])

    def test_shards_come_with_their_index(self):
        names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
        index = json.dumps({"weight_map": {f"tensor{i}": name for i, name in enumerate(names)}}).encode()
        self.publish({**SMALL, "model.safetensors.index.json": index, names[0]: noise(10, 1), names[1]: noise(10, 2)})
        self.fetch()
        self.assertEqual({path.name for path in self.snapshot.iterdir()},
                         {*SMALL, *names, "model.safetensors.index.json"})
        (self.snapshot / names[1]).unlink()  # then it is no longer whole
        self.fetch()
        self.assertEqual((self.snapshot / names[1]).read_bytes(), noise(10, 2))

    def test_other_variables_name_the_cache(self):
        for name, value, place in (("HF_HUB_CACHE", self.root / "a", self.root / "a"),
                                   ("XDG_CACHE_HOME", self.root / "b", self.root / "b/huggingface/hub"),
                                   ("HOME", self.root / "c", self.root / "c/.cache/huggingface/hub")):
            with self.subTest(name=name):
                self.environment.pop("HF_HOME", None)
                before = dict(self.environment)
                self.environment[name] = str(value)
                self.assertTrue(self.fetch().stdout.startswith(f"{place}/models--someone"))
                self.environment = before

    @unittest.skipUnless(HUGGINGFACE, "no huggingface_hub in .venv")
    def test_huggingface_hub_finds_what_was_fetched_and_the_other_way_round(self):
        self.fetch()
        script = ("import sys; from huggingface_hub import hf_hub_download, snapshot_download as s; "
                  f"print(s('{ID}', local_files_only=True)); "
                  f"print(hf_hub_download('{ID}', 'model.safetensors', local_files_only=True))")

        def ask(script):
            result = support.subprocess.run([sys.executable, "-c", script], env=self.environment, capture_output=True,
                                            text=True)
            self.assertEqual(result.returncode, 0, result.stderr)
            return result.stdout.splitlines()

        self.assertEqual(ask(script), [str(self.snapshot), str(self.snapshot / "model.safetensors")])
        support.subprocess.run(["rm", "-r", self.model], check=True)
        ask(f"from huggingface_hub import hf_hub_download as h; [h('{ID}', n) for n in {[*SMALL, 'model.safetensors']}]")
        self.hub.requests.clear(), self.store.requests.clear()
        self.assertEqual(self.fetch().stdout, f"{self.snapshot}\n")
        self.assertEqual(self.hub.requests + self.store.requests, [])


class Troubles(Hub):
    def test_what_breaks_off_goes_on_where_it_was(self):
        self.weights.troubles = [Cut(100_000)]
        self.fetch()
        self.assertEqual([r.headers.get("range") for r in self.store.requests], [None, "bytes=100000-"])
        self.assert_whole()

    def test_an_interrupted_fetch_goes_on_from_there(self):
        self.weights.troubles = [Silent(after=100_000, for_s=60)]
        self.interrupt(lambda: self.incomplete.exists() and self.incomplete.stat().st_size == 100_000,
                       "fetch", "model", ID)
        self.assert_no_model()
        self.assertIn("(100.0 kB are there from before)", self.fetch().stderr)
        self.assertEqual(self.store.requests[-1].headers["range"], "bytes=100000-")
        self.assert_whole()

    def test_wrong_content_is_refused_by_its_hash(self):
        self.weights.content = noise(len(WEIGHTS), 9)
        self.assertIn("its SHA-256 is", self.refuse())
        self.assertFalse(self.incomplete.exists())
        self.assert_no_model()
        self.publish({**SMALL, "model.safetensors": WEIGHTS})
        (self.model / "blobs" / git_hash(SMALL["vocab.json"])).unlink()
        self.hub.files[self.path("vocab.json")].content = b'{"<pad>": 1}'
        self.assertIn("its SHA-1 (git's) is", self.refuse())
        self.assert_no_model()

    def test_a_model_that_is_not_there_or_not_allowed(self):
        for code, header, text in ((401, "", "give a token in HF_TOKEN"),
                                   (403, "Access to it is restricted", "terms may have to be accepted"),
                                   (404, "Revision not found", "check the id and the revision")):
            with self.subTest(code=code):
                self.listing.troubles = [Status(code, {"X-Error-Message": header} if header else {})]
                error = self.refuse()
                self.assertIn(f"status {code}", error)
                self.assertIn(header, error)
                self.assertIn(text, error)
        self.assert_no_model()

    def test_busy_and_broken_hubs(self):
        self.listing.troubles = [Status(503), Status(429, {"Retry-After": "1"})]
        self.fetch()
        self.listing.content = b"<html>"
        (self.snapshot / "config.json").unlink()
        self.assertIn("is HF_ENDPOINT a Hub?", self.refuse())

    def test_a_pickle_is_refused_with_what_to_do(self):
        self.publish({**SMALL, "pytorch_model.bin": b"x"})
        error = self.refuse()
        self.assertIn("has no model.safetensors, only pytorch_model.bin", error)
        self.assertIn(f"{self.hub.url}/{ID}/discussions", error)
        self.assertIn("save_pretrained", error)

    def test_offline_and_nobody_there(self):
        self.environment["HF_HUB_OFFLINE"] = "1"
        self.assertIn("HF_HUB_OFFLINE says not to fetch it", self.refuse())
        self.assertEqual(self.hub.requests, [])
        del self.environment["HF_HUB_OFFLINE"]
        self.hub.http.socket.close()
        self.assertIn("(tried 2 times)", self.refuse())

    def test_bad_ids_and_revisions_are_bad_usage(self):
        for arguments in (["tiny"], ["a/b/c"], ["../b"], ["a/b--c"], [ID, "--revision", "../x"]):
            self.assertEqual(self.call("fetch", "model", *arguments).returncode, 2, arguments)
        self.assertEqual(self.hub.requests, [])


class TheToken(Hub):
    def check_token(self, expected):
        result = self.fetch()
        authorizations = {request.headers.get("authorization") for request in self.hub.requests}
        self.assertEqual(authorizations, {expected})
        self.assertEqual({request.headers.get("authorization") for request in self.store.requests}, {None})
        self.assertNotIn(TOKEN, result.stdout + result.stderr)
        for content in files_below(self.root / "home").values():
            if content.strip() != TOKEN.encode():
                self.assertNotIn(TOKEN.encode(), content)

    def test_none_is_sent_where_there_is_none(self):
        self.check_token(None)

    def test_it_goes_to_the_endpoint_alone(self):
        self.environment["HF_TOKEN"] = TOKEN
        self.check_token(f"Bearer {TOKEN}")

    def test_it_may_lie_in_its_file(self):
        (self.root / "home").mkdir()
        (self.root / "home" / "token").write_text(TOKEN + "\n")
        self.check_token(f"Bearer {TOKEN}")

    def test_no_error_shows_it_nor_what_signs_a_url(self):
        self.environment["HF_TOKEN"] = TOKEN
        self.weights.troubles = [Status(403)]
        error = self.refuse()
        self.assertIn("status 403", error)
        for secret in (TOKEN, "signature"):
            self.assertNotIn(secret, self.everything)


if __name__ == "__main__":
    unittest.main()
