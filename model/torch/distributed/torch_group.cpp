#include "model/torch/distributed/torch_group.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstring>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <typeinfo>
#include <utility>

#include "model/torch/distributed/gloo.h"
#include "model/torch/distributed/meeting.h"
#include "model/torch/distributed/pulse.h"

namespace flowqat::model {
namespace {

c10d::ReduceOp operation_of(TorchGroup::Reduction reduction) {
  switch (reduction) {
    case TorchGroup::Reduction::smallest:
      return c10d::ReduceOp::MIN;
    case TorchGroup::Reduction::largest:
      return c10d::ReduceOp::MAX;
    case TorchGroup::Reduction::sum:
      break;
  }
  return c10d::ReduceOp::SUM;
}

/// What Gloo and c10d say of a connection that broke or a time that is over. Gloo's errors have
/// types that no header of the wheel shows, such as gloo::IoException, and are known by their
/// names.
bool is_of_peers(const std::exception& error) {
  return dynamic_cast<const c10::DistError*>(&error) != nullptr ||
         std::strstr(typeid(error).name(), "4gloo") != nullptr ||
         std::strstr(error.what(), "/gloo/") != nullptr;
}

std::string first_line(const std::exception& error) {
  const auto* const of_torch = dynamic_cast<const c10::Error*>(&error);
  std::string text = of_torch ? of_torch->what_without_backtrace() : error.what();
  // "[.../transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:40123"
  if (text.starts_with('[') && text.find("] ") != std::string::npos) {
    text.erase(0, text.find("] ") + 2);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

TorchGroup::TorchGroup(const Rank& rank, const std::string& names) : rank_(rank) {
  const c10::intrusive_ptr<c10d::Store> place = open_store(rank);
  store_ = c10::make_intrusive<c10d::PrefixStore>(names, place);
  try {
    pulse_ = std::make_unique<Pulse>(store_->clone(), rank);
  } catch (const c10::Error& error) {
    throw PeerError("meeting at " + place_of(rank) + ": the store does not answer (" +
                        error.what_without_backtrace() + ")",
                    {});
  }
  meet(*store_, rank);
  exchange("meeting", [this] { processes_ = connect_with_gloo(store_, rank_); });
}

TorchGroup::~TorchGroup() {
  processes_.reset();  // the others' calls end now, and ask who is missing
  pulse_.reset();
  if (rank_.rank != 0 || rank_.is_store_hosted) return;
  try {
    Pulse::wait_for_leaving(*store_, rank_);
  } catch (const std::exception&) {  // nobody is there to be waited for
  }
}

void TorchGroup::exchange(const char* doing, const std::function<void()>& call) {
  pulse_->begin(doing);
  try {
    call();
  } catch (const std::exception& error) {
    if (!is_of_peers(error)) throw;
    const Pulse::Missing missing = pulse_->find_missing();
    const std::string others = missing.how.empty()
                                   ? "the connection to another process broke, though all live"
                                   : missing.how;
    throw PeerError(std::string(doing) + ": " + others + " (rank " + std::to_string(rank_.rank) +
                        " heard: " + first_line(error) + ")",
                    missing.ranks);
  }
}

void TorchGroup::all_reduce(at::Tensor values, Reduction reduction) {
  const c10d::AllreduceOptions options{.reduceOp = operation_of(reduction)};
  std::vector<at::Tensor> tensors{std::move(values)};
  processes_->allreduce(tensors, options)->wait();
}

void TorchGroup::sum(std::span<double> values) {
  exchange("sum", [&] {
    all_reduce(at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kDouble),
               Reduction::sum);
  });
}

void TorchGroup::largest(std::span<double> values) {
  exchange("largest", [&] {
    all_reduce(at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kDouble),
               Reduction::largest);
  });
}

std::vector<std::string> TorchGroup::gather(const std::string& own) {
  std::vector<std::string> all;
  exchange("gather", [&] {
    const auto in_turn = [this](const at::Tensor& mine) {
      std::vector<at::Tensor> theirs;
      for (int other = 0; other < rank_.size; ++other) theirs.push_back(at::empty_like(mine));
      std::vector<std::vector<at::Tensor>> outputs{theirs};
      std::vector<at::Tensor> inputs{mine};
      processes_->allgather(outputs, inputs)->wait();
      return theirs;
    };
    std::vector<int64_t> sizes;
    for (const at::Tensor& size : in_turn(at::tensor(static_cast<int64_t>(own.size())))) {
      sizes.push_back(size.item<int64_t>());
    }
    // All bring as many bytes as the longest has.
    const int64_t longest = std::max<int64_t>(1, *std::ranges::max_element(sizes));
    const at::Tensor bytes = at::zeros({longest}, at::kByte);
    std::ranges::copy(own, bytes.mutable_data_ptr<uint8_t>());
    for (const at::Tensor& theirs : in_turn(bytes)) {
      const auto* const text = reinterpret_cast<const char*>(theirs.const_data_ptr<uint8_t>());
      all.emplace_back(text, static_cast<size_t>(sizes[all.size()]));
    }
  });
  return all;
}

void TorchGroup::from(int owner, const char* doing, at::Tensor values) {
  exchange(doing, [&] {
    std::vector<at::Tensor> tensors{std::move(values)};
    processes_->broadcast(tensors, {.rootRank = owner})->wait();
  });
}

std::string TorchGroup::broadcast(const std::string& of_first) {
  std::string text = of_first;
  const at::Tensor size = at::tensor(static_cast<int64_t>(text.size()));
  from(0, "broadcast", size);
  text.resize(static_cast<size_t>(size.item<int64_t>()));
  if (!text.empty()) {
    from(0, "broadcast", at::from_blob(text.data(), {size.item<int64_t>()}, at::kByte));
  }
  return text;
}

void TorchGroup::barrier() {
  exchange("barrier", [this] { processes_->barrier()->wait(); });
}

}  // namespace flowqat::model
