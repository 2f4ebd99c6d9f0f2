#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// The phases of quantization-aware training by the steps from which they last: the model trains in
/// float while its observers follow; then with fake quantization; then with frozen activation
/// ranges too.
struct Phases {
  int64_t fake_quantize_from = 0;
  int64_t freeze_from = 0;  ///< not before fake_quantize_from
};
Phases phases_of(const TrainParams& params, int64_t steps);

/// Switches a calibrated model from phase to phase.
class QuantizationPhases : public Attendant {
 public:
  void begin(Training& training) override;
  void before_step(Training& training) override;
  void end(Training& training) override;
  std::string key() const override { return "phases"; }
  graph::Json state() const override;
  void restore(const graph::Json& state) override;

 private:
  void fake_quantize(model::Model& model, bool on);

  Phases phases_;
  bool fake_quantizes_ = true;  ///< the model, as it comes from calibration
};

}  // namespace flowqat::nodes
