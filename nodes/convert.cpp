/// Turns a fake-quantized model into an int8 one and writes it as a folder.
#include "graph/registry.h"
#include "graph/run.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/step_checks.h"

namespace flowqat::nodes {
namespace {

class Convert : public ModelConsumer {
 public:
  explicit Convert(const graph::NodeArguments& arguments)
      : ModelConsumer(arguments.name, arguments.inputs.one("model")),
        folder_(arguments.params.text("folder")),
        options_{.half_positional_conv = arguments.params.flag("half_positional_conv")} {}

  std::optional<Stage> stage() const override { return Stage::int8; }

  void check(graph::CheckContext& context) const override {
    check_stage(*this, input(), {Stage::ptq, Stage::fake_quantized},
                input().stage() == Stage::int8 ? "it needs no conversion"
                                               : "put a calibrate node before this one");
    context.claim(*this, "folder", folder_);
  }

  void run(graph::StepContext& context) override {
    const ModelState& from = input().result();
    ModelState state = from;
    state.model = from.model->convert(options_);
    state.stage = Stage::int8;
    context.write_output(folder_,
                         [&](const std::filesystem::path& folder) { save_model(state, folder); });
    // What is shipped is what was written: later steps use the model as loaded from the folder.
    state.model = load_model(context.folder() / folder_).model;
    context.reporter().say(name() + ": " + (context.folder() / folder_).string());
    input().done_with();
    give(std::move(state));
  }

  void restore(const std::filesystem::path&, graph::StepContext& context) override {
    give(load_model(context.folder() / folder_));
    input().done_with();
  }

 private:
  std::string folder_;
  model::ConvertOptions options_;
};

const graph::Register registered({
    .name = "convert",
    .doc = "makes and writes the int8 model, with the trained scales and zero points",
    .output = graph::EdgeKind::model,
    .may_end = true,
    .inputs = {{.key = "model", .kind = graph::EdgeKind::model, .doc = "a fake-quantized model"}},
    .params = {{.name = "folder",
                .kind = graph::ParamKind::path,
                .fallback = "int8",
                .doc = "in the run's folder"},
               {.name = "half_positional_conv",
                .kind = graph::ParamKind::boolean,
                .fallback = false,
                .doc = "stores the positional convolution's float weight in half precision"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Convert>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
