// That the device which stands in for a GPU is one: what it holds is out of the host's reach, and
// what it is asked to do is counted.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/catch.h"
#include "tests/test_device/counts.h"
#include "tests/test_device/memory.h"

using namespace flowqat::test_device;

namespace {

const at::Device kDevice(at::kPrivateUse1, 0);

/// The signal that ends a process which does that; 0 where none does.
template <class Work>
int signal_of(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a host that reads or writes the device's memory ends there") {
  const at::Tensor x = at::ones({3}).to(kDevice);
  const auto* const place = static_cast<const float*>(x.storage().data());
  CHECK(signal_of([&] { return static_cast<void>(*const_cast<const volatile float*>(place)); }) ==
        SIGSEGV);
  CHECK(signal_of([&] { *const_cast<volatile float*>(place) = 2; }) == SIGSEGV);
  const Opened opened{x};
  CHECK(signal_of([&] { return static_cast<void>(*const_cast<const volatile float*>(place)); }) ==
        0);
}

TEST_CASE("operators give the device's tensors the CPU's numbers") {
  at::manual_seed(1);
  const at::Tensor x = at::randn({2, 4, 9}), w = at::randn({6, 4, 3});
  const at::Tensor y = at::conv1d(x.to(kDevice), w.to(kDevice));
  CHECK(y.device() == kDevice);
  CHECK(y.cpu().equal(at::conv1d(x, w)));
  const at::Tensor joined = at::cat({x.to(kDevice), x.to(kDevice) * 2});
  CHECK(joined.cpu().equal(at::cat({x, x * 2})));
  CHECK(at::arange(7, at::TensorOptions(kDevice)).cpu().equal(at::arange(7)));
  at::Tensor in_place = x.to(kDevice);
  in_place.slice(2, 0, 4).add_(1);
  at::Tensor expected = x.clone();
  expected.slice(2, 0, 4).add_(1);
  CHECK(in_place.cpu().equal(expected));
}

TEST_CASE("gradients of the device are those of the CPU") {
  at::manual_seed(1);
  const at::Tensor x = at::randn({5, 4}), w = at::randn({3, 4});
  const auto gradient = [&](const at::Device& device) {
    const at::Tensor weight = w.clone().to(device).requires_grad_();
    at::linear(x.to(device), weight).square().sum().backward();
    return weight.grad().cpu();
  };
  CHECK(at::allclose(gradient(kDevice), gradient(at::kCPU)));
}

TEST_CASE("operands of two devices are refused, but for scalars") {
  const at::Tensor here = at::ones({3}), there = here.to(kDevice);
  CHECK_THROWS_WITH(here + there, ContainsSubstring("same device"));
  CHECK_THROWS_WITH(at::linear(there.view({1, 3}), at::ones({2, 3})),
                    ContainsSubstring("same device"));
  CHECK_THROWS_WITH(at::conv1d(there.view({1, 1, 3}), at::ones({1, 1, 2})),
                    ContainsSubstring("same device"));
  CHECK((there + at::ones({})).cpu().equal(here + 1));
}

TEST_CASE("launches, copies and waits are counted by operator") {
  const at::Tensor host = at::ones({1000}), pinned = host.pin_memory();
  reset_counts();
  const at::Tensor x = pinned.to(kDevice, /*non_blocking=*/true);
  CHECK(counts().copies_to_device == 1);
  CHECK(counts().bytes_to_device == 4000);
  CHECK(counts().synchronizations == 0);
  host.to(kDevice, /*non_blocking=*/true);  // pageable
  CHECK(counts().synchronizations == 1);
  reset_counts();
  const at::Tensor y = x * x;
  at::_foreach_add_({y, x}, 1);
  CHECK(counts().launches == 2);
  CHECK(counts().operators.at("aten::mul.out").launches == 1);
  CHECK(counts().operators.at("aten::mul.out").bytes == 12000);
  CHECK(counts().operators.at("aten::_foreach_add_.Scalar").launches == 1);
  CHECK(counts().synchronizations == 0);
  y.view({10, 100}).transpose(0, 1).slice(0, 2, 5);  // views cost nothing
  CHECK(counts().launches == 2);
  CHECK(y.sum().item<float>() == 2000);
  CHECK(counts().synchronizations == 1);
  y.nonzero();
  y.cpu();
  CHECK(counts().synchronizations == 3);
  CHECK(counts().copies_to_host == 1);
  CHECK_THAT(profile(counts()), ContainsSubstring("aten::mul.out"));
}

TEST_CASE("a stream that uses what another has not finished is found") {
  const c10::impl::VirtualGuardImpl guard(at::kPrivateUse1);
  const c10::Stream main = guard.getStream(kDevice);
  const c10::Stream beside = guard.getStreamFromGlobalPool(kDevice);
  const auto made_beside = [&](c10::Event* done) {
    const c10::StreamGuard on(beside);
    const at::Tensor x = at::ones({8}, kDevice);
    if (done) done->record(beside);
    return x;
  };
  reset_counts();
  {
    const at::Tensor x = made_beside(nullptr);
    x.add(1);
    CHECK(counts().unordered == 1);
  }
  CHECK(counts().unordered == 2);  // the other stream may be given the memory while add() reads it
  reset_counts();
  c10::Event done(at::kPrivateUse1);
  at::Tensor x = made_beside(&done);
  done.block(main);
  x.add(1);
  x.record_stream(main);
  x.reset();
  CHECK(counts().unordered == 0);
}

TEST_CASE("the device draws from a generator of its own") {
  const at::Tensor x = at::ones({100}).to(kDevice);
  const auto draw = [&] { return at::dropout(x, 0.5, true).cpu(); };
  at::manual_seed(3);
  const at::Tensor first = draw(), behind = at::randn({4});
  at::manual_seed(3);
  CHECK(draw().equal(first));
  CHECK_FALSE(draw().equal(first));
  at::manual_seed(3);
  CHECK(at::randn({4}).equal(behind));
}

TEST_CASE("an allocation above the limit is refused") {
  const size_t used = Memory::instance().used_bytes();
  Memory::instance().set_limit_bytes(used + 8192);
  const at::Tensor fits = at::ones({1024}, kDevice);
  CHECK_THROWS_AS(at::ones({2048}, kDevice), c10::OutOfMemoryError);
  Memory::instance().set_limit_bytes(0);
  CHECK_NOTHROW(at::ones({2048}, kDevice));
}
