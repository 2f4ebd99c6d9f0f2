/// The data side for as long as it is told: utterances without end over a few small files, one in a
/// hundred of them broken. Memory must stay flat, descriptors constant and counts exact.
///
///     build/soak UTTERANCES [MOST_GROWTH_PERCENT]     # 1000000 2: the long form
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "graph/registry.h"
#include "graph/run.h"
#include "io/audio/audio_file.h"
#include "tests/corpus.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
namespace fs = std::filesystem;

namespace {

constexpr int64_t kPeriod = 200;  ///< of these one is broken by its header, one behind it

/// `count` utterances that share the files of a folder; the file named damaged.flac comes once in a
/// period.
class Synthetic : public graph::Source {
 public:
  explicit Synthetic(const graph::NodeArguments& a)
      : Source(a.name), count_(a.params.integer("count")), folder_(a.params.text("folder")) {}

  graph::Index read_index(const graph::IndexReading&) const override {
    std::vector<graph::IndexEntry> sound;
    graph::IndexEntry damaged;
    for (const auto& file : fs::recursive_directory_iterator(folder_)) {
      if (file.path().extension() != ".flac") continue;
      const io::AudioInfo info = io::read_audio_info(file.path());
      graph::IndexEntry entry;
      entry.path = file.path();
      entry.shape = {info.samples, info.rate_hz};
      (file.path().filename() == "damaged.flac" ? damaged : sound.emplace_back()) = entry;
    }
    std::vector<graph::IndexEntry> index;
    index.reserve(static_cast<size_t>(count_));
    for (int64_t i = 0; i < count_; ++i) {
      const bool is_damaged = i % kPeriod == kPeriod / 2;
      graph::IndexEntry entry = is_damaged ? damaged : sound[static_cast<size_t>(i) % sound.size()];
      if (i % kPeriod == 0) entry.shape = {}, entry.broken = "has no header";
      entry.id = "u" + std::to_string(i);
      entry.transcript = "WORDS THAT ARE SAID";
      index.push_back(std::move(entry));
    }
    return graph::Index(index);
  }

 private:
  int64_t count_;
  std::string folder_;
};

const graph::Register registered(
    {.name = "synthetic",
     .doc = "",
     .output = graph::EdgeKind::utterances,
     .inputs = {},
     .params = {{.name = "count", .kind = graph::ParamKind::integer, .minimum = 1},
                {.name = "folder", .kind = graph::ParamKind::path}},
     .make = [](graph::NodeArguments a) { return std::make_unique<Synthetic>(a); }});

/// The middle of so short a file is the room that its header keeps free.
void damage_audio(const fs::path& file) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(fs::file_size(file)) - 200);
  for (int i = 0; i < 64; ++i) stream.put('\x5a');
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  double all_pages = 0, resident_pages = 0;
  file >> all_pages >> resident_pages;
  return 1e-6 * resident_pages * 4096;
}

int64_t descriptors() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

/// Measures at every hundredth of the run.
class Watch : public graph::Reporter {
 public:
  void say(const std::string& line) override { std::fprintf(stderr, "%s\n", line.c_str()); }
  void result(const std::string& text) override { std::fputs(text.c_str(), stderr); }
  void progress(const graph::Progress& progress) override {
    if (progress.unit != "batches" || progress.done * 100 / progress.total < hundredths_ + 1)
      return;
    hundredths_ = progress.done * 100 / progress.total;
    const double now_mb = resident_mb();
    const int64_t open = descriptors();
    if (hundredths_ <= kWarm) {
      warm_mb = std::max(warm_mb, now_mb), warm_open = std::max(warm_open, open);
    } else {
      most_mb = std::max(most_mb, now_mb), most_open = std::max(most_open, open);
    }
    last_mb = now_mb;
    if (hundredths_ % 10 == 0) {
      std::fprintf(stderr, "%3lld %%: %.1f MB, %lld descriptors\n",
                   static_cast<long long>(hundredths_), now_mb, static_cast<long long>(open));
    }
  }

