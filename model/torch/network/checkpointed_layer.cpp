#include "model/torch/network/checkpointed_layer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace flowqat::model {
namespace {

/// Where the generators stand that a layer on some device draws from.
class GeneratorStates {
 public:
  explicit GeneratorStates(const at::Device& device) {
    add(at::detail::getDefaultCPUGenerator());
    if (!device.is_cpu()) add(at::globalContext().defaultGenerator(device));
  }
  void restore() const {
    for (auto [generator, state] : states_) {
      const std::lock_guard lock(generator.mutex());
      generator.set_state(state);
    }
  }

 private:
  void add(at::Generator generator) {
    const std::lock_guard lock(generator.mutex());
    states_.emplace_back(generator, generator.get_state());
  }

  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

struct Kept : torch::CustomClassHolder {
  Kept(std::shared_ptr<EncoderLayer> its_layer, GeneratorStates its_states)
      : layer(std::move(its_layer)), states(std::move(its_states)) {}
  const std::shared_ptr<EncoderLayer> layer;
  const GeneratorStates states;
};

/// While it lives, the layer computes what it computed, and the generators are left as they were.
class Replay {
 public:
  Replay(const Kept& kept, const at::Device& device) : layer_(*kept.layer), after_(device) {
    kept.states.restore();
    set(true);
  }
  ~Replay() {
    set(false);
    after_.restore();
  }

 private:
  void set(bool on) {
    for (const auto& [name, module] : layer_.named_modules()) {
      if (auto* const quantizer = module->as<FakeQuantizer>()) quantizer->set_replaying(on);
    }
  }

  EncoderLayer& layer_;
  const GeneratorStates after_;
};

class CheckpointedLayer : public torch::autograd::Function<CheckpointedLayer> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& key_mask,
                            const std::shared_ptr<EncoderLayer>& layer) {
    const at::Tensor mask = key_mask.value_or(at::Tensor());
    context->save_for_backward({x, mask});
    context->saved_data["kept"] =
        c10::IValue::make_capsule(c10::make_intrusive<Kept>(layer, GeneratorStates(x.device())));
    return layer->forward(x, mask);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const auto kept =
        c10::static_intrusive_pointer_cast<Kept>(context->saved_data["kept"].toCapsule());
    const at::Tensor x = saved[0].detach().requires_grad_();
    {
      const at::AutoGradMode with_grad(true);
      at::Tensor y;
      {
        const Replay replay(*kept, x.device());
        y = kept->layer->forward(x, saved[1]);
      }
      y.backward(gradients[0]);
    }
    return {x.grad(), {}, {}};
  }
};

}  // namespace

at::Tensor forward_checkpointed(const std::shared_ptr<EncoderLayer>& layer, const at::Tensor& x,
                                const at::Tensor& key_mask) {
  const bool learns = std::ranges::any_of(
      layer->parameters(), [](const at::Tensor& value) { return value.requires_grad(); });
  if (!at::GradMode::is_enabled() || !(learns || x.requires_grad())) {
    return layer->forward(x, key_mask);
  }
  // Where all before the layer is frozen, its own parameters still ask for a gradient.
  const at::Tensor input = x.requires_grad() ? x : x.detach().requires_grad_();
  const auto mask = key_mask.defined() ? std::optional(key_mask) : std::nullopt;
  return CheckpointedLayer::apply(input, mask, layer);
}

}  // namespace flowqat::model
