#include "nodes/support/clip_folder.h"

#include <algorithm>

#include "graph/check.h"
#include "graph/checksum.h"
#include "graph/error.h"
#include "graph/format.h"
#include "io/corpus/audio_folder.h"
#include "io/corpus/clips.h"
#include "io/corpus/index_cache.h"
#include "io/files/error.h"
#include "io/resample/resample.h"
#include "nodes/support/corpus_source.h"

namespace flowqat::nodes {
namespace {

/// 256 MiB of floats: more than an hour at 16 kHz.
constexpr size_t most_kept_samples = size_t{64} << 20;

std::vector<float> read_clip(const std::filesystem::path& path, int rate_hz) {
  try {
    const io::AudioInfo info = io::read_audio_info(path);
    if (info.samples == 0) throw io::Error(path, "holds no audio");
    std::vector<float> samples(static_cast<size_t>(info.samples));
    io::decode_audio(path, info, samples);
    if (info.rate_hz == rate_hz) return samples;
    const double ratio = static_cast<double>(rate_hz) / info.rate_hz;
    try {
      io::check_ratio(ratio, io::Engine::automatic);
    } catch (const io::Error& error) {
      throw io::Error(path, error.what());
    }
    std::vector<float> resampled(static_cast<size_t>(io::resampled_samples(info.samples, ratio)));
    if (resampled.empty()) throw io::Error(path, "is too short to be resampled");
    io::resample(samples, ratio, io::ResampleOptions{}, resampled);
    return resampled;
  } catch (const io::Error& error) {
    throw graph::RunError(std::string(error.what()) + "; repair the file or remove it");
  }
}

}  // namespace

ClipFolder::ClipFolder(const graph::NodeArguments& arguments)
    : node_(arguments.name), folder_(arguments.params.text("folder")) {
  try {
    files_ = io::audio_files_below(folder_, io::audio_extensions());
  } catch (const io::Error& error) {
    throw graph::RunError("node \"" + node_ + "\", key \"folder\": " + error.what());
  }
}

void ClipFolder::check(const graph::Node& node, graph::CheckContext& context) const {
  const std::string where = "node \"" + node_ + "\", key \"folder\": ";
  const auto hear_all = [&] {
    io::Corpus clips = io::scan_clips(folder_, io::audio_extensions(),
                                      {context.threads(), [&](int64_t done, int64_t total) {
                                         context.progress({.what = node_ + ": hearing " + folder_,
                                                           .done = done,
                                                           .total = total,
                                                           .unit = "files"});
                                       }});
    for (const io::CorpusEntry& clip : clips.entries) {
      if (clip.broken.empty()) continue;
      const std::string path = clip.place.path.string();
      const bool is_named = clip.broken.find(path) != std::string::npos;
      throw graph::RunError(where + (is_named ? "" : path + ": ") + clip.broken +
                            "; repair the file or remove it");
    }
    return clips;
  };
  std::vector<io::CorpusEntry> clips;
  try {
    // What is broken is not kept: it is to be heard again when it is repaired.
    clips = io::cached_entries(
        io::index_cache_folder(),
        identity_of("clips", {std::filesystem::absolute(folder_).string(), folder_}), hear_all);
  } catch (const io::Error& error) {
    throw graph::RunError(where + error.what());
  }
  const auto is_silent = [](const io::CorpusEntry& clip) { return clip.group == io::kSilence; };
  const auto silent = std::ranges::count_if(clips, is_silent);
  if (silent > 0) {
    context.say(node_ + ": " + std::to_string(silent) + " of " + std::to_string(clips.size()) +
                " files in " + folder_ + " are silence and change nothing; the first: " +
                std::ranges::find_if(clips, is_silent)->place.path.string());
  }
  graph::Checksum checksum;
  for (const io::CorpusEntry& clip : clips) {
    checksum.add(graph::format("%lld samples at %d Hz: ",
                               static_cast<long long>(clip.audio.samples), clip.audio.rate_hz) +
                 clip.place.path.lexically_relative(folder_).string() + "\n");
  }
  context.uses(node, std::to_string(clips.size()) + " files in " + folder_, checksum.hex());
  context.seen(node_ + ": " + std::to_string(clips.size()) + " files in " + folder_);
}

ClipFolder::Clip ClipFolder::draw(graph::RandomStream& random, int rate_hz) const {
  const size_t file = random.below(files_.size());
  if (Clip clip = find(file, rate_hz)) return clip;
  // Decoded outside the lock: two threads may do so at once, with the same result.
  const Clip clip = std::make_shared<const std::vector<float>>(read_clip(files_[file], rate_hz));
  keep({file, rate_hz, clip});
  return clip;
}

ClipFolder::Clip ClipFolder::find(size_t file, int rate_hz) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.file == file && kept.rate_hz == rate_hz;
  });
  if (found == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found);
  return found->clip;
}

void ClipFolder::keep(Kept kept) const {
  const std::lock_guard lock(mutex_);
  kept_samples_ += kept.clip->size();
  kept_.push_front(std::move(kept));
  while (kept_samples_ > most_kept_samples && kept_.size() > 1) {
    kept_samples_ -= kept_.back().clip->size();
    kept_.pop_back();
  }
}

graph::ParamSpec clip_folder_param(std::string doc) {
  return {
      .name = "folder", .kind = graph::ParamKind::path, .doc = std::move(doc), .may_change = true};
}

}  // namespace flowqat::nodes
