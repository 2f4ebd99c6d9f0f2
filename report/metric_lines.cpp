#include "report/metric_lines.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace flowqat::report {
namespace {

using graph::Json;

std::string text_of(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void add(std::vector<Scalar>& scalars, const std::string& tag, const Json& value) {
  if (value.is_number()) {
    const auto number = value.get<double>();
    if (std::isfinite(number)) scalars.push_back({tag, number});
  } else if (value.is_object()) {
    for (const auto& [key, part] : value.items()) add(scalars, tag + "/" + key, part);
  } else if (value.is_array() && value.size() == 2) {
    add(scalars, tag + "/lower", value[0]);
    add(scalars, tag + "/upper", value[1]);
  }
}

}  // namespace

void for_each_line(const std::filesystem::path& path,
                   const std::function<void(const Json&)>& call) {
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    Json line;
    try {
      line = parse_json<Json>(text);
    } catch (const JsonError&) {
      continue;
    }
    if (line.is_object()) call(line);
  }
}

int64_t RunSteps::step_of(const Json& line) {
  const auto step = line.find("step");
  if (step == line.end() || !step->is_number_integer()) return last_;
  if (const std::string node = text_of(line, "node"); node != node_) {
    node_ = node;
    before_ = last_;
  }
  return last_ = before_ + std::clamp<int64_t>(step->get<int64_t>(), 0, int64_t{1} << 48);
}

std::vector<Scalar> scalars_of(const Json& line) {
  std::string prefix = text_of(line, "node");
  if (const std::string model = text_of(line, "model"); !model.empty()) prefix += "/" + model;
  std::vector<Scalar> scalars;
  for (const auto& [key, value] : line.items()) {
    if (key != "step") add(scalars, prefix + "/" + key, value);
  }
  return scalars;
}

}  // namespace flowqat::report
