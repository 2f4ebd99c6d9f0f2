/// The parts of fetching that need no network: checksums, unpacking, URLs, the Hub's names,
/// progress.
#include "io/fetch/fetch.h"

#include <cstring>
#include <fstream>

#include "io/fetch/extract_tar.h"
#include "io/fetch/http_client.h"
#include "io/fetch/hub_cache.h"
#include "io/fetch/librispeech_archives.h"
#include "io/files/checksum.h"
#include "tests/catch.h"
#include "tests/io/support.h"
#include "tests/tar_writer.h"

using namespace flowqat::io;
using namespace flowqat::io::test;
using flowqat::testing::TarWriter;

namespace {

std::string checksum_of(ChecksumKind kind, const std::string& text) {
  Digest digest(kind, std::ssize(text));
  for (const char& c : text) digest.add(std::as_bytes(std::span(&c, 1)));
  return digest.hex();
}

/// Unpacks `archive`, handed over in pieces of `piece` bytes.
void unpack(const std::string& archive, const std::filesystem::path& folder, size_t piece = 100) {
  size_t at = 0;
  std::filesystem::create_directory(folder);
  extract_tar(
      [&](std::span<std::byte> bytes) {
        const size_t count = std::min({piece, bytes.size(), archive.size() - at});
        std::memcpy(bytes.data(), archive.data() + at, count);
        at += count;
        return count;
      },
      folder);
}

}  // namespace

TEST_CASE("checksums are those of md5sum, sha256sum and git hash-object") {
  CHECK(checksum_of(ChecksumKind::md5, "flowqat\n") ==
        run("printf 'flowqat\\n' | md5sum").substr(0, 32));
  CHECK(checksum_of(ChecksumKind::sha256, "flowqat\n") ==
        run("printf 'flowqat\\n' | sha256sum").substr(0, 64));
  // git hash-object of "test content\n", from the book Pro Git.
  CHECK(checksum_of(ChecksumKind::git_blob, "test content\n") ==
        "d670460b4b4aece5915caf5c68d12f560a9fe3e4");
  CHECK(is_checksum(ChecksumKind::md5, std::string(32, 'a')));
  CHECK_FALSE(is_checksum(ChecksumKind::md5, std::string(32, 'A')));
  CHECK_FALSE(is_checksum(ChecksumKind::sha256, std::string(32, 'a')));
}

TEST_CASE("archives of every tar format are unpacked, compressed or not") {
  const TemporaryFolder folder;
  const std::string data(100'000, 'x');
  for (const std::string format : {"ustar", "pax", "gnutar"}) {
    const auto tar = folder / (format + ".tar");
    TarWriter(tar, format)
        .folder("a")
        .file("a/b", data)
        .file("a/empty", "")
        .file("./c/d/e", "deep");
    run("gzip -k '" + tar.string() + "'");
    for (const std::string ending : {"", ".gz"}) {
      const auto out = folder / (format + "-out" + ending);
      unpack(read_bytes(tar.string() + ending), out);
      CHECK(read_bytes(out / "a" / "b") == data);
      CHECK(std::filesystem::file_size(out / "a" / "empty") == 0);
      CHECK(read_bytes(out / "c" / "d" / "e") == "deep");
    }
  }
  const std::string holed = std::string(100'000, '\0') + "x";
  TarWriter(folder / "sparse.tar", "pax").sparse("holed", holed);
  unpack(read_bytes(folder / "sparse.tar"), folder / "sparse-out");
  CHECK(read_bytes(folder / "sparse-out" / "holed") == holed);
}

TEST_CASE("what is no whole archive is refused, at whatever byte it ends") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar").file("a", std::string(2000, 'x')).file("b", std::string(2000, 'y'));
  run("gzip '" + (folder / "s.tar").string() + "'");
  const std::string whole = read_bytes(folder / "s.tar.gz");
  for (size_t bytes = 0; bytes < whole.size(); bytes += 5) {
    const auto out = folder / std::to_string(bytes);
    CHECK_THROWS_AS(unpack(whole.substr(0, bytes), out), BadContent);
  }
}

TEST_CASE("an error of the disk or of the source passes through an unpacking as it is") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(
      extract_tar([](std::span<std::byte>) -> size_t { throw Stopped(); }, folder.path()), Stopped);
}

