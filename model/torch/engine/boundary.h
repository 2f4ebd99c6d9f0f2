/// LibTorch's exceptions end here: whoever calls the model room sees model::Error alone.
#pragma once
#include <c10/util/Exception.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "model/model.h"

namespace flowqat::model {

/// Runs `call` and turns c10::Error (without its C++ backtrace) and JSON errors into Error, led by
/// `doing`.
template <class Call>
auto at_boundary(const char* doing, Call&& call) -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (const c10::Error& error) {
    throw Error(std::string(doing) + ": " + error.what_without_backtrace());
  } catch (const nlohmann::json::exception& error) {
    throw Error(std::string(doing) + ": the quantization's JSON is malformed: " + error.what());
  }
}

}  // namespace flowqat::model
