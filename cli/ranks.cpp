#include "cli/ranks.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "graph/error.h"
#include "graph/usable_cores.h"

namespace flowqat::cli {
namespace {

/// Ports that no well-known service has, and below those that systems give away by themselves.
constexpr int kFirstPort = 20000, kPorts = 10000;

/// The variables of one who starts processes.
class Reader {
 public:
  Reader(const Variables& variables, std::string starter)
      : variables_(variables), starter_(std::move(starter)) {}

  bool has(const char* name) const {
    const char* value = variables_(name);
    return value != nullptr && *value != '\0';
  }
  std::string text(const char* name) const { return has(name) ? variables_(name) : ""; }

  [[noreturn]] void missing(const char* name) const {
    throw graph::GraphError("the variable " + std::string(name) + " is missing beside " + starter_ +
                            ": either all of them are set by who starts the processes, or none "
                            "is; set it, or unset the others to run one process");
  }

  int number(const char* name, int least, int most) const {
    if (!has(name)) missing(name);
    const std::string given = text(name);
    int value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc() || end != given.data() + given.size() || value < least ||
        value > most) {
      throw graph::GraphError("the variable " + std::string(name) + " (" + starter_ +
                              "): expected a whole number from " + std::to_string(least) + " to " +
                              std::to_string(most) + ", found \"" + given + "\"");
    }
    return value;
  }

  /// A rank and how many there are.
  void pair(const char* rank_name, const char* size_name, int& rank, int& size) const {
    size = number(size_name, 1, 65536);
    rank = number(rank_name, 0, 65535);
    if (rank < size) return;
    throw graph::GraphError("the variable " + std::string(rank_name) + " (" + starter_ +
                            "): must be less than " + size_name + ", " + std::to_string(size) +
                            ", found " + std::to_string(rank));
  }

 private:
  const Variables& variables_;
  std::string starter_;
};

model::Rank of_torchrun(const Reader& read) {
  model::Rank rank;
  read.pair("RANK", "WORLD_SIZE", rank.rank, rank.size);
  // A PyTorchJob of Kubernetes tells neither: its pods have a process each.
  if (read.has("LOCAL_RANK") || read.has("LOCAL_WORLD_SIZE")) {
    read.pair("LOCAL_RANK", "LOCAL_WORLD_SIZE", rank.local_rank, rank.local_size);
  }
  if (rank.size == 1) return rank;
  if (!read.has("MASTER_ADDR")) read.missing("MASTER_ADDR");
  rank.address = read.text("MASTER_ADDR");
  rank.port = read.number("MASTER_PORT", 1, 65535);
  rank.is_store_hosted = read.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (read.has("TORCHELASTIC_RESTART_COUNT")) {
    rank.attempt = read.number("TORCHELASTIC_RESTART_COUNT", 0, 1 << 30);
  }
  return rank;
}

/// How many tasks the node with this number has, of "4(x2),3".
std::optional<int> tasks_of_node(const std::string& tasks_per_node, int node) {
  const char* at = tasks_per_node.data();
  const char* const end = at + tasks_per_node.size();
  for (int first = 0; at < end;) {
    int tasks = 0, times = 1;
    auto parsed = std::from_chars(at, end, tasks);
    if (parsed.ec != std::errc() || tasks < 1) return std::nullopt;
    at = parsed.ptr;
    if (std::string_view(at, static_cast<size_t>(end - at)).starts_with("(x")) {
      parsed = std::from_chars(at + 2, end, times);
      if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ')') return std::nullopt;
      at = parsed.ptr + 1;
    }
    if (node < first + times) return tasks;
    first += times;
    if (at < end && *at++ != ',') return std::nullopt;
  }
  return std::nullopt;
}

int local_size_of_slurm(const Reader& read, int size) {
  for (const char* nodes : {"SLURM_STEP_NUM_NODES", "SLURM_NNODES"}) {
    if (!read.has(nodes)) continue;
    if (read.number(nodes, 1, 1 << 20) == 1) return size;
    break;
  }
  const int node = read.has("SLURM_NODEID") ? read.number("SLURM_NODEID", 0, 1 << 20) : 0;
  for (const char* name : {"SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"}) {
    if (!read.has(name)) continue;
    if (const auto tasks = tasks_of_node(read.text(name), node)) return *tasks;
    throw graph::GraphError("the variable " + std::string(name) +
                            " (Slurm's): expected numbers of tasks as in \"4(x2),3\", found \"" +
                            read.text(name) + "\"");
  }
  return 1;
}

