/// One file a command; each returns the program's exit status.
#pragma once
#include <string>
#include <vector>

namespace flowqat::cli {

struct RunArguments {
  std::string graph;
  std::vector<std::string> overrides;  ///< NODE.KEY=VALUE or KEY=VALUE
  std::string out;                     ///< empty: as the graph says
  bool resume = false, overwrite = false;
};
/// `flowqat --graph G`
int run(const RunArguments& arguments);

/// `flowqat nodes [TYPE]`
int nodes(const std::string& type);

struct TranscribeArguments {
  std::string model;
  std::vector<std::string> audio;
  bool json = false;
  std::string device = "auto";
};
/// `flowqat transcribe MODEL AUDIO...`
int transcribe(const TranscribeArguments& arguments);

constexpr int kDone = 0, kFailed = 1, kBadUsage = 2;

}  // namespace flowqat::cli
