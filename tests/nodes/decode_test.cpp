/// Recordings that are read but cannot be heard: rejected with file and reason, the others heard.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/io/audio/flac/writer.h"
#include "tests/nodes/support.h"
#include "tests/nodes/wav.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;

namespace {

/// Decodes and resamples what `corpus` lists; returns the reasons of what is rejected by file name.
std::map<std::string, std::string> rejected(const TemporaryFolder& folder,
                                            const std::string& corpus, const std::string& decode,
                                            int64_t done) {
  const std::string out = (folder.path() / "out").string();
  std::filesystem::remove_all(out);
  const graph::Graph graph =
      make_graph(R"({"corpus": {"cache": false, )" + corpus +
                     R"(}, "decode": {"type": "decode", "from": "corpus")" + decode +
                     R"(}, "resample": {"type": "resample", "from": "decode", "rate_hz": 16000},)"
                     R"("batch": {"type": "batch", "from": "resample", "size": 2}})",
                 out);
  Recorder recorder;
  const graph::Json summary =
      graph::run_graph(graph, {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
  CHECK(summary.at("utterances").at("done") == done);
  std::map<std::string, std::string> reasons;
  std::ifstream file(folder.path() / "out" / "rejected.jsonl");
  for (std::string line; std::getline(file, line);) {
    const graph::Json json = graph::Json::parse(line);
    const std::filesystem::path path = json.at("path").get<std::string>();
    const std::string reason = json.at("reason");
    CHECK_THAT(reason, ContainsSubstring(path.string()));
    reasons[path.filename().string()] = json.at("node").get<std::string>() + ": " + reason;
  }
  CHECK(summary.at("utterances").at("rejected") == reasons.size());
  return reasons;
}

std::string audio_in(const TemporaryFolder& folder) {
  return R"("type": "folder", "root": ")" + (folder.path() / "audio").string() + "\"";
}

}  // namespace

TEST_CASE(
    "what is no sound, or of a rate beyond all measure, is rejected and the others are heard") {
  const TemporaryFolder folder;
  const auto audio = folder.path() / "audio";
  for (const std::string name : {"a.wav", "b.wav", "c.wav", "d.wav", "e.wav", "f.wav"}) {
    write_wav(audio / name, tone(8000));
  }
  auto samples = tone(8000);
  samples[4321] = std::nanf("");
  write_wav(audio / "nan.wav", samples);
  samples[4321] = -INFINITY;
  write_wav(audio / "infinite.wav", samples);
  write_wav(audio / "opposed.wav", tone(8000, 2), 2);
  write_wav(audio / "slow.wav", tone(8000), 1, 1);
  write_wav(audio / "fast.wav", tone(8000), 1, 16000 * 300);
  const auto reasons = rejected(folder, audio_in(folder), "", 6);
  REQUIRE(reasons.size() == 5);
  CHECK_THAT(reasons.at("nan.wav"),
             ContainsSubstring("decode: ") &&
                 ContainsSubstring("sample 4321, counted from 0, is not a number"));
  CHECK_THAT(reasons.at("infinite.wav"), ContainsSubstring("sample 4321, counted from 0, is inf"));
  CHECK_THAT(reasons.at("opposed.wav"), ContainsSubstring("channels cancel each other"));
  CHECK_THAT(reasons.at("slow.wav"), ContainsSubstring("resample: ") &&
                                         ContainsSubstring("from 1 Hz to 16000 Hz") &&
                                         ContainsSubstring("1/256 to 256"));
  CHECK_THAT(reasons.at("fast.wav"), ContainsSubstring("from 4800000 Hz to 16000 Hz"));
}

TEST_CASE("decode hears the channel that it is told, where there is one") {
  const TemporaryFolder folder;
  const auto audio = folder.path() / "audio";
  write_wav(audio / "one.wav", tone(8000));
  write_wav(audio / "two.wav", tone(8000, 2), 2);
  CHECK(rejected(folder, audio_in(folder), R"(, "channel": 0)", 2).empty());
  const auto reasons = rejected(folder, audio_in(folder), R"(, "channel": 1)", 1);
  REQUIRE(reasons.size() == 1);
  CHECK_THAT(reasons.at("one.wav"), ContainsSubstring("channel 1 was asked for, and it has 1"));
}

TEST_CASE("the channel that a manifest names goes before the one that decode is told") {
  const TemporaryFolder folder;
  write_wav(folder.path() / "two.wav", tone(8000, 2), 2);
  auto samples = tone(8000, 2);
  samples[1001] = std::nanf("");  // in the second channel
  write_wav(folder.path() / "half.wav", samples, 2);
  std::ofstream(folder.path() / "m.jsonl") << R"({"audio_filepath": "two.wav"})"
                                              "\n"
                                              R"({"audio_filepath": "half.wav", "channel": 0})"
                                              "\n";
  const std::string corpus =
      R"("type": "manifest", "path": ")" + (folder.path() / "m.jsonl").string() + "\"";
  CHECK(rejected(folder, corpus, R"(, "channel": 1)", 2).empty());
  const auto reasons = rejected(folder, corpus, "", 1);
  REQUIRE(reasons.size() == 1);
  CHECK_THAT(reasons.at("two.wav"), ContainsSubstring("cancel each other"));
}

TEST_CASE("FLAC samples beyond their bits are heard, and told") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "audio");
  io::test::Subframe subframe{.samples = {}, .kind = io::test::Subframe::fixed, .order = 1};
  subframe.residual_bits = 16;
  for (int i = 0; i < 4000; ++i) subframe.samples.push_back(i / 50 % 2 == 0 ? 30'000 : -30'000);
  for (const std::string name : {"a.flac", "b.flac", "c.flac", "d.flac", "e.flac"}) {
    std::ofstream(folder.path() / "audio" / name, std::ios::binary)
        << io::test::flac_start({}, 4000) << io::test::flac_frame(0, false, 0, {subframe});
  }
  const graph::Graph graph =
      make_graph(R"({"corpus": {"cache": false, )" + audio_in(folder) +
                     R"(}, "decode": {"type": "decode", "from": "corpus"},)"
                     R"("batch": {"type": "batch", "from": "decode", "size": 2}})",
                 (folder.path() / "out").string());
  Recorder recorder;
  const graph::Json summary =
      graph::run_graph(graph, {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
  CHECK(summary.at("utterances") == graph::Json{{"done", 5}, {"rejected", 0}});
  int told = 0, more = 0;
  for (const std::string& line : recorder.said) {
    told += line.find(".flac: samples came out of more bits") != std::string::npos;
    more += line.find("the same of more utterances") != std::string::npos;
  }
  CHECK(told == 3);
  CHECK(more == 1);
}
