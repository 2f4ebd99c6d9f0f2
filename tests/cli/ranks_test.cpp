#include "cli/ranks.h"

#include <map>

#include "graph/error.h"
#include "tests/catch.h"

using namespace flowqat::cli;
using flowqat::model::Rank;

namespace {

using Set = std::map<std::string, std::string>;

StartedRank read(const Set& set, bool is_bound = false) {
  return started_rank(
      [&set](const char* name) -> const char* {
        const auto found = set.find(name);
        return found == set.end() ? nullptr : found->second.c_str();
      },
      is_bound);
}

std::string complaint(const Set& set) {
  try {
    read(set);
  } catch (const flowqat::graph::GraphError& error) {
    return error.what();
  }
  return "nothing";
}

const Set torchrun{{"RANK", "5"},
                   {"WORLD_SIZE", "8"},
                   {"LOCAL_RANK", "1"},
                   {"LOCAL_WORLD_SIZE", "4"},
                   {"MASTER_ADDR", "node7"},
                   {"MASTER_PORT", "1234"}};
const Set slurm{{"SLURM_PROCID", "6"},
                {"SLURM_NTASKS", "7"},
                {"SLURM_LOCALID", "2"},
                {"SLURM_NODEID", "1"},
                {"SLURM_NNODES", "2"},
                {"SLURM_STEP_TASKS_PER_NODE", "4,3"},
                {"SLURM_STEP_NODELIST", "gpu[07-08]"},
                {"SLURM_JOB_ID", "4711"}};
const Set mpi{{"OMPI_COMM_WORLD_RANK", "1"},
              {"OMPI_COMM_WORLD_SIZE", "2"},
              {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};

Set with(Set set, const std::string& name, const std::string& value) {
  set[name] = value;
  return set;
}
Set without(Set set, const std::string& name) {
  set.erase(name);
  return set;
}

}  // namespace

TEST_CASE("without variables there is one process alone") {
  const StartedRank alone = read({{"MASTER_ADDR", "somewhere"}, {"SLURM_JOB_ID", "1"}});
  CHECK(alone.rank.size == 1);
  CHECK(alone.rank.rank == 0);
}

TEST_CASE("torchrun's variables are read, with its store where its agent holds one") {
  const Rank rank = read(torchrun).rank;
  CHECK(rank.rank == 5);
  CHECK(rank.size == 8);
  CHECK(rank.local_rank == 1);
  CHECK(rank.local_size == 4);
  CHECK(rank.address == "node7");
  CHECK(rank.port == 1234);
  CHECK_FALSE(rank.is_store_hosted);
  CHECK(rank.attempt == 0);
  const Rank agent = read(with(with(torchrun, "TORCHELASTIC_USE_AGENT_STORE", "True"),
                               "TORCHELASTIC_RESTART_COUNT", "3"))
                         .rank;
  CHECK(agent.is_store_hosted);
  CHECK(agent.attempt == 3);
  // A pod of a PyTorchJob has one process, and no word of that.
  const Rank pod = read(without(without(torchrun, "LOCAL_RANK"), "LOCAL_WORLD_SIZE")).rank;
  CHECK(pod.local_size == 1);
  CHECK(pod.rank == 5);
  // They go before Slurm's: torchrun may have been started by srun.
  Set both = slurm;
  both.insert(torchrun.begin(), torchrun.end());
  CHECK(read(both).rank.rank == 5);
}

TEST_CASE("Slurm's variables are read, with the first host of the step as the meeting") {
  const StartedRank started = read(slurm);
  CHECK(started.rank.rank == 6);
  CHECK(started.rank.size == 7);
  CHECK(started.rank.local_rank == 2);
  CHECK(started.rank.local_size == 3);
  CHECK(started.rank.address == "gpu07");
  CHECK(started.shares_cores);
  // Another job has another port, the same job always the same one.
  CHECK(started.rank.port == read(with(slurm, "SLURM_PROCID", "0")).rank.port);
  CHECK(started.rank.port != read(with(slurm, "SLURM_JOB_ID", "4712")).rank.port);
  CHECK(started.rank.port >= 20000);
  CHECK(started.rank.port < 30000);
  CHECK(read(with(slurm, "MASTER_PORT", "77")).rank.port == 77);
  CHECK(read(with(slurm, "MASTER_ADDR", "10.0.0.1")).rank.address == "10.0.0.1");
  CHECK(read(with(without(slurm, "SLURM_STEP_NODELIST"), "SLURM_LAUNCH_NODE_IPADDR", "10.0.0.9"))
            .rank.address == "10.0.0.9");
  // Who was bound to cores of his own shares them with nobody.
  CHECK_FALSE(read(slurm, true).shares_cores);
  const Set many = with(with(slurm, "SLURM_STEP_TASKS_PER_NODE", "2(x3),1"), "SLURM_NODEID", "2");
  CHECK(read(with(many, "SLURM_LOCALID", "0")).rank.local_size == 2);
  CHECK(read(with(slurm, "SLURM_STEP_NUM_NODES", "1")).rank.local_size == 7);
}

TEST_CASE("Open MPI's variables are read, and several machines need an address") {
  const StartedRank started = read(mpi);
  CHECK(started.rank.rank == 1);
  CHECK(started.rank.size == 2);
  CHECK(started.rank.local_size == 2);
  CHECK(started.rank.address == "127.0.0.1");
  const Set two = with(with(mpi, "OMPI_COMM_WORLD_SIZE", "4"), "OMPI_COMM_WORLD_RANK", "3");
  CHECK_THAT(complaint(two), ContainsSubstring("MASTER_ADDR is missing") &&
                                 ContainsSubstring("mpirun -x MASTER_ADDR=HOST"));
  CHECK(read(with(two, "MASTER_ADDR", "head")).rank.address == "head");
}

TEST_CASE("a set that is not whole, or holds what cannot be, is an error that names the variable") {
  for (const Set& set : {torchrun, slurm, mpi}) {
    for (const auto& [name, value] : set) {
      const bool is_free = name == "SLURM_NODEID" || name == "SLURM_NNODES" ||
                           name == "SLURM_STEP_TASKS_PER_NODE" || name == "SLURM_JOB_ID" ||
                           name == "SLURM_PROCID" || name == "SLURM_STEP_NODELIST";
      INFO(name);
      if (!is_free) CHECK_THAT(complaint(without(set, name)), ContainsSubstring(name));
      if (name == "MASTER_ADDR" || name == "SLURM_STEP_NODELIST" || name == "SLURM_JOB_ID")
        continue;
      CHECK_THAT(complaint(with(set, name, "4x")),
                 ContainsSubstring(name) && ContainsSubstring("\"4x\""));
      CHECK_THAT(complaint(with(set, name, "-1")), ContainsSubstring(name));
    }
  }
  CHECK_THAT(complaint(with(torchrun, "RANK", "8")),
             ContainsSubstring("RANK") && ContainsSubstring("less than WORLD_SIZE, 8, found 8"));
  CHECK_THAT(complaint(with(torchrun, "MASTER_PORT", "70000")), ContainsSubstring("65535"));
  // A batch script that has several tasks, but forgot srun.
  CHECK_THAT(complaint({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}),
             ContainsSubstring("put srun before the program"));
}

TEST_CASE("the first host of a list of Slurm's") {
  CHECK(first_host("") == "");
  CHECK(first_host("login1") == "login1");
  CHECK(first_host("a,b") == "a");
  CHECK(first_host("node[07-09,12],login1") == "node07");
  CHECK(first_host("node[3],login1") == "node3");
  CHECK(first_host("login1,node[07-09]") == "login1");
  CHECK(first_host("rack[1-2]-node[05-06]") == "rack1-node05");
  CHECK(first_host("node[07") == "");
}
