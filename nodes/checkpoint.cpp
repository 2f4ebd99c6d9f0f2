/// Writes the model as a Hugging Face folder and hands it on.
#include "graph/check.h"
#include "graph/registry.h"
#include "graph/run.h"
#include "nodes/support/model_folder.h"

namespace flowqat::nodes {
namespace {

class Checkpoint : public ModelConsumer {
 public:
  explicit Checkpoint(const graph::NodeArguments& arguments)
      : ModelConsumer(arguments.name, arguments.inputs.one("model")),
        folder_(arguments.params.text("folder")) {}

  void check(graph::CheckContext& context) const override {
    context.claim(*this, "folder", folder_);
  }

  void run(graph::StepContext& context) override {
    context.write_output(folder_, [&](const std::filesystem::path& folder) {
      save_model(input().result(), folder);
    });
    context.reporter().say(name() + ": " + (context.folder() / folder_).string());
    hand_on();
  }

  void restore(const std::filesystem::path&, graph::StepContext&) override { hand_on(); }

 private:
  void hand_on() {
    give(input().result());
    input().done_with();
  }

  std::string folder_;
};

const graph::Register registered({
    .name = "checkpoint",
    .doc = "writes the model as a Hugging Face folder that transformers loads, and hands it on",
    .output = graph::EdgeKind::model,
    .may_end = true,
    .inputs = {{.key = "model", .kind = graph::EdgeKind::model, .doc = "the model to write"}},
    .params = {{.name = "folder",
                .kind = graph::ParamKind::path,
                .fallback = "model",
                .doc = "in the run's folder; \"float\" is the place of the float model of a run "
                       "that goes on to quantize it"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Checkpoint>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
