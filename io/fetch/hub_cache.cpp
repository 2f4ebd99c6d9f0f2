#include "io/fetch/hub_cache.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <set>

#include "io/files/error.h"
#include "io/files/json_file.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// With ~ for the home folder, as huggingface_hub understands it.
fs::path path_variable(const char* name) {
  const std::string text = variable(name);
  if (text != "~" && !text.starts_with("~/")) return text;
  return fs::path(variable("HOME")) / text.substr(std::min(text.size(), size_t{2}));
}

fs::path hub_home() {
  if (fs::path home = path_variable("HF_HOME"); !home.empty()) return home;
  if (fs::path cache = path_variable("XDG_CACHE_HOME"); !cache.empty()) {
    return cache / "huggingface";
  }
  if (fs::path home = path_variable("HOME"); !home.empty()) return home / ".cache" / "huggingface";
  throw Error("where the cache of models is cannot be told: set HF_HOME, or HOME");
}

bool is_true(const char* name) {
  std::string text = variable(name);
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text == "1" || text == "ON" || text == "YES" || text == "TRUE";
}

/// The first line of a small file; empty where it cannot be read.
std::string line_of(const fs::path& path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
  return line;
}

bool has_weights(const fs::path& snapshot) {
  if (fs::exists(snapshot / "model.safetensors")) return true;
  const fs::path index = snapshot / "model.safetensors.index.json";
  if (!fs::exists(index)) return false;
  try {
    const nlohmann::json map = read_json(index).at("weight_map");
    return std::ranges::all_of(
        map, [&](const nlohmann::json& file) { return fs::exists(snapshot / file); });
  } catch (const std::exception&) {
    return true;  // whoever reads it says what is wrong with it
  }
}

}  // namespace

bool is_hub_id(const std::string& text) {
  const auto is_name_character = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
           c == '/';
  };
  const size_t slash = text.find('/');
  if (slash == text.npos || text.find('/', slash + 1) != text.npos || text.size() > 96)
    return false;
  for (const std::string& part : {text.substr(0, slash), text.substr(slash + 1)}) {
    if (part.empty() || part.front() == '.' || part.front() == '-' || part.back() == '.' ||
        part.back() == '-') {
      return false;
    }
  }
  return std::ranges::all_of(text, is_name_character) && text.find("--") == text.npos &&
         text.find("..") == text.npos && !text.ends_with(".git");
}

bool looks_like_path(const std::string& text) {
  const size_t slash = text.find('/');
  if (text.starts_with('~') || text == "." || text == "..") return true;
  if (slash == text.npos) return false;
  const std::string first = text.substr(0, slash);
  const bool is_rooted = first.empty() || first == "." || first == "..";
  const bool has_more = text.find('/', slash + 1) != text.npos || text.ends_with('/');
  std::error_code ignored;
  return is_rooted || has_more || fs::is_directory(first, ignored);
}

bool is_hub_revision(const std::string& text) {
  const auto is_revision_character = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-_./+").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 200 && text.front() != '/' && text.front() != '-' &&
         text.back() != '/' && text.find("..") == text.npos && text.find("//") == text.npos &&
         std::ranges::all_of(text, is_revision_character);
}

bool is_hub_commit(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

fs::path hub_cache_folder() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (fs::path folder = path_variable(name); !folder.empty()) return folder;
  }
  return hub_home() / "hub";
}

bool hub_offline() { return is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE"); }

std::string hub_endpoint() {
  std::string endpoint = variable("HF_ENDPOINT");
  if (endpoint.empty()) endpoint = "https://huggingface.co";
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

std::string hub_token() {
  std::string token = variable("HF_TOKEN");
  if (token.empty()) {
    const fs::path file = path_variable("HF_TOKEN_PATH");
    token = line_of(file.empty() ? hub_home() / "token" : file);
  }
  std::erase_if(token, [](unsigned char c) { return std::isspace(c) || std::iscntrl(c); });
  return token;
}

fs::path hub_model_folder(const std::string& id) {
  std::string name = "models--" + id;
  name.replace(name.find('/'), 1, "--");
  return hub_cache_folder() / name;
}

const std::vector<std::string>& hub_file_names() {
  static const std::vector<std::string> names{"config.json",           "preprocessor_config.json",
                                              "processor_config.json", "vocab.json",
                                              "tokenizer_config.json", "special_tokens_map.json",
                                              "added_tokens.json",     "tokenizer.json",
                                              "quantization.json",     "fake_quantization.json"};
  return names;
}

std::optional<fs::path> find_in_hub_cache(const HubModel& model) {
  const fs::path folder = hub_model_folder(model.id);
  const std::string commit =
      is_hub_commit(model.revision) ? model.revision : line_of(folder / "refs" / model.revision);
  if (!is_hub_commit(commit)) return std::nullopt;
  const fs::path snapshot = folder / "snapshots" / commit;
  if (!fs::exists(snapshot / "config.json") || !has_weights(snapshot)) return std::nullopt;
  if (hub_offline()) return snapshot;
  const auto known = [&](const char* name) {
    return fs::exists(snapshot / name) || fs::exists(folder / ".no_exist" / commit / name);
  };
  if (known("vocab.json") &&
      (known("preprocessor_config.json") || known("processor_config.json"))) {
    return snapshot;
  }
  return std::nullopt;
}

}  // namespace flowqat::io
