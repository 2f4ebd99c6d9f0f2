/// `flowqat export`: a model folder as an ONNX file. LibTorch is not opened: its protobuf and
/// ONNX's would be two of a kind in one process.
#include <atomic>
#include <filesystem>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/converted_folder.h"
#include "cli/given_model.h"
#include "cli/output_file.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "io/files/atomic_file.h"
#include "io/files/write_error.h"
#include "model/onnx_exporter.h"
#include "nodes/support/model_folder.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

struct ExportArguments {
  std::string model;
  std::string onnx;  ///< the file to write
  int64_t opset = model::kOldestOpset;
  std::string weights = "exact", mask = "int32";  ///< model::OnnxForm's, by their names
  bool overwrite = false;
};

model::OnnxForm form_of(const ExportArguments& arguments) {
  using Form = model::OnnxForm;
  return {.opset = arguments.opset,
          .weights = arguments.weights == "int8" ? Form::Weights::int8 : Form::Weights::exact,
          .mask = arguments.mask == "int64" ? Form::Mask::int64 : Form::Mask::int32};
}

/// The versions of scripts/versions.sh, which CMakeLists.txt reads.
std::string tested_with(const model::OnnxForm& form) {
  return "opset " + std::to_string(form.opset) +
         ", tested with ONNX Runtime " FLOWQAT_ONNXRUNTIME_VERSION
         " and OpenVINO " FLOWQAT_OPENVINO_VERSION;
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// A fake-quantized model is exported as the int8 one that it becomes.
nodes::ModelFiles read_exportable(const fs::path& folder) {
  if (nodes::stage_of(folder) != nodes::Stage::fake_quantized) return nodes::read_files(folder);
  const std::atomic<int>& stop_signal = catch_stop_signals();
  const ConvertedFolder converted(folder);
  if (stop_signal != 0) throw graph::Interrupted(stop_signal);
  return nodes::read_files(converted.path());
}

/// Whether the processor's files must be written; refuses to replace those of another model.
bool needs_processor(const fs::path& folder, const fs::path& model,
                     const nodes::ModelDescription& description, bool overwrite) {
  const fs::path vocabulary = folder / "vocab.json";
  if (!fs::exists(vocabulary)) return true;
  if (fs::equivalent(folder, model)) return false;
  if (overwrite) return true;
  const io::Tokenizer there = io::Tokenizer::load(folder);
  const io::Tokenizer& own = *description.tokenizer;
  const bool is_same = there.tokens() == own.tokens() && there.blank_id() == own.blank_id() &&
                       io::FeatureExtractor::load(folder) == description.extractor;
  if (!is_same) {
    throw graph::GraphError(
        vocabulary.string() +
        ": belongs to another model, whose processor's files would be replaced; choose "
        "another folder for the ONNX file, or add --overwrite");
  }
  return true;
}

int export_model(const ExportArguments& arguments) {
  Terminal terminal;
  const fs::path file = arguments.onnx;
  const model::OnnxForm form = form_of(arguments);
  const fs::path source = folder_of_model(arguments.model, terminal);
  const nodes::ModelDescription description = nodes::read_description(source);
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  if (fs::is_directory(file)) {
    throw graph::GraphError(file.string() +
                            ": expected the name of a file to write, found a folder");
  }
  if (!arguments.overwrite) refuse_existing({file.string()});
  const nodes::ModelFiles files = read_exportable(source);
  const fs::path folder = folder_of(file);
  std::error_code refused;
  fs::create_directories(folder, refused);
  if (refused) throw io::WriteError(folder, "cannot be created: " + refused.message());
  const bool saves_processor = needs_processor(folder, source, description, arguments.overwrite);
  bool can_saturate = false;
  try {
    io::write_file_atomically(file, [&](io::FileSink& sink) {
      can_saturate = model::onnx_exporter().write(
          description.config, files.tensors, files.quantization, form,
          [&sink](std::span<const std::byte> bytes) { sink.write(bytes); });
    });
  } catch (const model::Error& error) {
    throw io::Error(arguments.model + ": " + error.what());
  }
  if (saves_processor) {
    description.tokenizer->save(folder);
    description.extractor.save(folder);
  }
  terminal.say("written to " + file.string() + " (" + nodes::stage_name(files.stage) +
               "): " + tested_with(form));
  if (can_saturate) {
    terminal.say(
        "flowqat: --weights int8: sums may saturate, and texts be wrong, on x86 processors without "
        "VNNI");
  }
  return kDone;
}

}  // namespace

Command export_command() {
  const auto told = std::make_shared<ExportArguments>();
  Argument onnx = output_option(told->onnx, "--onnx", "the file to write");
  onnx.required = true;
  return {
      .name = "export",
      .doc =
          "writes a model as an ONNX file, a fake-quantized one in int8, and its processor's files "
          "beside it",
      .examples = {"flowqat export models/mine --onnx onnx/mine.onnx"},
      .arguments = {model_argument(told->model, "a float, fake-quantized or int8"),
                    onnx,
                    {.name = "--opset",
                     .value = "N",
                     .doc = "ONNX's operator set",
                     .target = &told->opset,
                     .minimum = model::kOldestOpset,
                     .maximum = model::kNewestOpset},
                    {.name = "--weights",
                     .value = "FORM",
                     .doc = "of int8 layers: exact on every processor, or int8, which is faster "
                            "with VNNI and may be wrong on x86 without it",
                     .target = &told->weights,
                     .choices = {"exact", "int8"}},
                    {.name = "--mask",
                     .value = "TYPE",
                     .doc = "the type of the input attention_mask, where there is one; "
                            "transformers' processors give int32",
                     .target = &told->mask,
                     .choices = {"int32", "int64"}},
                    overwrite_option(told->overwrite)},
      .run = [told] { return export_model(*told); }};
}

}  // namespace flowqat::cli
