/// Samples to text: an int8 model's folder as one thing that a program can ask.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/model.h"
#include "recognizer/model_description.h"
#include "recognizer/windows.h"
#include "runtime/acoustic_model.h"

namespace flowqat::recognizer {

/// A folder that holds no int8 model, or samples that are no sound. What a file lacks or holds
/// wrongly is an io::Error, which names it.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct TimedWord {
  std::string text;
  double start_s = 0, end_s = 0;  ///< from its first character's first frame to its last one's end
};

struct Recognition {
  std::string text;
  std::vector<TimedWord> words;
  double duration_s = 0;  ///< of the samples
  int64_t frames = 0;
  std::vector<float> logits;  ///< [frames, vocabulary], before the softmax; empty unless asked for
};

enum class Keep { text, text_and_logits };

/// As programs ask for it: `threads` from 0 (all cores) to 1024; the name of a target, or none for
/// the fastest. Throws Error for what is neither.
runtime::Options runtime_options(int threads, const std::optional<std::string>& kernels);

/// The model of an int8 folder. Adds to the description's notes what it left out. Throws as
/// Recognizer's constructor.
std::unique_ptr<model::AcousticModel> load_int8(const std::filesystem::path& folder,
                                                ModelDescription& description,
                                                runtime::Options options);

/// Gives what `flowqat transcribe` gives of the same samples, bit for bit. All of it is
/// thread-safe; threads that recognise at once share the model and its workers.
class Recognizer {
 public:
  /// Throws Error for a folder without an int8 model, io::Error for a file of it that is missing or
  /// wrong, which it names, and for a target that does not run here.
  explicit Recognizer(const std::filesystem::path& folder, const runtime::Options& options = {},
                      const WindowTimes& times = {});
  ~Recognizer();
  Recognizer(const Recognizer&) = delete;
  Recognizer& operator=(const Recognizer&) = delete;

  /// `samples` of one channel, -1 to 1 by custom, at any rate from 1/256 of the model's to 256
  /// times it. Longer recordings are heard in windows; less than a frame is silence. Throws Error
  /// for a rate beyond those and for a sample that is no number or beyond all bounds.
  Recognition recognize(std::span<const float> samples, int rate_hz, Keep keep = Keep::text) const;

  const ModelDescription& description() const { return description_; }
  /// What the user should hear of the folder, a sentence each.
  const std::vector<std::string>& notes() const { return description_.notes; }
  /// When a frame begins.
  double time_s(int64_t frame) const { return frame_s(shape_, frame); }

 private:
  void check(std::span<const float> samples, int rate_hz) const;
  std::vector<float> prepared(std::span<const float> samples, double ratio) const;

  ModelDescription description_;
  WindowShape shape_;
  std::unique_ptr<model::AcousticModel> model_;
};

}  // namespace flowqat::recognizer
