#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/foreign.h"
#include "base/json_text.h"
#include "io/files/error.h"
#include "io/files/mapped_file.h"
#include "io/tensors/safetensors.h"
#include "io/tensors/safetensors_format.h"

namespace flowqat::io {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little, "safetensors is read without conversion");

/// A header entry with its range, relative to the end of the header.
struct Entry {
  Tensor tensor;
  int64_t begin = 0, end = 0;
};

[[noreturn]] void fail(const fs::path& path, const std::string& tensor, const std::string& what) {
  throw Error(path, "tensor \"" + tensor + "\": " + what);
}

std::string_view header_text(const fs::path& path, std::span<const std::byte> file) {
  const auto size = static_cast<int64_t>(file.size());
  // As a header's length, these bytes would be far beyond the limit.
  const std::string_view head(reinterpret_cast<const char*>(file.data()),
                              std::min(file.size(), foreign_head_bytes));
  if (const std::string what = foreign_content(head); !what.empty()) {
    throw Error(path, "not safetensors: " + what);
  }
  if (size < safetensors_prefix_bytes) {
    throw Error(path, "not safetensors: expected at least 8 bytes, found " + std::to_string(size));
  }
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const int64_t longest =
      std::min(size - safetensors_prefix_bytes, safetensors_longest_header_bytes);
  if (length > static_cast<uint64_t>(longest)) {
    throw Error(path, "the header claims " + std::to_string(length) + " bytes, at most " +
                          std::to_string(longest) +
                          " are possible; the file is cut off or not "
                          "safetensors");
  }
  return {reinterpret_cast<const char*>(file.data()) + safetensors_prefix_bytes,
          static_cast<size_t>(length)};
}

json parse_header(const fs::path& path, std::string_view text) {
  std::string reason = "it begins with other bytes";
  try {
    if (text.starts_with('{')) return parse_json<json>(text);
  } catch (const JsonError& error) {
    reason = error.what();
  }
  throw Error(path, "the header is not a JSON object (" + reason +
                        "); the file is damaged or not safetensors");
}

/// A JSON array of integers from 0, or an Error.
std::vector<int64_t> integers(const fs::path& path, const std::string& name, const json& object,
                              const char* key) {
  const auto found = object.find(key);
  const auto fits = [](const json& value) {
    return value.is_number_unsigned() && value.get<uint64_t>() <= uint64_t{INT64_MAX};
  };
  if (found == object.end() || !found->is_array() ||
      !std::all_of(found->begin(), found->end(), fits)) {
    fail(path, name,
         std::string("\"") + key + "\": expected integers from 0, found " +
             (found == object.end() ? "nothing" : shown(*found)));
  }
  return found->get<std::vector<int64_t>>();
}

Entry parse_entry(const fs::path& path, const std::string& name, const json& object) {
  if (!object.is_object()) fail(path, name, "expected an object, found " + shown(object));
  Entry entry;
  entry.tensor.name = name;
  const auto dtype = object.find("dtype");
  if (dtype == object.end() || !dtype->is_string() || dtype_rank(*dtype) < 0) {
    fail(path, name,
         "expected a known dtype (F32, F16, I8, ...), found " +
             (dtype == object.end() ? "none" : shown(*dtype)));
  }
  entry.tensor.dtype = *dtype;
  entry.tensor.shape = integers(path, name, object, "shape");
  const auto range = integers(path, name, object, "data_offsets");
  if (range.size() != 2 || range[0] > range[1]) {
    fail(path, name,
         "\"data_offsets\": expected [begin, end], found " + shown(object["data_offsets"]));
  }
  entry.begin = range[0];
  entry.end = range[1];
  const auto bytes = tensor_bytes(entry.tensor.dtype, entry.tensor.shape);
  if (!bytes || *bytes != entry.end - entry.begin) {
    fail(path, name,
         entry.tensor.dtype + " of shape " + shown(object["shape"]) + " takes " +
             (bytes ? std::to_string(*bytes) : "too many") + " bytes, its offsets span " +
             std::to_string(entry.end - entry.begin));
  }
  return entry;
}

/// The ranges must follow one another from the header to the end of the file.
void check_ranges(const fs::path& path, const std::vector<Entry>& entries, int64_t data_bytes) {
  int64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) {
      fail(path, entry.tensor.name,
           std::string(entry.begin < at ? "overlaps the tensor before it"
                                        : "leaves a gap before it") +
               ": begins at byte " + std::to_string(entry.begin) + ", expected " +
               std::to_string(at));
    }
    if (entry.end > data_bytes) {
      fail(path, entry.tensor.name,
           "ends at byte " + std::to_string(entry.end) + ", the file holds " +
               std::to_string(data_bytes) + " bytes of tensors; it is cut off, copy it again");
    }
    at = entry.end;
  }
  if (at != data_bytes) {
    throw Error(path, "the tensors end at byte " + std::to_string(at) + ", the file holds " +
                          std::to_string(data_bytes) + " bytes of them; the file is damaged");
  }
}

}  // namespace

std::vector<Tensor> read_safetensors(const fs::path& path) {
  const MappedFile file = map_file(path);
  const std::string_view text = header_text(path, file.bytes);
  const json header = parse_header(path, text);
  const auto data = file.bytes.subspan(safetensors_prefix_bytes + text.size());

  std::vector<Entry> entries;
  for (const auto& [name, object] : header.items()) {
    if (name != "__metadata__") entries.push_back(parse_entry(path, name, object));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_ranges(path, entries, static_cast<int64_t>(data.size()));

  std::vector<Tensor> tensors;
  for (Entry& entry : entries) {
    entry.tensor.bytes = data.subspan(static_cast<size_t>(entry.begin),
                                      static_cast<size_t>(entry.end - entry.begin));
    entry.tensor.owner = file.owner;
    tensors.push_back(std::move(entry.tensor));
  }
  return tensors;
}

}  // namespace flowqat::io