TEST_CASE("messages show no password, no token and no signature of a URL") {
  CHECK(shown_url("https://host/a/b?signature=x#y") == "https://host/a/b");
  CHECK(shown_url("https://user:secret@host:1/a@b") == "https://host:1/a@b");
  CHECK(shown_url("https://host/a@b") == "https://host/a@b");
  CHECK(shown_url("https://user:secret@host") == "https://host");
}

TEST_CASE("ids and revisions of the Hub") {
  for (const char* id : {"facebook/wav2vec2-base-960h", "a/b", "A_1/b.c-d"}) CHECK(is_hub_id(id));
  for (const char* id : {"", "a", "a/", "/a", "a/b/c", "./a", "../a", "a/..", "a/b--c", "a b/c",
                         "a/.b", "a/b.git", "-a/b"}) {
    CHECK_FALSE(is_hub_id(id));
  }
  for (const char* name : {"main", "v1.0", "refs/pr/3"}) CHECK(is_hub_revision(name));
  for (const char* name : {"", "../x", "/x", "x/", "a b", "-x", "a//b"})
    CHECK_FALSE(is_hub_revision(name));
}

TEST_CASE("what looks like a path is none of the Hub's ids") {
  const TemporaryFolder folder;
  for (const std::string path :
       {"/a/b", "./a", "../a", "a/b/c", "a/b/", "a/", "~/a", "~", ".", ".."}) {
    INFO(path);
    CHECK(looks_like_path(path));
  }
  for (const std::string id : {"facebook/wav2vec2-base-960h", "a", ""}) {
    INFO(id);
    CHECK_FALSE(looks_like_path(id));
  }
  const auto before = std::filesystem::current_path();
  std::filesystem::create_directory(folder / "models");
  std::ofstream(folder / "file") << "x";
  std::filesystem::current_path(folder.path());
  const bool in_a_folder = looks_like_path("models/base"), in_a_file = looks_like_path("file/base");
  std::filesystem::current_path(before);
  CHECK(in_a_folder);
  CHECK_FALSE(in_a_file);
}

TEST_CASE("LibriSpeech lies in a folder of its name, wherever that is") {
  const TemporaryFolder folder;
  CHECK(librispeech_folder(folder / "data") == folder / "data" / "LibriSpeech");
  CHECK(librispeech_folder(folder / "LibriSpeech") == folder / "LibriSpeech");
  CHECK(librispeech_folder((folder / "LibriSpeech").string() + "/") == folder / "LibriSpeech");
  std::filesystem::create_directories(folder / "plain" / "dev-clean");
  CHECK(librispeech_folder(folder / "plain") == folder / "plain");
}

TEST_CASE("progress tells amounts, rate and time left") {
  FetchProgress seen;
  FetchOptions options;
  options.progress = [&](const FetchProgress& progress) { seen = progress; };
  FetchMonitor monitor(options, "dev-clean", 300'000'000, 100'000'000);
  monitor.came(50'000'000);
  CHECK(seen.what == "dev-clean");
  CHECK(seen.done_bytes == 150'000'000);
  CHECK(seen.total_bytes == 300'000'000);
  CHECK(seen.bytes_per_s > 0);
  CHECK(seen.left_s == Approx(150'000'000 / seen.bytes_per_s));
  monitor.lost(150'000'000);
  monitor.came(3'000'000);
  CHECK(seen.done_bytes == 3'000'000);
  CHECK(seen.left_s == Approx(297'000'000 / seen.bytes_per_s));
}
