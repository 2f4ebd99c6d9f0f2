#include "io/files/json_file.h"

#include <string>

#include "base/foreign.h"
#include "base/json_text.h"
#include "io/files/atomic_file.h"
#include "io/files/input_file.h"

namespace flowqat::io {

nlohmann::json read_json(const std::filesystem::path& path) {
  const InputFile file(path);
  if (file.size_bytes() > most_json_bytes) {
    throw Error(path, "expected a JSON file of at most " + std::to_string(most_json_bytes) +
                          " bytes, found " + std::to_string(file.size_bytes()));
  }
  std::string text(static_cast<size_t>(file.size_bytes()), '\0');
  text.resize(file.read(0, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  try {
    return parse_json<nlohmann::json>(text);
  } catch (const JsonError& error) {
    if (const std::string what = foreign_content(text); !what.empty()) {
      throw Error(path, "not JSON: " + what);
    }
    throw Error(path, std::string("not JSON at ") + error.what());
  }
}

void write_json(const std::filesystem::path& path, const nlohmann::json& json) {
  std::string text;
  try {
    text = json.dump(2) + "\n";
  } catch (const nlohmann::json::type_error& error) {
    throw Error(path, std::string("cannot be written: a text in it is not UTF-8: ") + error.what());
  }
  write_file_atomically(path, text);
}

}  // namespace flowqat::io
