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

#include "model/torch/distributed/failure.h"
#include "model/torch/distributed/gloo.h"
#include "model/torch/distributed/meeting.h"
#include "model/torch/distributed/nccl_backend.h"
#include "model/torch/distributed/nccl_library.h"
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
  if (nccl_) nccl_->stop();
  nccl_.reset();
  processes_.reset();  // the others' calls end now, and ask who is missing
  pulse_.reset();
  if (rank_.rank != 0 || rank_.is_store_hosted) return;
  try {
    Pulse::wait_for_leaving(*store_, rank_);
  } catch (const std::exception&) {  // nobody is there to be waited for
  }
}

void TorchGroup::tell_missing(const char* doing, const std::exception& error) const {
  if (!is_of_peers(error)) return;
  // Whoever waits for the device from here on is not to wait for good.
  if (nccl_) nccl_->give_up(first_line(error));
  const Pulse::Missing missing = pulse_->find_missing();
  const std::string others = missing.how.empty()
                                 ? "the connection to another process broke, though all live"
                                 : missing.how;
  throw PeerError(std::string(doing) + ": " + others + " (rank " + std::to_string(rank_.rank) +
                      " heard: " + first_line(error) + ")",
                  missing.ranks);
}

void TorchGroup::exchange(const char* doing, const std::function<void()>& call) {
  pulse_->begin(doing);
  try {
    if (nccl_) nccl_->check();
    call();
  } catch (const std::exception& error) {
    tell_missing(doing, error);
    throw;
  }
}

void TorchGroup::wait_for_device(const char* doing, const std::function<void()>& wait) const {
  wait();
  if (!nccl_) return;
  try {
    nccl_->check();
  } catch (const std::exception& error) {
    tell_missing(doing, error);
    throw;
  }
}

void TorchGroup::use_device(const at::Device& device) {
  if (device.is_cpu() || device_ == device) return;
  std::string problem, id;
  NcclLibrary::Id of_first{};
  try {
    if (device_) throw Error("the group uses " + device_->str() + " already");
    const NcclLibrary& nccl = NcclLibrary::instance();
    if (rank_.rank == 0) {
      if (const int result = nccl.get_unique_id(&of_first); result != NcclLibrary::success) {
        throw Error("NCCL: " + std::string(nccl.get_error_string(result)));
      }
      id.assign(of_first.bytes, sizeof of_first.bytes);
    }
  } catch (const Error& error) {
    problem = error.what();
  }
  const std::vector<std::string> problems = gather(problem);
  for (size_t rank = 0; rank < problems.size(); ++rank) {
    if (problems[rank].empty()) continue;
    throw Error("rank " + std::to_string(rank) + " cannot exchange what is on " + device.str() +
                ": " + problems[rank]);
  }
  id = broadcast(id);
  std::memcpy(of_first.bytes, id.data(), sizeof of_first.bytes);
  exchange("connecting GPUs", [&] {
    auto nccl = c10::make_intrusive<NcclBackend>(rank_, device, of_first, [this] {
      return !pulse_->find_missing(/*is_late=*/false).how.empty();
    });
    processes_->setBackend(device.type(), c10d::ProcessGroup::BackendType::CUSTOM,
                           c10::static_intrusive_pointer_cast<c10d::Backend>(nccl));
    nccl_ = std::move(nccl);
    device_ = device;
  });
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

bool TorchGroup::is_told(const std::string& failure) {
  return is_told_by_first(*store_, rank_, failure);
}

void TorchGroup::barrier() {
  exchange("barrier", [this] { processes_->barrier()->wait(); });
}

}  // namespace flowqat::model