int given_port(const Reader& read, size_t job) {
  if (read.has("MASTER_PORT")) return read.number("MASTER_PORT", 1, 65535);
  return kFirstPort + static_cast<int>(job % kPorts);
}

model::Rank of_slurm(const Reader& read) {
  model::Rank rank;
  read.pair("SLURM_PROCID", "SLURM_NTASKS", rank.rank, rank.size);
  if (rank.size == 1) return rank;
  const bool is_step = read.has("SLURM_STEP_NODELIST") || read.has("SLURM_LAUNCH_NODE_IPADDR");
  if (!is_step && !read.has("SLURM_STEP_ID")) {
    throw graph::GraphError("SLURM_NTASKS is " + std::to_string(rank.size) +
                            ", but no step of Slurm's was started: put srun before the program, or "
                            "unset SLURM_PROCID to run one process");
  }
  rank.local_rank = read.number("SLURM_LOCALID", 0, 65535);
  rank.local_size = std::max(local_size_of_slurm(read, rank.size), rank.local_rank + 1);
  rank.address = read.has("MASTER_ADDR") ? read.text("MASTER_ADDR")
                                         : first_host(read.text("SLURM_STEP_NODELIST"));
  if (rank.address.empty()) rank.address = read.text("SLURM_LAUNCH_NODE_IPADDR");
  if (rank.address.empty()) read.missing("SLURM_STEP_NODELIST");
  rank.port = given_port(
      read, std::hash<std::string>()(read.text("SLURM_JOB_ID") + "." + read.text("SLURM_STEP_ID")));
  return rank;
}

model::Rank of_open_mpi(const Reader& read) {
  model::Rank rank;
  read.pair("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", rank.rank, rank.size);
  if (rank.size == 1) return rank;
  read.pair("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", rank.local_rank,
            rank.local_size);
  if (read.has("MASTER_ADDR")) {
    rank.address = read.text("MASTER_ADDR");
  } else if (rank.local_size != rank.size) {
    throw graph::GraphError(
        "the variable MASTER_ADDR is missing: these " + std::to_string(rank.size) +
        " processes of mpirun are on several machines, and have to know that of rank 0, as in "
        "mpirun -x MASTER_ADDR=HOST -x MASTER_PORT=29500 ...");
  }
  rank.port = given_port(read, std::hash<std::string>()(read.text("PMIX_NAMESPACE")));
  return rank;
}

bool is_bound_to_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return false;
  return CPU_COUNT(&set) < ::sysconf(_SC_NPROCESSORS_ONLN);
}

}  // namespace

Variables environment_variables() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

StartedRank started_rank(const Variables& variables, bool is_bound) {
  const Reader torchrun(variables, "RANK and WORLD_SIZE, as torchrun sets them");
  if (torchrun.has("RANK") || torchrun.has("WORLD_SIZE")) return {.rank = of_torchrun(torchrun)};
  const Reader slurm(variables, "Slurm's SLURM_PROCID");
  if (slurm.has("SLURM_PROCID")) return {.rank = of_slurm(slurm), .shares_cores = !is_bound};
  const Reader open_mpi(variables, "Open MPI's OMPI_COMM_WORLD_RANK");
  if (open_mpi.has("OMPI_COMM_WORLD_RANK") || open_mpi.has("OMPI_COMM_WORLD_SIZE")) {
    return {.rank = of_open_mpi(open_mpi), .shares_cores = !is_bound};
  }
  return {};
}

StartedRank started_rank() { return started_rank(environment_variables(), is_bound_to_cores()); }

std::string first_host(const std::string& hosts) {
  const size_t bracket = hosts.find('['), comma = hosts.find(',');
  if (bracket == std::string::npos || comma < bracket) return hosts.substr(0, comma);
  const size_t end = hosts.find_first_of("-,]", bracket + 1);
  if (end == std::string::npos) return "";
  // Of what stands behind the bracket, as in rack[1-2]-node, the first as well.
  const size_t close = hosts.find(']', end);
  if (close == std::string::npos) return "";
  const std::string rest = hosts.substr(close + 1);
  return hosts.substr(0, bracket) + hosts.substr(bracket + 1, end - bracket - 1) +
         (rest.empty() || rest.front() == ',' ? "" : first_host(rest));
}

int cores_of(const StartedRank& started) {
  const int cores = graph::usable_cores();
  return started.shares_cores ? std::max(cores / started.rank.local_size, 1) : cores;
}

std::string rank_prefix() try {
  const model::Rank rank = started_rank().rank;
  return rank.rank > 0 ? "rank " + std::to_string(rank.rank) + ": " : "";
} catch (const std::exception&) {
  return "";  // that is told as an error of its own
}

}  // namespace flowqat::cli
