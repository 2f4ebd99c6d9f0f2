#include "model/torch/base/boundary.h"

#include <c10/util/Exception.h>

#include <nlohmann/json.hpp>
#include <string>

#include "model/model.h"

namespace flowqat::model {

void rethrow_at_boundary(const char* doing) {
  try {
    throw;
  } catch (const c10::Error& error) {
    throw Error(std::string(doing) + ": " + error.what_without_backtrace());
  } catch (const nlohmann::json::exception& error) {
    throw Error(std::string(doing) + ": the quantization's JSON is malformed: " + error.what());
  }
}

}  // namespace flowqat::model
