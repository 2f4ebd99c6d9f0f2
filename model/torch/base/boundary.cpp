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

/// What `pattern` has in parentheses; empty where it is not found.
std::string found_in(const std::string& text, const char* pattern) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(pattern)) ? found[1].str() : "";
}

/// "the device is out of memory: 2.00 GiB more were needed; it has 79.19 GiB", as LibTorch tells.
std::string of_full_device(const std::string& what) {
  const std::string more = found_in(what, "[Tt]ried to allocate ([0-9.]+ [A-Za-z]+)"),
                    there = found_in(what, "total capacity of ([0-9.]+ [A-Za-z]+)");
  return "the device is out of memory" + (more.empty() ? "" : ": " + more + " more were needed") +
         (there.empty() ? "" : "; it has " + there);
}

}  // namespace

bool tells_of_full_device(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error)) return true;
  if (!dynamic_cast<const c10::Error*>(&error)) return false;
  const std::string_view what = error.what();
  const auto says = [&](const char* text) { return what.find(text) != std::string_view::npos; };
  return says("CUDA error: out of memory") || says("CUBLAS_STATUS_ALLOC_FAILED") ||
         says("CUDNN_STATUS_ALLOC_FAILED") || says("DEVICE_ALLOCATION_FAILED");
}

std::string plain_text(const std::exception& error) {
  const auto* const of_libtorch = dynamic_cast<const c10::Error*>(&error);
  const std::string what = of_libtorch ? of_libtorch->what_without_backtrace() : error.what();
  if (tells_of_full_device(error)) return of_full_device(what);
  const std::string bytes = found_in(what, "DefaultCPUAllocator: .*allocate ([0-9]+) bytes");
  if (bytes.empty()) return what;
  char text[64];
  std::snprintf(text, sizeof text, "out of memory: %.1f MB more were needed",
                1e-6 * std::stod(bytes));
  return text;
}

void rethrow_at_boundary(const char* doing) {
  try {
    throw;
  } catch (const c10::Error& error) {
    const std::string text = std::string(doing) + ": " + plain_text(error);
    if (tells_of_full_device(error)) throw OutOfMemory(text);
    throw Error(text);
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
