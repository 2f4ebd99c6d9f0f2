/// What a run's folder is made of. Nothing else knows it: who clears, sweeps, checks or claims asks
/// here.
#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace flowqat::graph {

inline constexpr const char *kGraphFile = "graph.json", *kMetricsFile = "metrics.jsonl",
                            *kRejectedFile = "rejected.jsonl", *kSummaryFile = "summary.json",
                            *kStatesFolder = "checkpoints", *kLockFile = "run.lock",
                            *kStoppedFile = "stopped.json", *kReportFile = "report.html";

/// TensorBoard's file: a number between the two. And what it is called before it is whole.
inline constexpr const char *kEventsBegin = "events.out.tfevents.", *kEventsEnd = ".flowqat",
                            *kEventsPartial = "events.partial";

/// The names that are the run's own, whatever its nodes write.
const std::set<std::string>& own_files();

/// What of a run is in `run`: of its own files, but for the lock, and of those that its nodes
/// write, whose names `outputs` has ('*' stands for any text). Relative to `run`.
std::vector<std::filesystem::path> files_of_run(const std::filesystem::path& run,
                                                const std::vector<std::string>& outputs);

/// Whether clear_run() began and did not come to its end.
bool is_half_cleared(const std::filesystem::path& run);

/// Removes all that files_of_run() lists, as the run that is there says and as `outputs` says.
/// Begun once it is finished by the next call, whatever becomes of this one; until then the folder
/// holds no run. Throws OutputError.
void clear_run(const std::filesystem::path& run, const std::vector<std::string>& outputs);

/// Removes what a program that was killed left half written or half removed.
void sweep_run(const std::filesystem::path& run, const std::vector<std::string>& outputs);

}  // namespace flowqat::graph
