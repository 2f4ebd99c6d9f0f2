/// Audio files named one by one, without transcripts: what `flowqat transcribe` reads.
#include "graph/error.h"
#include "graph/registry.h"
#include "io/audio/audio_file.h"
#include "io/files/error.h"
#include "recognizer/windows.h"

namespace flowqat::nodes {
namespace {

class Files : public graph::Source {
 public:
  explicit Files(const graph::NodeArguments& arguments)
      : Source(arguments.name),
        paths_(arguments.params.texts("paths")),
        windows_{.window_frames = arguments.params.integer("window_frames"),
                 .edge_frames = arguments.params.integer("edge_frames"),
                 .frame_samples = arguments.params.integer("frame_samples"),
                 .rate_hz = static_cast<int>(arguments.params.integer("rate_hz"))} {
    if (windows_.window_frames > 0 && windows_.window_frames <= 2 * windows_.edge_frames) {
      throw graph::GraphError("key \"window_frames\": must be more than two \"edge_frames\"");
    }
  }

  graph::Index read_index(const graph::IndexReading&) const override {
    std::vector<graph::IndexEntry> entries;
    for (const std::string& path : paths_) {
      try {
        add(io::read_audio_info(std::filesystem::path(path)), path, entries);
      } catch (const io::Error& error) {
        graph::IndexEntry& entry = new_entry(path, entries);
        entry.broken = error.what();
      }
    }
    return graph::Index(entries);
  }

 private:
  static graph::IndexEntry& new_entry(const std::string& path,
                                      std::vector<graph::IndexEntry>& entries) {
    graph::IndexEntry& entry = entries.emplace_back();
    entry.id = std::to_string(entries.size() - 1);
    entry.path = path;
    return entry;
  }

  void add(const io::AudioInfo& info, const std::string& path,
           std::vector<graph::IndexEntry>& entries) const {
    const std::vector<recognizer::Window> windows =
        recognizer::windows_of(info.samples, info.rate_hz, windows_);
    for (const recognizer::Window& window : windows) {
      graph::IndexEntry& entry = new_entry(path, entries);
      entry.shape = {window.samples, info.rate_hz};
      entry.channels = info.channels;
      if (windows.size() > 1) entry.first_sample = window.first_sample;
    }
  }

  std::vector<std::string> paths_;
  recognizer::WindowShape windows_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "files",
    .doc = "audio files named one by one, without transcripts",
    .output = graph::EdgeKind::utterances,
    .params = {{.name = "paths",
                .kind = ParamKind::texts,
                .doc = "the files, in the order of the results"},
               {.name = "window_frames",
                .kind = ParamKind::integer,
                .fallback = 0,
                .unit = "frames",
                .minimum = 0,
                .doc = "longer recordings come in overlapping windows of this many frames of a "
                       "model, each an utterance; 0: whole"},
               {.name = "edge_frames",
                .kind = ParamKind::integer,
                .fallback = 100,
                .unit = "frames",
                .minimum = 1,
                .doc = "half of what two windows share"},
               {.name = "frame_samples",
                .kind = ParamKind::integer,
                .fallback = 320,
                .unit = "samples",
                .minimum = 1,
                .doc = "a frame of the model"},
               {.name = "rate_hz",
                .kind = ParamKind::integer,
                .fallback = 16000,
                .unit = "Hz",
                .minimum = 1,
                .maximum = 384000,
                .doc = "the rate that the model hears"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Files>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
