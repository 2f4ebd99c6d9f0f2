/// A quantization policy, as graphs, commands and model folders hold it.
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "model/model.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nlohmann::json json;
  try {
    json = parse_json<nlohmann::json>(fuzz::text_of(data, size));
  } catch (const JsonError&) {
    return 0;
  }
  fuzz::refuses_or([&] {
    const model::Policy policy = model::policy_from_json(json, "policy");
    const nlohmann::json written = model::policy_to_json(policy);
    fuzz::require(model::policy_to_json(model::policy_from_json(written, "policy")) == written,
                  "the same when it is written");
  });
  return 0;
}
