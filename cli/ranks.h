/// Which of several processes this one is, as those say who started it.
#pragma once
#include <functional>
#include <string>

#include "model/group.h"

namespace flowqat::cli {

/// The value of a variable, or null.
using Variables = std::function<const char*(const char*)>;
/// The environment's.
Variables environment_variables();

struct StartedRank {
  model::Rank rank = {};
  /// Whether the processes of this machine have the cores that they may use together, and each is
  /// to take its part of them; else each was bound to its own.
  bool shares_cores = true;
};

/// Read from torchrun's variables, else from Slurm's (of a step that srun started), else from Open
/// MPI's; one process alone where there are none. `is_bound`: whether this process may use fewer
/// cores than the machine has. Throws GraphError for a set that is not whole or holds what cannot
/// be, naming the variable.
StartedRank started_rank(const Variables& variables, bool is_bound);
/// Of this process.
StartedRank started_rank();

/// The first host of a list as Slurm writes it: "node07" of "node[07-09,12],login1". Empty where
/// there is none.
std::string first_host(const std::string& hosts);

/// How many cores, and so threads, this process is to use.
int cores_of(const StartedRank& started);

/// "rank 1: " for what one of several processes tells, but rank 0; throws nothing.
std::string rank_prefix();

}  // namespace flowqat::cli
