#include "model/torch/base/boundary.h"

#include <c10/util/Exception.h>

#include <cstdio>
#include <new>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <string_view>

#include "model/model.h"

namespace flowqat::model {

namespace {

/// What LibTorch says of memory that it could not get, in words for people; all else as it is.
std::string plain(const char* what) {
  static const std::regex allocation("DefaultCPUAllocator: .*allocate ([0-9]+) bytes");
  std::cmatch found;
  if (!std::regex_search(what, found, allocation)) return what;
  char text[64];
  std::snprintf(text, sizeof text, "out of memory: %.1f MB more were needed",
                1e-6 * std::stod(found[1]));
  return text;
}

}  // namespace

void rethrow_at_boundary(const char* doing) {
  try {
    throw;
  } catch (const c10::Error& error) {
    throw Error(std::string(doing) + ": " + plain(error.what_without_backtrace()));
  } catch (const nlohmann::json::exception& error) {
    throw Error(std::string(doing) + ": the quantization's JSON is malformed: " + error.what());
  } catch (const std::bad_alloc&) {
    throw Error(std::string(doing) + ": out of memory");
  } catch (const std::exception& error) {
    // oneDNN's error has a type of its own, which LibTorch's headers do not show.
    const std::string_view what = error.what();
    if (!what.starts_with("could not create ") && !what.starts_with("could not execute ")) throw;
    throw Error(std::string(doing) + ": oneDNN " + error.what() + ", mostly for lack of memory");
  }
}

}  // namespace flowqat::model
