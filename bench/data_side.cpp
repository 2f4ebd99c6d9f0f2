// The data side by itself, one way of running it a call; bench/data_side.py compares them.
//   bench_data_side FOLDER MODE THREADS SECONDS   -> one JSON object on one line
// FOLDER is searched for FLAC. MODE:
//   decode       every file to floats, on the lean path, checksums verified
//   decode-av    the same through libavformat and libavcodec, checksums verified
//   loop         decode, speed factors, normalize, masks and batches: the nodes' own work in a
//   plain
//                loop of threads, each making whole batches
//   graph        the same as a user runs it: through the oneTBB graph, batches drawn in order
//   first-batch  how long until the graph hands on its first batch: `wall_s`, from the index on;
//   the
//                folder is a corpus in LibriSpeech's layout, SECONDS do not count
// Whole epochs are repeated until SECONDS have passed, after one that is not counted.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "graph/graph.h"
#include "graph/row_maker.h"
#include "io/audio/av_file.h"
#include "io/audio/mono.h"
#include "io/corpus/audio_folder.h"

namespace {

using namespace flowqat;

double wall_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void print(const std::string& mode, int threads, double audio_s, double wall_s, double cpu_s) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"mode\": \"%s\", \"threads\": %d, \"audio_s\": %.1f, \"wall_s\": %.4f, \"cpu_s\": %.4f, "
      "\"peak_rss_bytes\": %lld}\n",
      mode.c_str(), threads, audio_s, wall_s, cpu_s, 1024LL * usage.ru_maxrss);
}

/// Runs `work(i)` for every i below `count` on `threads` threads.
void in_parallel(int threads, size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  const auto worker = [&] {
    for (size_t i; (i = next++) < count;) work(i);
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(worker);
  worker();
}

/// One pass over the corpus; returns the seconds of input audio in it.
using Epoch = std::function<double(int64_t epoch)>;

Epoch decoding(const std::string& folder, bool lean, int threads) {
  const auto corpus =
      std::make_shared<const io::Corpus>(io::scan_audio_folder(folder, {"flac"}, threads));
  return [=](int64_t) {
    in_parallel(threads, corpus->entries.size(), [&](size_t i) {
      const io::CorpusEntry& entry = corpus->entries[i];
      std::vector<float> mono(static_cast<size_t>(entry.audio.samples));
      if (lean) {
        io::decode_audio(entry.place, entry.audio, mono);
        return;
      }
      size_t done = 0;
      io::decode_av(io::InputFile(entry.place.path), [&](const AVFrame& frame) {
        io::MonoMixer().mix(frame, 0, frame.nb_samples, mono.data() + done);
        done += static_cast<size_t>(frame.nb_samples);
      });
    });
    double audio_s = 0;
    for (const io::CorpusEntry& entry : corpus->entries) {
      audio_s += static_cast<double>(entry.audio.samples) / entry.audio.rate_hz;
    }
    return audio_s;
  };
}

/// The graph that all of this is about, and what it needs to run.
struct FrontEnd {
  FrontEnd(const std::string& folder, int threads, const char* type = "folder")
      : graph(graph::resolve(
            {{"threads", threads},
             {"nodes",
              {{"corpus", {{"type", type}, {"root", folder}}},
               {"decode", {{"type", "decode"}, {"from", "corpus"}}},
               {"perturb",
                {{"type", "speed_perturb"}, {"from", "decode"}, {"factors", {0.9, 1.0, 1.1}}}},
               {"normalize", {{"type", "normalize"}, {"from", "perturb"}}},
               {"masks", {{"type", "spec_augment"}, {"from", "normalize"}}},
               {"batch", {{"type", "batch"}, {"from", "masks"}, {"size", 4}}}}}},
            "front end")),
        threads(threads),
        pipeline(*graph.batchers().front(), {}, this->threads, ledger) {}

  graph::Graph graph;
  graph::DataThreads threads;
  graph::Ledger ledger;
  graph::Pipeline pipeline;
};

double input_s(const graph::Batch& batch) {
  double sum = 0;
  for (const graph::Row& row : batch.rows) sum += row.rejected ? 0 : row.entry->shape.seconds();
  return sum;
}

Epoch through_graph(const std::string& folder, int threads) {
  const auto front_end = std::make_shared<FrontEnd>(folder, threads);
  return [=](int64_t epoch) {
    double audio_s = 0;
    const auto stream = front_end->pipeline.open("bench", epoch);
    while (const auto batch = stream->next()) audio_s += input_s(*batch);
    return audio_s;
  };
}

Epoch in_a_loop(const std::string& folder, int threads) {
  const auto front_end = std::make_shared<FrontEnd>(folder, threads);
  return [=](int64_t epoch) {
    const graph::Plan plan = front_end->pipeline.plan("bench", epoch);
    const graph::RowMaker maker(front_end->pipeline,
                                {.seed = 1, .consumer = graph::key_of("bench"), .epoch = epoch});
    const size_t transforms = front_end->pipeline.chain().transforms.size();
    std::atomic<double> audio_s{0};
    in_parallel(threads, plan.size(), [&](size_t number) {
      const auto rows = maker.begin(plan[number], static_cast<int64_t>(number));
      for (const auto& row : rows) {
        for (size_t i = 0; i < transforms; ++i) maker.apply(i, *row);
        maker.finish(*row);
      }
      audio_s += input_s(rows.front()->home->batch);
    });
    return audio_s.load();
  };
}

int time_first_batch(const std::string& folder, int threads) {
  const double start_s = wall_s(), start_cpu_s = cpu_s();
  FrontEnd front_end(folder, threads, "librispeech");
  const auto stream = front_end.pipeline.open("bench", 0);
  const double audio_s = input_s(*stream->next());
  print("first-batch", threads, audio_s, wall_s() - start_s, cpu_s() - start_cpu_s);
  return 0;
}

int measure(const std::string& folder, const std::string& mode, int threads, double seconds) {
  if (mode == "first-batch") return time_first_batch(folder, threads);
  Epoch run;
  if (mode == "decode") run = decoding(folder, true, threads);
  if (mode == "decode-av") run = decoding(folder, false, threads);
  if (mode == "loop") run = in_a_loop(folder, threads);
  if (mode == "graph") run = through_graph(folder, threads);
  if (!run || threads < 1) {
    std::fprintf(stderr, "bench_data_side: unknown mode %s or %d threads\n", mode.c_str(), threads);
    return 2;
  }
  int64_t epoch = 0;
  run(epoch++);
  double audio_s = 0;
  const double start_s = wall_s(), start_cpu_s = cpu_s();
  while (wall_s() - start_s < seconds) audio_s += run(epoch++);
  const double took_s = wall_s() - start_s, took_cpu_s = cpu_s() - start_cpu_s;
  print(mode, threads, audio_s, took_s, took_cpu_s);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(
        stderr,
        "usage: bench_data_side FOLDER decode|decode-av|loop|graph|first-batch THREADS SECONDS\n");
    return 2;
  }
  try {
    return measure(argv[1], argv[2], std::atoi(argv[3]), std::atof(argv[4]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_data_side: %s\n", error.what());
    return 1;
  }
}
