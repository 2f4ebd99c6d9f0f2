#pragma once
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "model/group.h"

namespace flowqat::model {

/// c10d's TCPStore at the place where all meet: of rank 0, or of the launcher.
c10::intrusive_ptr<c10d::Store> open_store(const Rank& rank);

/// Comes back when every rank of 0 to size - 1 has called it with this store, each once and with
/// one size; throws Error, or PeerError that names those that did not come within
/// Rank::timeout_s.
void meet(c10d::Store& store, const Rank& rank);

/// "127.0.0.1:29500"
std::string place_of(const Rank& rank);

}  // namespace flowqat::model
