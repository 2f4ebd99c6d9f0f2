#include "model/model.h"
#include "model/onnx/network.h"

namespace flowqat::model::onnx_export {
namespace {

/// Before anything is copied: float32 for all that is not int8.
void check_size(const Tensors& tensors) {
  int64_t bytes = 0;
  for (const Tensor& tensor : tensors) {
    bytes += elements_of(tensor.shape) * (tensor.dtype == "I8" ? 1 : 4);
  }
  if (bytes > kLargestFile) refuse_size(bytes);
}

void check_opset(int64_t opset) {
  if (opset < kOldestOpset || opset > kNewestOpset) {
    throw Error("opset: expected " + std::to_string(kOldestOpset) + " to " +
                std::to_string(kNewestOpset) + ", found " + std::to_string(opset));
  }
}

class Exporter : public OnnxExporter {
 public:
  bool write(const Config& config, const Tensors& tensors, const nlohmann::json& quantization,
             const OnnxForm& form, const Sink& sink) const override {
    check_opset(form.opset);
    LayerStates states(quantization);
    check_size(tensors);
    Weights weights(tensors);
    Graph graph(form.opset);
    Network network(config, form, graph, weights, states);
    network.draw();
    states.check_all_taken();
    weights.check_all_taken();
    graph.write(sink);
    return network.can_saturate();
  }
};

}  // namespace
}  // namespace flowqat::model::onnx_export

/// What the program resolves in the library once it has opened it.
extern "C" const flowqat::model::OnnxExporter* flowqat_onnx_exporter() {
  static const flowqat::model::onnx_export::Exporter exporter;
  return &exporter;
}
