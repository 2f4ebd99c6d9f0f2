#include "io/corpus/shard_paths.h"

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

using Texts = std::vector<std::string>;
using Paths = std::vector<std::filesystem::path>;

TEST_CASE("brace patterns stand for what the shell makes of them") {
  CHECK(expand_braces("plain.tar") == Texts{"plain.tar"});
  CHECK(expand_braces("a-{008..011}.tar") ==
        Texts{"a-008.tar", "a-009.tar", "a-010.tar", "a-011.tar"});
  CHECK(expand_braces("{8..11}") == Texts{"8", "9", "10", "11"});
  CHECK(expand_braces("{2..0}") == Texts{"2", "1", "0"});
  CHECK(expand_braces("{0..10}").at(10) == "10");
  CHECK(expand_braces("{x,y}/{0..1}") == Texts{"x/0", "x/1", "y/0", "y/1"});
  CHECK(expand_braces("{a,b{1..2},}.tar") == Texts{"a.tar", "b1.tar", "b2.tar", ".tar"});
  CHECK(expand_braces("a}.tar") == Texts{"a}.tar"});
  if (!have("bash")) return;
  for (const std::string pattern : {"t-{000000..000127}.tar", "{98..102}", "{a,b}{1,2{x,y}}z"}) {
    std::string ours;
    for (const std::string& path : expand_braces(pattern)) ours += path + "\n";
    CHECK(ours == run("bash -c 'printf \"%s\\n\" " + pattern + "'"));
  }
}

TEST_CASE("a pattern that cannot be meant is refused with what was expected") {
  const auto refusal = [](const std::string& pattern) {
    return error_of([&] { expand_braces(pattern); });
  };
  CHECK_THAT(refusal("a-{0..9.tar"), ContainsSubstring("a-{0..9.tar: a { in it is not closed"));
  CHECK_THAT(refusal("a-{}.tar"), ContainsSubstring("expected {000000..000127} or {a,b}"));
  CHECK_THAT(refusal("{a}"), ContainsSubstring("found {a}"));
  CHECK_THAT(refusal("{a..c}"), ContainsSubstring("found {a..c}"));
  CHECK_THAT(refusal("{0..10..2}"), ContainsSubstring("found {0..10..2}"));
  CHECK_THAT(refusal("{-1..1}"), ContainsSubstring("found {-1..1}"));
  CHECK_THAT(refusal("{..}"), ContainsSubstring("found {..}"));
  CHECK_THAT(refusal("{0..99999999999999999999}"), ContainsSubstring("expected {"));
  CHECK_THAT(refusal("{0..18446744073709551615}"), ContainsSubstring("a million"));
  CHECK_THAT(refusal("{0..999999}{0..1}"), ContainsSubstring("a million"));
}

TEST_CASE("shards are files, folders of *.tar and patterns, in the order named") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "more" / "below");
  for (const char* name : {"b.tar", "a.tar", "{odd}.tar", "more/2.tar", "more/1.tar", "more/x.txt",
                           "more/below/3.tar", "more/._1.tar", "more/.hidden.tar"}) {
    write_bytes(folder / name, "x");
  }
  const ShardPaths found =
      find_shards({folder / "b.tar", folder / "more", folder / "a.tar", folder / "{odd}.tar"});
  CHECK(found.files == Paths{folder / "b.tar", folder / "more/1.tar", folder / "more/2.tar",
                             folder / "a.tar", folder / "{odd}.tar"});
  CHECK(found.folders == Paths{folder / "more"});
  CHECK(find_shards({folder / "more/{1..2}.tar"}).folders.empty());
  CHECK(find_shards({folder / "{odd}.tar"}).files == Paths{folder / "{odd}.tar"});
}

TEST_CASE("a shard that is missing, named twice or in no listed form is told") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "empty");
  std::filesystem::create_directories(folder / "packed");
  write_bytes(folder / "packed" / "a.tar.gz", "x");
  write_bytes(folder / "a.tar", "x");
  const auto refusal = [&](const Texts& paths) { return error_of([&] { find_shards(paths); }); };
  CHECK_THAT(refusal({folder / "{a,b}.tar"}),
             ContainsSubstring((folder / "b.tar").string() + ": expected a tar file") &&
                 ContainsSubstring("found nothing"));
  CHECK_THAT(refusal({folder / "empty"}), ContainsSubstring("empty: expected *.tar in it, found"));
  CHECK_THAT(refusal({folder / "packed"}), ContainsSubstring("found a.tar.gz; unpack"));
  CHECK_THAT(refusal({folder / "a.tar", folder.path() / "empty" / ".." / "a.tar"}),
             ContainsSubstring("a.tar: is listed twice"));
}
