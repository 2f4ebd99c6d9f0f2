/// One file a command; each returns the program's exit status.
#pragma once
#include <string>
#include <vector>

#include "graph/graph_file.h"

namespace flowqat::cli {

struct GraphArguments {
  std::string graph;
  std::vector<std::string> overrides;  ///< NODE.KEY=VALUE or KEY=VALUE
};
/// The graph file with what was overridden, checked; its nodes are not made yet.
graph::GraphSpec resolved_graph(const GraphArguments& arguments);

/// `flowqat validate --graph G`
int validate(const GraphArguments& arguments);

/// `flowqat dot --graph G`
int dot(const GraphArguments& arguments);

struct ProfileArguments : GraphArguments {
  std::string stream;  ///< a batch node's name; empty: the first one
  double seconds = 10;
  bool isolate = false, json = false;
  std::string trace, html;        ///< files to write, or empty
  double trainer_x_realtime = 0;  ///< the speed of a trainer to feed; 0: examples
};
/// `flowqat profile --graph G`
int profile(const ProfileArguments& arguments);

struct RunArguments : GraphArguments {
  std::string out;  ///< empty: as the graph says
  bool resume = false, overwrite = false;
};
/// `flowqat --graph G`
int run(const RunArguments& arguments);

/// `flowqat nodes [TYPE]`
int nodes(const std::string& type);

struct TranscribeArguments {
  std::string model;
  std::vector<std::string> audio;  ///< files; "-": the bytes of one on standard input
  bool json = false;
  std::string logits;  ///< a folder for every file's frame scores, or empty
  /// Longer recordings are heard in windows, which share `overlap_s`; 0: none is too long.
  double window_s = 40, overlap_s = 4;
  std::string device = "auto";
  std::string kernels = "fastest";  ///< of an int8 model: "fastest" or "exact"
};
/// `flowqat transcribe MODEL AUDIO...`
int transcribe(const TranscribeArguments& arguments);

struct EvaluateArguments {
  std::string model;
  std::string manifest;             ///< a manifest, or a folder in LibriSpeech's layout
  std::vector<std::string> splits;  ///< of such a folder; empty: all
  int64_t batch = 1;                ///< utterances padded to one length
  bool json = false;
  std::string out;  ///< a file for what was heard in each utterance, or empty
  std::string text_normalization = "vocabulary";  ///< of the transcripts, or "none"
  std::string device = "auto";
  std::string kernels = "fastest";  ///< of an int8 model: "fastest" or "exact"
};
/// `flowqat evaluate MODEL --manifest M`
int evaluate(const EvaluateArguments& arguments);

/// How `quantize` and `sensitivity` calibrate a float model.
struct CalibrationArguments {
  std::string model;
  std::string manifest;              ///< as of EvaluateArguments
  std::vector<std::string> splits;   ///< the same
  std::string policy;                ///< a JSON file, or empty: the default policy
  std::vector<std::string> choices;  ///< PART=CHOICE, over the file's
  int64_t batches = 16;              ///< how many are observed
  uint64_t seed = 1;                 ///< of the utterances' order
  bool json = false;
  std::string device = "auto";
};

struct QuantizeArguments : CalibrationArguments {
  std::string out;                    ///< the folder to write
  int64_t batch = 4;                  ///< utterances observed at a time
  bool fake = false;                  ///< fake-quantized instead of int8
  bool half_positional_conv = false;  ///< store that convolution's weight in half precision
  bool overwrite = false;
};
/// `flowqat quantize MODEL --manifest M --out DIR`
int quantize(const QuantizeArguments& arguments);

struct SensitivityArguments : CalibrationArguments {
  std::string calibration;  ///< a corpus of its own to calibrate with, or empty: the same
  std::vector<std::string> calibration_splits;
  std::string by = "layer";     ///< what is quantized at a time: "layer" or "part"
  int64_t batch = 1;            ///< utterances evaluated at a time
  int64_t limit = 0;            ///< utterances at the most; 0: all
  double budget = 0.5;          ///< points of WER that a mixed policy may cost
  std::string out, policy_out;  ///< files to write, or empty
};
/// `flowqat sensitivity MODEL --manifest M`
int sensitivity(const SensitivityArguments& arguments);

struct ExportArguments {
  std::string model;
  std::string onnx;  ///< the file to write
  bool overwrite = false;
};
/// `flowqat export MODEL --onnx F`
int export_model(const ExportArguments& arguments);

/// What both kinds of fetch are told.
struct FetchArguments {
  int jobs = 4;           ///< files at once
  int retries = 5;        ///< of a file, in a row
  double timeout_s = 60;  ///< without a byte
};

struct FetchLibriSpeechArguments : FetchArguments {
  std::vector<std::string> splits;
  std::string to;  ///< the folder that will hold LibriSpeech/
  std::string base_url;
};
/// `flowqat fetch librispeech SPLIT... --to DIR`
int fetch_librispeech(const FetchLibriSpeechArguments& arguments);

struct FetchModelArguments : FetchArguments {
  std::string id;  ///< ORGANIZATION/NAME
  std::string revision = "main";
};
/// `flowqat fetch model ID`
int fetch_model(const FetchModelArguments& arguments);

struct InspectArguments {
  std::string corpus;               ///< as of EvaluateArguments, or any folder of audio
  std::vector<std::string> splits;  ///< as there
  std::string model;                ///< a folder, or empty: base-960h's vocabulary and frames
  std::string text_normalization = "vocabulary";  ///< or "none"
  double max_duration_s = 30;                     ///< 0: nothing is too long
  bool json = false;
  std::string html;  ///< a file to write, or empty
};
/// `flowqat inspect CORPUS`
int inspect(const InspectArguments& arguments);

constexpr int kDone = 0, kFailed = 1, kBadUsage = 2;

}  // namespace flowqat::cli
