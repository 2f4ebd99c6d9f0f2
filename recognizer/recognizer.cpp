#include "recognizer/recognizer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/message.h"
#include "base/simd/target.h"
#include "io/files/error.h"
#include "io/files/json_file.h"
#include "io/files/mapped_file.h"
#include "io/resample/resample.h"
#include "recognizer/decoding.h"
#include "recognizer/model_weights.h"
#include "recognizer/normalize.h"

namespace flowqat::recognizer {
namespace fs = std::filesystem;

runtime::Options runtime_options(int threads, const std::optional<std::string>& kernels) {
  if (threads < 0 || threads > 1024) {
    throw Error("threads: expected 0 to 1024, found " + std::to_string(threads));
  }
  runtime::Options options;
  options.threads = threads;
  if (!kernels) return options;
  options.target = target_of(*kernels);
  if (!options.target) {
    throw Error("kernels \"" + shortened(*kernels, most_shown_bytes) + "\": expected one of " +
                target_names());
  }
  return options;
}

std::unique_ptr<model::AcousticModel> load_int8(const fs::path& folder,
                                                ModelDescription& description,
                                                runtime::Options options) {
  const fs::path file = folder / int8_file;
  if (!fs::exists(file)) {
    throw Error(folder.string() + ": expected an int8 model's folder, found no " + int8_file +
                " in it; `flowqat quantize` makes an int8 model of a float one, `flowqat convert` "
                "of a fake-quantized one");
  }
  std::vector<std::string> notes;
  const model::Tensors tensors = read_weights(folder, notes);
  const nlohmann::json quantization = io::read_json(file);
  for (const std::string& note : notes) {
    description.notes.push_back(folder.string() + ": " + note);
  }
  try {
    options.bytes_read = io::give_pages_back;
    return runtime::load(description.config, tensors, quantization, options);
  } catch (const model::Error& error) {
    throw io::Error(folder, error.what());
  }
}

Recognizer::Recognizer(const fs::path& folder, const runtime::Options& options,
                       const WindowTimes& times)
    : description_(read_description(folder)),
      shape_(window_shape(description_.config, description_.extractor.rate_hz, times)),
      model_(load_int8(folder, description_, options)) {}

Recognizer::~Recognizer() = default;

void Recognizer::check(std::span<const float> samples, int rate_hz) const {
  const int model_hz = description_.extractor.rate_hz;
  if (rate_hz <= 0 || rate_hz > 256LL * model_hz || model_hz > 256LL * rate_hz) {
    throw Error("rate_hz: must be from " + std::to_string((model_hz + 255) / 256) + " to " +
                std::to_string(256LL * model_hz) + ", found " + std::to_string(rate_hz));
  }
  // As files are read (io/audio): one sample that is no sound makes all of an utterance's.
  constexpr float most = 0x1p40F;
  const auto is_sound = [](float sample) { return std::abs(sample) <= most; };
  const auto wrong = std::ranges::find_if_not(samples, is_sound);
  if (wrong == samples.end()) return;
  char value[32];
  std::snprintf(value, sizeof value, "%g", static_cast<double>(*wrong));
  throw Error("sample " + std::to_string(wrong - samples.begin()) + ", counted from 0, is " +
              (std::isnan(*wrong) ? "not a number (NaN)" : value) + ", expected about -1 to 1");
}

std::vector<float> Recognizer::prepared(std::span<const float> samples, double ratio) const {
  const auto count = static_cast<int64_t>(samples.size());
  std::vector<float> heard(static_cast<size_t>(io::resampled_samples(count, ratio)));
  io::resample(samples, ratio, io::ResampleOptions{}, heard);
  if (description_.extractor.do_normalize) normalize(heard, heard);
  return heard;
}

Recognition Recognizer::recognize(std::span<const float> samples, int rate_hz, Keep keep) const {
  check(samples, rate_hz);
  Recognition result;
  const auto count = static_cast<int64_t>(samples.size());
  result.duration_s = static_cast<double>(count) / rate_hz;
  const double ratio = static_cast<double>(shape_.rate_hz) / rate_hz;
  std::vector<int32_t> tokens;
  for (const Window& window : windows_of(count, rate_hz, shape_)) {
    const std::vector<float> heard =
        prepared(samples.subspan(static_cast<size_t>(window.first_sample),
                                 static_cast<size_t>(window.samples)),
                 ratio);
    const auto length = static_cast<int64_t>(heard.size());
    if (frames_of(description_.config, length) == 0) continue;  // nothing to recognise
    model::AudioBatch batch;
    batch.samples = heard;
    batch.rows = 1;
    batch.padded_samples = length;
    batch.lengths_samples = {length};
    add_window(model_->infer(batch), window, keep == Keep::text_and_logits, tokens, result.logits);
  }
  result.frames = std::ssize(tokens);
  io::DecodedText decoded = description_.tokenizer->decode_words(tokens);
  result.text = std::move(decoded.text);
  for (io::Word& word : decoded.words) {
    result.words.push_back({.text = std::move(word.text),
                            .start_s = time_s(word.begin_frame),
                            .end_s = time_s(word.end_frame)});
  }
  return result;
}

}  // namespace flowqat::recognizer
