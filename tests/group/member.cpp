/// One process of a group, which does as it is told, a line of JSON each on its input, and answers
/// with one on its output. What fails is told too, and ends it.
///
///     member '{"rank": 0, "size": 2, "port": 29500, "timeout_s": 5}' [COMMAND...]
///
/// Ranks come from the environment where the argument names none. With commands in the arguments it
/// reads no input.
#include "tests/group/member.h"

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/model.h"

namespace {

using namespace flowqat;
using nlohmann::json;

int number(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

model::Rank rank_of(const json& told) {
  model::Rank rank;
  rank.rank = told.value("rank", number("RANK", 0));
  rank.size = told.value("size", number("WORLD_SIZE", 1));
  rank.local_rank = told.value("rank", number("LOCAL_RANK", 0));
  rank.local_size = told.value("local_size", rank.size);
  rank.address = told.value("address", std::string("127.0.0.1"));
  rank.port = told.value("port", number("MASTER_PORT", 29500));
  const char* const of_agent = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
  rank.is_store_hosted = of_agent && std::string(of_agent) == "True";
  rank.attempt = number("TORCHELASTIC_RESTART_COUNT", 0);
  rank.timeout_s = told.value("timeout_s", 20.0);
  return rank;
}

json answer_to(const json& command, const std::shared_ptr<model::Group>& group) {
  const auto what = command.at("do").get<std::string>();
  if (what == "sum" || what == "largest") {
    auto values = command.at("values").get<std::vector<double>>();
    what == "sum" ? group->sum(values) : group->largest(values);
    return values;
  }
  if (what == "gather") return group->gather(command.at("text"));
  if (what == "broadcast") return group->broadcast(command.at("text"));
  if (what == "barrier") {
    group->barrier();
    return "passed";
  }
  if (what == "die_at_attempt") {
    if (number("TORCHELASTIC_RESTART_COUNT", 0) == command.at("attempt")) std::abort();
    return "lives";
  }
  if (what == "fail") throw model::Error("told to fail");
  testing::train(command, group);
  return "trained";
}

int run(const json& told, const std::vector<std::string>& commands) {
  model::Engine& engine = model::engine();
  engine.configure({.device = told.value("device", std::string("cpu")), .threads = 1});
  const std::shared_ptr<model::Group> group =
      told.value("alone", false) ? nullptr : engine.join(rank_of(told));
  std::cout << R"("joined")" << std::endl;
  for (const std::string& command : commands) {
    std::cout << answer_to(json::parse(command), group).dump() << std::endl;
  }
  if (!commands.empty()) return 0;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer_to(json::parse(line), group).dump() << std::endl;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const json told = json::parse(count > 1 ? arguments[1] : "{}");
  try {
    return run(told, {arguments + std::min(count, 2), arguments + count});
  } catch (const model::PeerError& error) {
    std::cout << json{{"missing", error.missing()}, {"error", error.what()}}.dump() << std::endl;
    return 3;
  } catch (const model::Error& error) {
    std::cout << json{{"error", error.what()}}.dump() << std::endl;
    return 4;
  }
}
