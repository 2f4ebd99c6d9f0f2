#include "graph/known_stream.h"

#include "graph/error.h"

namespace flowqat::graph {

PipelineOptions pipeline_options(const Params& settings) {
  return {.seed = static_cast<uint64_t>(settings.integer("seed")),
          .audio_in_flight_s = settings.number("audio_in_flight_s"),
          .max_rejected_share = settings.number("max_rejected_share"),
          .max_rejected = settings.integer("max_rejected")};
}

KnownStream read_stream(const Batcher& batcher, const PipelineOptions& options,
                        const IndexReading& reading) {
  KnownStream stream{.chain = Chain::behind(batcher), .index = {}, .selection = {}};
  const Source& source = *stream.chain.source;
  stream.index = source.read_index(reading);
  if (stream.index.empty()) {
    throw RunError("node \"" + source.name() + "\": the corpus holds no utterance");
  }
  stream.selection = select(stream.chain, stream.index, options.seed);
  if (stream.selection.presentations.empty()) {
    throw RunError("node \"" + source.name() + "\": no utterance is left of " +
                   std::to_string(stream.index.size()) + ": " +
                   (stream.selection.left_out == stream.index.size()
                        ? "their durations are all outside the limits, or their weights 0"
                        : "`hours` is shorter than every one"));
  }
  return stream;
}

IndexProgress index_progress(const Batcher& batcher, Reporter& reporter,
                             const std::atomic<int>& stop_signal) {
  return [&reporter, &stop_signal, what = batcher.name() + ": reading the index"](int64_t done,
                                                                                  int64_t total) {
    if (stop_signal != 0) throw Interrupted(stop_signal);
    reporter.progress({.what = what, .done = done, .total = total, .unit = "files"});
  };
}

}  // namespace flowqat::graph
