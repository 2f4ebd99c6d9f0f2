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
#include "tests/test_device/queues.h"
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
    Queues::instance().wait(Streams::current());
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

/// One device, with two streams beside the default one; streams.h keeps their order, queues.h what
/// is still to be done on them.
struct Guard final : c10::impl::DeviceGuardImplInterface {
  /// How far a stream's queue had come when it was recorded.
  struct Event {
    c10::StreamId stream = 0;
    int64_t asked = 0;
    bool is_done() const { return Queues::instance().is_done(stream, asked); }
    void wait() const { Queues::instance().wait(stream, asked); }
  };
  static const Event& event_of(void* event) { return *static_cast<const Event*>(event); }

  c10::DeviceType type() const override { return at::kPrivateUse1; }
  at::Device exchangeDevice(at::Device) const override { return kDevice; }
  at::Device getDevice() const override { return kDevice; }
  void setDevice(at::Device) const override {}
  void uncheckedSetDevice(at::Device) const noexcept override {}
  c10::Stream getStream(at::Device) const override { return stream(Streams::current()); }
  c10::Stream getDefaultStream(at::Device) const override { return stream(0); }
  c10::Stream getStreamFromGlobalPool(at::Device, bool is_high_priority) const override {
    return stream(is_high_priority ? 2 : 1);
  }
  c10::Stream getNewStream(at::Device, int) const override { return stream(1); }
  c10::Stream exchangeStream(c10::Stream other) const override {
    return stream(Streams::exchange(other.id()));
  }
  void* getStreamNativeHandle(const c10::Stream one) const override { return handle_of(one.id()); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void** event, const c10::Stream& on, c10::DeviceIndex,
              c10::EventFlag) const override {
    if (!*event) *event = new Event;
    *static_cast<Event*>(*event) = {on.id(), Queues::instance().asked(on.id())};
    Streams::instance().record(*event, on.id());
  }
  void block(void* event, const c10::Stream& waiting) const override {
    Streams::instance().block(event, waiting.id());
    const Event until = event_of(event);
    if (until.stream == waiting.id() || until.is_done()) return;
    Queues::instance().enqueue(waiting.id(), [until] { until.wait(); });
  }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override {
    Streams::instance().forget(event);
    delete static_cast<Event*>(event);
  }
  bool queryEvent(void* event) const override { return event_of(event).is_done(); }
  bool queryStream(const c10::Stream& one) const override {
    return Queues::instance().is_done(one.id(), Queues::instance().asked(one.id()));
  }
  void synchronizeStream(const c10::Stream& waited_for) const override {
    count_synchronization("stream");
    Queues::instance().wait(waited_for.id());
    Streams::instance().host_waited_for(waited_for.id());
  }
  void synchronizeEvent(void* event) const override {
    count_synchronization("event");
    event_of(event).wait();
    Streams::instance().host_waited_for_event(event);
  }
  void synchronizeDevice(c10::DeviceIndex) const override {
    count_synchronization("device");
    for (const c10::StreamId id : {0, 1, 2}) {
      Queues::instance().wait(id);
      Streams::instance().host_waited_for(id);
    }
  }
  void recordDataPtrOnStream(const c10::DataPtr& block, const c10::Stream& one) const override {
    Memory::instance().record(block.get(), one.id());
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
