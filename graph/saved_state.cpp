#include "graph/saved_state.h"

#include <map>
#include <nlohmann/json.hpp>

#include "graph/checksum.h"
#include "graph/format.h"
#include "graph/whole_files.h"

namespace flowqat::graph {
namespace fs = std::filesystem;
namespace {

constexpr const char* kChecksumsFile = "checksums.json";

/// The regular files at or below `path`, by their names relative to `root`.
void collect(const fs::path& root, const fs::path& path, std::map<std::string, fs::path>& files) {
  if (!fs::is_directory(path)) {
    files.emplace(path.lexically_relative(root).generic_string(), path);
    return;
  }
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_directory()) continue;
    files.emplace(entry.path().lexically_relative(root).generic_string(), entry.path());
  }
}

Json checksums_of(const std::map<std::string, fs::path>& files) {
  Json all = Json::object();
  for (const auto& [name, path] : files) {
    all[name] = {{"bytes", fs::file_size(path)}, {"xxh3", checksum_of(path).hex()}};
  }
  return all;
}

std::string own_checksum(const Json& files, const Json& outputs) {
  Checksum checksum;
  checksum.add(Json::array({files, outputs}).dump(-1, ' ', false, Json::error_handler_t::replace));
  return checksum.hex();
}

void compare(const fs::path& root, const Json& checksums) {
  for (const auto& [name, wanted] : checksums.items()) {
    const fs::path path = root / name;
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error) throw Damaged(path.string() + ": " + error.message());
    const auto expected = wanted.at("bytes").get<uintmax_t>();
    if (bytes != expected) {
      throw Damaged(path.string() + ": has " + std::to_string(bytes) + " bytes, but " +
                    std::to_string(expected) + " were written");
    }
    if (checksum_of(path).hex() != wanted.at("xxh3").get<std::string>()) {
      throw Damaged(path.string() + ": is not what was written: its checksum is another");
    }
  }
}

/// Files that nobody wrote could change what the others mean.
void refuse_others(const fs::path& folder, const Json& checksums) {
  std::map<std::string, fs::path> files;
  collect(folder, folder, files);
  for (const auto& [name, path] : files) {
    if (name == kChecksumsFile || checksums.contains(name)) continue;
    throw Damaged(path.string() + ": is no file of this state");
  }
}

}  // namespace

void write_saved(const fs::path& folder, const Json& state, const fs::path& run,
                 const std::vector<std::string>& outputs,
                 const std::function<void(const fs::path&)>& fill) {
  std::map<std::string, fs::path> written;
  for (const std::string& output : outputs) collect(run, run / output, written);
  const Json output_checksums = checksums_of(written);
  write_folder(folder, [&](const fs::path& partial) {
    fill(partial);
    Json named = state;
    named["name"] = folder.filename().string();
    write_json(partial / kStateFile, named);
    std::map<std::string, fs::path> files;
    collect(partial, partial, files);
    const Json checksums = checksums_of(files);
    write_json(partial / kChecksumsFile, {{"files", checksums},
                                          {"outputs", output_checksums},
                                          {"xxh3", own_checksum(checksums, output_checksums)}});
  });
}

Saved read_saved(const fs::path& folder, const fs::path& run) try {
  const fs::path checksums_file = folder / kChecksumsFile;
  try {
    const Json checksums = read_json(checksums_file);
    const Json &files = checksums.at("files"), &outputs = checksums.at("outputs");
    if (own_checksum(files, outputs) != checksums.at("xxh3").get<std::string>() ||
        !files.contains(kStateFile)) {
      throw Damaged(checksums_file.string() + ": is not what was written");
    }
    compare(folder, files);
    refuse_others(folder, files);
    compare(run, outputs);
  } catch (const Json::exception&) {
    throw Damaged(checksums_file.string() + ": is not what was written");
  }
  Saved saved{folder, std::make_shared<const Json>(read_json(folder / kStateFile))};
  const std::string name = saved.state->value("name", "");
  if (name != folder.filename()) {
    throw Damaged(folder.string() + ": is the state " + name + " under another name");
  }
  return saved;
} catch (const Damaged&) {
  throw;
} catch (const fs::filesystem_error& error) {
  throw Damaged(error.path1().string() + ": " + error.code().message());
} catch (const RunError& error) {
  throw Damaged(error.what());
}

std::string plain_name(const std::string& node) {
  std::string name;
  for (const char character : node) {
    const auto byte = static_cast<unsigned char>(character);
    const bool is_plain = byte > ' ' && byte != '/' && byte != '%' && byte != 0x7f;
    name += is_plain ? std::string(1, character) : format("%%%02x", byte);
  }
  return name;
}

}  // namespace flowqat::graph
