#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <sched.h>
#include <torch/version.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "model/config_size.h"
#include "model/model.h"
#include "model/torch/base/boundary.h"
#include "model/torch/base/tensor_memory.h"
#include "model/torch/distributed/failure.h"
#include "model/torch/distributed/torch_group.h"
#include "model/torch/engine/device.h"
#include "model/torch/engine/initialize.h"
#include "model/torch/engine/torch_model.h"
#include "model/torch/operators/ctc_cuda.h"

namespace flowqat::model {
namespace {

/// So many parameters cost nothing to ask for: the list of tensors that do not fit says more.
constexpr double kSmallNetwork = 1e8;

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return ::sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

/// Before memory is asked for: a configuration that is another network's is found by its size,
/// where that is far beyond what the tensors could fill.
void check_size(const Config& config, const Tensors& tensors) {
  double held = 0;
  for (const Tensor& tensor : tensors) {
    double elements = 1;
    for (const int64_t size : tensor.shape) elements *= static_cast<double>(size);
    held += elements;
  }
  const double wanted = parameters_of(config);
  if (wanted <= 2 * held + kSmallNetwork) return;
  throw Error("config.json describes a network of " + nlohmann::json(wanted).dump() +
              " parameters, the weights hold " + nlohmann::json(held).dump() +
              ": they belong to another model; copy both files from one source");
}

class TorchEngine : public Engine {
 public:
  void configure(const EngineOptions& options) override {
    at_boundary("configuring LibTorch", [&] {
      if (options.threads < 0) {
        throw Error("threads must be 0 (all cores) or more, found " +
                    std::to_string(options.threads));
      }
      const std::lock_guard lock(lock_);
      device_ = choose_device(options.device, &why_no_gpu_, local_rank_, local_size_);
      choose_precision(options.precision, *device_);
      const int threads = options.threads > 0 ? options.threads : usable_cores();
      at::set_num_threads(threads);
      threads_ = threads;
      static std::once_flag once;
      std::call_once(once, [] {
        // LibTorch takes this once a process; operators never run side by side here.
        at::set_num_interop_threads(1);
        use_tensor_heap();
      });
    });
  }

  bool knows_device(const std::string& name) const override { return is_registered(name); }
  std::string device() const override { return describe(configured().device); }
  std::string why_no_gpu() const override {
    configured();
    const std::lock_guard lock(lock_);
    return why_no_gpu_;
  }
  std::string device_note() const override {
    return at_boundary("trying the GPU", [&]() -> std::string {
      const std::string why = why_ctc_waits(configured().device);
      return why.empty() ? why
                         : "each training step waits for the GPU in LibTorch's CTC, as " + why;
    });
  }
  int threads() const override { return configured().threads; }
  std::string libtorch_version() const override { return TORCH_VERSION; }
  std::string instruction_set() const override { return at::get_cpu_capability(); }

  std::shared_ptr<Group> join(const Rank& rank) override {
    int64_t before = 0;
    {
      const std::lock_guard lock(lock_);
      before = joins_++;
      local_rank_ = rank.local_rank;
      local_size_ = rank.local_size;
    }
    return join_group(rank, before);
  }

  bool is_told(const Rank& rank, const std::string& failure) override {
    return is_told_by_first(rank, failure);
  }

  std::unique_ptr<Model> create(const Config& config, uint64_t seed, double blank_bias) override {
    return at_boundary("creating a model", [&] {
      const at::Device device = configured().device;
      auto network = std::make_shared<Wav2Vec2ForCtc>(config);
      initialize(*network, config, seed, blank_bias);
      return std::make_unique<TorchModel>(config, std::move(network), device);
    });
  }

  std::unique_ptr<Model> load(const Config& config, const Tensors& tensors,
                              const nlohmann::json& quantization, const LoadOptions& options,
                              std::vector<std::string>* notes) override {
    return at_boundary("loading a model", [&] {
      const at::Device device = configured().device;
      check_size(config, tensors);
      auto network = std::make_shared<Wav2Vec2ForCtc>(config);
      initialize_mask_embedding(*network);
      auto model = std::make_unique<TorchModel>(config, std::move(network), at::kCPU);
      std::vector<std::string> unread;
      model->load(tensors, quantization, options, notes ? *notes : unread);
      if (model->precision() != Precision::int8) model->move_to(device);
      return model;
    });
  }

 private:
  struct Configured {
    at::Device device;
    int threads;
  };

  /// As configured, or by default at the first need.
  Configured configured() const {
    {
      const std::lock_guard lock(lock_);
      if (device_) return {*device_, threads_};
    }
    const_cast<TorchEngine*>(this)->configure({});
    return configured();
  }

  mutable std::mutex lock_;
  std::optional<at::Device> device_;
  std::string why_no_gpu_;
  int threads_ = 0;
  int64_t joins_ = 0;
  int local_rank_ = 0, local_size_ = 1;  ///< as the last join() said
};

}  // namespace
}  // namespace flowqat::model

/// What the program resolves in the library once it has opened it.
extern "C" flowqat::model::Engine* flowqat_engine() {
  static flowqat::model::TorchEngine engine;
  return &engine;
}
