// What LibTorch asks of a device beside its operators: memory, a guard, generators, hooks.
#include "tests/test_device/runtime.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceType.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "tests/test_device/counts.h"
#include "tests/test_device/memory.h"
#include "tests/test_device/streams.h"

namespace flowqat::test_device {
namespace {

const at::Device kDevice(at::kPrivateUse1, 0);

/// Its memory, without a cache: what is freed is gone at once, and whoever still reads it falls.
class Allocator : public c10::DeviceAllocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    void* const block = Memory::instance().allocate(bytes);
    return {block, block, &release, kDevice};
  }
  at::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    Memory::instance().open(to);
    Memory::instance().open(from);
    default_copy_data(to, from, bytes);
    Memory::instance().close(to);
    Memory::instance().close(from);
  }
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override { count_emptied_cache(); }
  void recordStream(const at::DataPtr& block, c10::Stream stream) override {
    Memory::instance().record(block.get(), stream.id());
  }
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override { return {}; }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override {}

 private:
  static void release(void* block) { Memory::instance().release(block); }
};

/// Pinned memory of the host's, which copies need not wait for.
class PinnedAllocator : public c10::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    void* const block = bytes > 0 ? std::aligned_alloc(64, (bytes + 63) / 64 * 64) : nullptr;
    const std::lock_guard lock(lock_);
    if (block) blocks_[static_cast<std::byte*>(block)] = bytes;
    return {block, block, &release, at::kCPU};
  }
  at::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  bool holds(const void* place) const {
    const std::lock_guard lock(lock_);
    auto block = blocks_.upper_bound(static_cast<const std::byte*>(place));
    if (block == blocks_.begin()) return false;
    --block;
    return static_cast<const std::byte*>(place) < block->first + block->second;
  }

 private:
  static void release(void* block);
  mutable std::mutex lock_;
  std::map<const std::byte*, size_t> blocks_;
};

PinnedAllocator& pinned_allocator() {
  static auto* const allocator = new PinnedAllocator;
  return *allocator;
}

void PinnedAllocator::release(void* block) {
  {
    const std::lock_guard lock(pinned_allocator().lock_);
    pinned_allocator().blocks_.erase(static_cast<std::byte*>(block));
  }
  std::free(block);
}

/// The CPU's generator under the device's name.
class Generator : public at::CPUGeneratorImpl {
 public:
  explicit Generator(uint64_t seed = c10::default_rng_seed_val) : CPUGeneratorImpl(seed) {
    device_ = kDevice;
    key_set_ = c10::DispatchKeySet(c10::DispatchKey::PrivateUse1);
  }
};

struct Hooks : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
  at::Allocator* getPinnedMemoryAllocator() const override { return &pinned_allocator(); }
  bool isPinnedPtr(const void* place) const override { return is_pinned(place); }
  at::Device getDeviceFromPtr(void*) const override { return kDevice; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const at::Generator generator = at::make_generator<Generator>();
    return generator;
  }
  at::Generator getNewGenerator(c10::DeviceIndex) const override {
    return at::make_generator<Generator>();
  }
};

/// One device, with a stream beside the default one; streams.h keeps their order.
struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return at::kPrivateUse1; }
  at::Device exchangeDevice(at::Device) const override { return kDevice; }
  at::Device getDevice() const override { return kDevice; }
  void setDevice(at::Device) const override {}
  void uncheckedSetDevice(at::Device) const noexcept override {}
  c10::Stream getStream(at::Device) const override { return stream(Streams::current()); }
  c10::Stream getDefaultStream(at::Device) const override { return stream(0); }
  c10::Stream getStreamFromGlobalPool(at::Device, bool) const override { return stream(1); }
  c10::Stream getNewStream(at::Device, int) const override { return stream(1); }
  c10::Stream exchangeStream(c10::Stream other) const override {
    return stream(Streams::exchange(other.id()));
  }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void** event, const c10::Stream& on, c10::DeviceIndex,
              c10::EventFlag) const override {
    if (!*event) *event = new char;
    Streams::instance().record(*event, on.id());
  }
  void block(void* event, const c10::Stream& waiting) const override {
    Streams::instance().block(event, waiting.id());
  }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override {
    Streams::instance().forget(event);
    delete static_cast<char*>(event);
  }
  bool queryEvent(void*) const override { return true; }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream& waited_for) const override {
    count_synchronization("stream");
    Streams::instance().host_waited_for(waited_for.id());
  }
  void synchronizeEvent(void* event) const override {
    count_synchronization("event");
    Streams::instance().host_waited_for_event(event);
  }
  void synchronizeDevice(c10::DeviceIndex) const override {
    count_synchronization("device");
    for (const c10::StreamId id : {0, 1}) Streams::instance().host_waited_for(id);
  }

 private:
  static c10::Stream stream(c10::StreamId id) {
    return c10::Stream(c10::Stream::UNSAFE, kDevice, id);
  }
};

[[maybe_unused]] const bool registered = [] {
  c10::register_privateuse1_backend("testdevice");
  static Allocator allocator;
  c10::SetAllocator(at::kPrivateUse1, &allocator);
  c10::impl::registerDeviceGuard(at::kPrivateUse1, new Guard);
  at::RegisterPrivateUse1HooksInterface(new Hooks);
  return true;
}();

}  // namespace

bool is_pinned(const void* place) { return pinned_allocator().holds(place); }

}  // namespace flowqat::test_device
