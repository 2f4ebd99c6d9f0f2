#include "nodes/support/model_step.h"

namespace flowqat::nodes {

std::string stage_name(Stage stage) {
  switch (stage) {
    case Stage::float32:
      return "float";
    case Stage::ptq:
      return "ptq";
    case Stage::fake_quantized:
      return "fake_quantized";
    case Stage::int8:
      break;
  }
  return "int8";
}

std::string describe(Stage stage) {
  switch (stage) {
    case Stage::float32:
      return "a float model";
    case Stage::ptq:
    case Stage::fake_quantized:
      return "a fake-quantized model";
    case Stage::int8:
      break;
  }
  return "an int8 model";
}

ModelState ModelStep::take() {
  ModelState taken = result_;
  // A checkpoint step hands on the very model that it was given: then two results share it.
  const bool is_sole_user = consumers_ == 1 && result_.model.use_count() == 2;
  if (!is_sole_user) taken.model = result_.model->clone();
  done_with();
  return taken;
}

void ModelStep::done_with() {
  if (--consumers_ == 0) result_ = {};
}

}  // namespace flowqat::nodes
