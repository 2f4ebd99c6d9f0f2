#include "io/text/processor.h"

#include "io/files/error.h"
#include "io/files/json_file.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* published_name = "preprocessor_config.json";
constexpr const char* version_5_name = "processor_config.json";

FeatureExtractor from_json(const json& fields, const fs::path& path) {
  if (!fields.is_object()) throw Error(path, "expected a JSON object, found " + shown(fields));
  FeatureExtractor out;
  out.rate_hz = value_or(fields, "sampling_rate", out.rate_hz, path);
  out.do_normalize = value_or(fields, "do_normalize", out.do_normalize, path);
  out.return_attention_mask =
      value_or(fields, "return_attention_mask", out.return_attention_mask, path);
  if (out.rate_hz <= 0) {
    throw Error(path,
                "\"sampling_rate\": expected a rate in Hz, found " + std::to_string(out.rate_hz));
  }
  if (const int size = value_or(fields, "feature_size", 1, path); size != 1) {
    throw Error(path, "\"feature_size\": expected 1 (raw audio), found " + std::to_string(size));
  }
  if (const double value = value_or(fields, "padding_value", 0.0, path); value != 0) {
    throw Error(path, "\"padding_value\": expected 0 (silence), found " + json(value).dump());
  }
  const std::string side = value_or(fields, "padding_side", std::string("right"), path);
  if (side != "right")
    throw Error(path, "\"padding_side\": expected \"right\", found \"" + side + "\"");
  return out;
}

json to_json(const FeatureExtractor& extractor) {
  return {{"feature_extractor_type", "Wav2Vec2FeatureExtractor"},
          {"feature_size", 1},
          {"padding_side", "right"},
          {"padding_value", 0.0},
          {"do_normalize", extractor.do_normalize},
          {"return_attention_mask", extractor.return_attention_mask},
          {"sampling_rate", extractor.rate_hz}};
}

}  // namespace

FeatureExtractor FeatureExtractor::load(const fs::path& folder) {
  const fs::path version_5 = folder / version_5_name, published = folder / published_name;
  if (fs::exists(version_5)) {
    const json processor = read_json(version_5);
    if (processor.is_object() && processor.contains("feature_extractor")) {
      return from_json(processor["feature_extractor"], version_5);
    }
    // Version 4 wrote a processor_config.json without it beside the published file.
  }
  if (fs::exists(published)) return from_json(read_json(published), published);
  throw Error(folder, std::string("expected ") + published_name + " or " + version_5_name +
                          " with \"feature_extractor\", found neither; copy it from the model's "
                          "original folder");
}

void FeatureExtractor::save(const fs::path& folder) const {
  json fields = to_json(*this);
  const fs::path version_5 = folder / version_5_name;
  if (fs::exists(version_5)) {  // it would win over the other file
    write_json(version_5,
               {{"feature_extractor", fields}, {"processor_class", "Wav2Vec2Processor"}});
  }
  fields["processor_class"] = "Wav2Vec2Processor";
  write_json(folder / published_name, fields);
}

}  // namespace flowqat::io
