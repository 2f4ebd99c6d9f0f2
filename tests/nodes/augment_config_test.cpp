/// configs/augment.json as it stands, over small files.
#include <nlohmann/json.hpp>

#include "graph/pipeline.h"
#include "tests/catch.h"
#include "tests/nodes/augmentation.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;

namespace {

graph::Graph augment_graph(const std::filesystem::path& folder, const std::string& out,
                           int threads) {
  graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/augment.json");
  file["nodes"]["corpus"]["root"] = (folder / "speech").string();
  file["nodes"]["noise"]["folder"] = (folder / "noise").string();
  file["nodes"]["rooms"]["folder"] = (folder / "rooms").string();
  file["out"] = (folder / out).string();
  file["threads"] = threads;
  return graph::Graph(graph::resolve(file, "augment.json"));
}

void write_audio(const std::filesystem::path& folder) {
  for (uint32_t i = 0; i < 12; ++i) {
    write_float_wav(folder / "speech" / (std::to_string(i) + ".wav"),
                    white_noise(4000 + 500 * i, i));
  }
  write_float_wav(folder / "noise" / "a.wav", white_noise(3000, 50), 8000);
  write_float_wav(folder / "noise" / "b.wav", white_noise(30000, 51));
  write_float_wav(folder / "rooms" / "a.wav", white_noise(900, 52));
}

}  // namespace

TEST_CASE("configs/augment.json hands on the same bits at 1, 2 and 8 threads") {
  const TemporaryFolder temporary;
  write_audio(temporary.path());
  std::string sha256;
  for (int threads : {1, 2, 8}) {
    Recorder recorder;
    const graph::Json summary =
        graph::run_graph(augment_graph(temporary.path(), "out" + std::to_string(threads), threads),
                         {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
    CHECK(summary.at("utterances") == graph::Json{{"done", 12}, {"rejected", 0}});
    if (sha256.empty()) sha256 = summary.at("batches_sha256").get<std::string>();
    CHECK(summary.at("batches_sha256") == sha256);
  }
}

TEST_CASE("no augmentation, noise least of all, reaches the padding behind an utterance") {
  const TemporaryFolder temporary;
  write_audio(temporary.path());
  const graph::Graph graph = augment_graph(temporary.path(), "out", 2);
  graph::DataThreads threads(2);
  graph::Ledger ledger(temporary.path() / "rejected.jsonl");
  graph::Pipeline pipeline(*graph.batchers().front(), {}, threads, ledger);
  const auto stream = pipeline.open("test", 0);
  int64_t padding = 0;
  while (const auto batch = stream->next()) {
    for (size_t row = 0; row < batch->rows.size(); ++row) {
      const auto behind =
          batch->row_samples(row).subspan(static_cast<size_t>(batch->rows[row].samples));
      for (const float sample : behind) REQUIRE(sample == 0);
      padding += static_cast<int64_t>(behind.size());
      REQUIRE(batch->rows[row].samples > 0);
      for (const graph::MaskSpan& mask : batch->rows[row].time_masks) {
        REQUIRE(320 * (mask.start + mask.length - 1) + 400 <= batch->rows[row].samples);
      }
    }
  }
  CHECK(padding > 1000);
}