  /// In the first hundredths (buffers are filled once, files opened) and in all that follow.
  double warm_mb = 0, most_mb = 0, last_mb = 0;
  int64_t warm_open = 0, most_open = 0;

 private:
  static constexpr int64_t kWarm = 20;
  int64_t hundredths_ = 0;
};

int failures = 0;
void expect(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "soak: FAILED: %s\n", what.c_str());
}

/// Exactly the broken ones, each once, each for its reason.
void check_rejected(const fs::path& list, int64_t count) {
  std::vector<char> seen(static_cast<size_t>(count), 0);
  std::ifstream file(list);
  for (std::string line; std::getline(file, line);) {
    const auto row = graph::Json::parse(line);
    const int64_t i = std::stoll(row.at("id").get<std::string>().substr(1));
    const bool by_header = row.at("reason") == "has no header";
    expect(i % kPeriod == (by_header ? 0 : kPeriod / 2), "a sound utterance was rejected: " + line);
    expect(++seen[static_cast<size_t>(i)] == 1, "rejected twice: " + line);
  }
  int64_t missing = 0;
  for (int64_t i = 0; i < count; i += kPeriod / 2) missing += seen[static_cast<size_t>(i)] ? 0 : 1;
  expect(missing == 0, std::to_string(missing) + " broken utterances are not listed");
}

}  // namespace

int main(int argc, char** argv) try {
  const int64_t count = argc > 1 ? std::atoll(argv[1]) : 20000;
  const double most_growth_percent = argc > 2 ? std::atof(argv[2]) : 2;
  const flowqat::testing::TemporaryFolder temporary;
  const fs::path corpus = temporary.path() / "corpus", out = temporary.path() / "out";
  const auto files =
      flowqat::testing::make_corpus(corpus, {.speakers = 8, .utterances = 2, .shortest_s = 0.1});
  fs::copy_file(files.back(), corpus / "damaged.flac");
  damage_audio(corpus / "damaged.flac");

  const graph::Json nodes = {
      {"corpus", {{"type", "synthetic"}, {"count", count}, {"folder", corpus.string()}}},
      {"decode", {{"type", "decode"}, {"from", "corpus"}}},
      {"normalize", {{"type", "normalize"}, {"from", "decode"}}},
      {"batch", {{"type", "batch"}, {"from", "normalize"}, {"max_padded_s", 8}}}};
  const int64_t before = descriptors();
  Watch watch;
  const std::atomic<int> no_signal{0};
  const graph::Graph graph(
      graph::resolve(graph::Json{{"nodes", nodes}, {"out", out.string()}}, "soak"));
  const graph::Json summary =
      graph::run_graph(graph, {.reporter = &watch, .stop_signal = &no_signal});

  const int64_t broken = (count + kPeriod - 1) / kPeriod + (count + kPeriod / 2 - 1) / kPeriod;
  const auto& utterances = summary.at("utterances");
  expect(utterances.at("rejected") == broken, "rejected: " + utterances.dump());
  expect(utterances.at("done") == count - broken, "done: " + utterances.dump());
  check_rejected(out / "rejected.jsonl", count);
  const double growth_percent = 100 * (watch.most_mb / watch.warm_mb - 1);
  expect(growth_percent <= most_growth_percent, "memory grew");
  expect(descriptors() == before, "descriptors were left open");
  expect(watch.most_open <= watch.warm_open + 2, "descriptors grew");  // files that are being read
  const double wall_s = summary.at("data").at("batch").at("wall_s");
  std::printf("%s\n", graph::Json{{"utterances", count},
                                  {"broken", broken},
                                  {"wall_s", graph::rounded(wall_s)},
                                  {"resident_mb_at_20_percent", graph::rounded(watch.warm_mb, 5)},
                                  {"resident_mb_at_most", graph::rounded(watch.most_mb, 5)},
                                  {"resident_mb_at_the_end", graph::rounded(watch.last_mb, 5)},
                                  {"growth_percent", graph::rounded(growth_percent, 3)},
                                  {"descriptors", watch.most_open},
                                  {"failures", failures}}
                          .dump()
                          .c_str());
  return failures == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "soak: %s\n", error.what());
  return 1;
}
