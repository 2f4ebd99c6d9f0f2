/// `flowqat convert`: a fake-quantized folder as int8, with the scales and zero points that it
/// holds, as a convert node does it.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/given_model.h"
#include "cli/model_output.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/run_folder.h"
#include "graph/usable_cores.h"
#include "nodes/support/model_folder.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;
using graph::format;

struct ConvertArguments {
  std::string model;
  std::string out;                    ///< the folder to write
  bool half_positional_conv = false;  ///< store that convolution's weight in half precision
  bool json = false;
  bool overwrite = false;
};

/// What can be told without opening the weights.
void check_convertible(const fs::path& folder) {
  const nodes::Stage stage = nodes::stage_of(folder);
  if (stage == nodes::Stage::float32) {
    throw graph::GraphError(folder.string() +
                            ": holds a float model, which has no ranges yet; flowqat quantize "
                            "finds them on some speech and writes int8 at once");
  }
  if (stage == nodes::Stage::int8) {
    throw graph::GraphError(folder.string() + ": holds an int8 model already");
  }
}

int convert(const ConvertArguments& arguments) {
  quiet_openmp();
  Terminal terminal;
  const fs::path model = folder_of_model(arguments.model, terminal);
  check_model_output(model, arguments.out, arguments.overwrite);
  nodes::ModelDescription description = nodes::read_description(model);
  check_convertible(model);
  const std::atomic<int>& stop_signal = catch_stop_signals();
  model::engine().configure({.device = "cpu", .threads = graph::usable_cores()});
  nodes::ModelState state = nodes::load_model(model, description);
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  const int64_t before_bytes = nodes::weights_bytes(*state.model);
  state.model = state.model->convert({.half_positional_conv = arguments.half_positional_conv});
  const int64_t bytes = nodes::weights_bytes(*state.model);
  graph::write_folder(arguments.out, [&](const fs::path& folder) {
    nodes::save_model(state, folder);
    if (stop_signal != 0) throw graph::Interrupted(stop_signal);
  });
  if (arguments.json) {
    const graph::Json result{{"model", arguments.model},
                             {"out", arguments.out},
                             {"fake_quantized_bytes", before_bytes},
                             {"bytes", bytes}};
    terminal.result(result.dump(-1, ' ', false, graph::Json::error_handler_t::replace) + "\n");
  } else {
    terminal.result(format("weights: %.2f MB fake-quantized, %.2f MB in int8\n",
                           static_cast<double>(before_bytes) / 1e6,
                           static_cast<double>(bytes) / 1e6));
  }
  terminal.say("written to " + arguments.out);
  return kDone;
}

}  // namespace

Command convert_command() {
  const auto told = std::make_shared<ConvertArguments>();
  Argument out = output_option(told->out, "--out", "the folder to write", "DIR");
  out.required = true;
  return {.name = "convert",
          .doc = "writes a fake-quantized model as int8, with the ranges that it was trained with",
          .examples = {"flowqat convert runs/quickstart/model --out models/mine-int8"},
          .arguments = {model_argument(told->model, "a fake-quantized"),
                        out,
                        {.name = "--half-positional-conv",
                         .doc = "store the positional convolution, where it stays float, in half "
                                "precision",
                         .target = &told->half_positional_conv},
                        json_option(told->json),
                        overwrite_option(told->overwrite)},
          .run = [told] { return convert(*told); }};
}

}  // namespace flowqat::cli
