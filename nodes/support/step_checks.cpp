#include "nodes/support/step_checks.h"

#include <algorithm>
#include <utility>

#include "io/files/error.h"
#include "io/text/unicode.h"

namespace flowqat::nodes {

void check_rate(const graph::CheckContext& context, const graph::Batcher& audio,
                const ModelStep& model) {
  const graph::CheckedStream* stream = context.stream(audio);
  if (stream == nullptr || stream->rate_hz == 0 || !model.knows_config()) return;
  const int heard_hz = model.extractor().rate_hz;
  if (stream->rate_hz == heard_hz) return;
  throw graph::GraphError("node \"" + audio.name() + "\": audio comes at " +
                          std::to_string(stream->rate_hz) + " Hz (" + stream->path +
                          "), the model hears " + std::to_string(heard_hz) +
                          " Hz; put a resample node into the stream");
}

void check_transcripts(const graph::CheckContext& context, const graph::Batcher& audio,
                       const graph::Step& step, const std::string& purpose) {
  const graph::CheckedStream* stream = context.stream(audio);
  if (stream == nullptr) return;
  const std::string where = "node \"" + step.name() + "\", key \"audio\": ";
  if (stream->with_transcript == 0) {
    throw graph::GraphError(where + "\"" + audio.name() + "\" has no transcript to " + purpose +
                            ": none of the " + std::to_string(stream->utterances) +
                            " utterances of \"" + stream->known.chain.source->name() +
                            "\" has one");
  }
  int64_t last = -1;  // presentations of an utterance stand behind one another
  for (const graph::Presentation& at : stream->known.selection.presentations) {
    if (std::exchange(last, at.entry) == at.entry) continue;
    const graph::IndexEntry& entry = stream->known.index[at.entry];
    try {
      io::from_utf8(entry.transcript);
    } catch (const io::Error& error) {
      throw graph::RunError(where + "the transcript of " + entry.id + ": " + error.what());
    }
  }
}

void check_stage(const graph::Step& step, const ModelStep& from,
                 std::initializer_list<Stage> fitting, const std::string& advice) {
  const auto stage = from.stage();
  if (!stage || std::find(fitting.begin(), fitting.end(), *stage) != fitting.end()) return;
  throw graph::GraphError("node \"" + step.name() + "\", key \"model\": \"" + from.name() +
                          "\" gives " + describe(*stage) + "; " + advice);
}

}  // namespace flowqat::nodes
