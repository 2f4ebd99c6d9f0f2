/// Help texts, the pages that are made of what the program knows of itself, and its version.
#include <cstdlib>
#include <fstream>
#include <set>

#include "tests/catch.h"
#include "tests/cli/program.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;

namespace {

const std::vector<std::string> commands{"",
                                        "new",
                                        "run",
                                        "validate",
                                        "dot",
                                        "profile",
                                        "nodes",
                                        "transcribe",
                                        "evaluate",
                                        "inspect",
                                        "quantize",
                                        "sensitivity",
                                        "export",
                                        "fetch",
                                        "fetch librispeech",
                                        "fetch model",
                                        "help"};

std::string committed(const char* page) {
  std::ifstream file(std::string(FLOWQAT_SOURCE_DIR) + "/" + page);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The page is what the program prints; if it is not, how to make it so.
void check_page(const char* page, const char* arguments) {
  const Outcome printed = call(arguments);
  REQUIRE(printed.status == 0);
  INFO(page << " is stale: make it anew with build/flowqat " << arguments << " >" << page);
  CHECK((printed.out == committed(page)));
}

/// What FLOWQAT_TARGET asks of the programs that are called meanwhile.
struct HeldToScalar {
  HeldToScalar() { ::setenv("FLOWQAT_TARGET", "scalar", 1); }
  ~HeldToScalar() { ::unsetenv("FLOWQAT_TARGET"); }
};

}  // namespace

TEST_CASE("every command's help says how it is used, with an example that names it") {
  for (const std::string& command : commands) {
    const Outcome help = call(command + " --help");
    INFO("flowqat " << command << " --help\n" << help.out);
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    const std::string name = "flowqat" + (command.empty() ? "" : " " + command);
    CHECK_THAT(help.out, Catch::Matchers::StartsWith(name + ": "));
    CHECK_THAT(help.out, ContainsSubstring("\nusage\n  " + name));
    const size_t examples = help.out.find("\nexamples\n");
    REQUIRE(examples != std::string::npos);
    CHECK_THAT(help.out.substr(examples), ContainsSubstring(name + " "));
    CHECK(call(command + " -h").out == help.out);
    CHECK(call("help " + command).out == help.out);
    std::istringstream lines(help.out.substr(0, examples));
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
  }
}

TEST_CASE("the program's help lists every command and every exit status") {
  const std::string help = call("--help").out;
  for (const std::string& command : commands) {
    if (command.find(' ') == std::string::npos && !command.empty()) {
      CHECK_THAT(help, ContainsSubstring("\n  " + command + " "));
    }
  }
  CHECK_THAT(help, ContainsSubstring("Exit status: 0 done; 1 failed; 2 "));
}

TEST_CASE("an option is the same wherever it is taken") {
  std::vector<std::string> helps;
  for (const std::string& command : commands) helps.push_back(call(command + " --help").out);
  for (const std::string option : {"--limit", "--batch", "--seed", "--device", "--kernels",
                                   "--manifest", "--json", "--text-normalization", "--overwrite"}) {
    std::set<std::string> docs;
    for (const std::string& help : helps) {
      const size_t begin = help.find("\n  " + option + " ");
      if (begin == std::string::npos) continue;
      // Its lines without the blanks, whose number is the column's, and without the default.
      std::string doc;
      for (size_t i = begin + 3; i < help.size() && !(help[i] == '\n' && help[i + 3] == '-') &&
                                 help.compare(i, 2, "\n\n") != 0;
           ++i) {
        if (help[i] != ' ' && help[i] != '\n') doc += help[i];
      }
      docs.insert(doc.substr(0, std::min(doc.find("(default:"), doc.find("(needed)"))));
    }
    INFO(option);
    CHECK(docs.size() == 1);
  }
}

TEST_CASE("docs/commands.md and docs/nodes.md are what the program says of itself") {
  check_page("docs/commands.md", "help --markdown");
  check_page("docs/nodes.md", "nodes --markdown");
}

TEST_CASE("flowqat nodes lists the top-level keys, and tells of one") {
  const std::string all = call("nodes").out;
  for (const char* key : {"seed", "threads", "out", "max_rejected_share"}) {
    CHECK_THAT(all, ContainsSubstring(std::string("\n  ") + key + " "));
  }
  const Outcome one = call("nodes max_rejected_share");
  CHECK(one.status == 0);
  CHECK_THAT(one.out, ContainsSubstring("a number from 0 to 1; default 0.5"));
}

TEST_CASE("flowqat --version tells the program's version and those of what it computes with") {
  const Outcome version = call("--version");
  CHECK(version.status == 0);
  std::ifstream lists(std::string(FLOWQAT_SOURCE_DIR) + "/CMakeLists.txt");
  const std::string cmake{std::istreambuf_iterator<char>(lists), {}};
  const size_t begin = cmake.find("project(flowqat VERSION ") + 24;
  CHECK_THAT(version.out,
             Catch::Matchers::StartsWith(
                 "flowqat " + cmake.substr(begin, cmake.find(' ', begin) - begin) + "\n"));
  for (const char* line : {"\nLibTorch 2.", "\nFFmpeg ", "\noneTBB 202", "\nkernels "}) {
    CHECK_THAT(version.out, ContainsSubstring(line));
  }
  const HeldToScalar held;
  CHECK_THAT(call("--version").out, ContainsSubstring("\nkernels scalar\n"));
}
