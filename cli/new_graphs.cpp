#include "cli/new_graphs.h"

namespace flowqat::cli {
namespace {

constexpr const char* data = R"({
  "comment": "Audio alone, from a corpus to batches: flowqat run FILE says how fast that is, flowqat profile FILE what holds it up. Set corpus.path.",
  "seed": 1,
  "out": "runs/data",
  "nodes": {
    "corpus": {
      "comment": "or type librispeech with a root, folder with a root, shards with paths: flowqat nodes has them all",
      "type": "manifest", "path": "data/train.jsonl", "max_duration_s": 20
    },
    "decode": { "type": "decode", "from": "corpus" },
    "resample": {
      "comment": "the rate that a model hears at",
      "type": "resample", "from": "decode", "rate_hz": 16000
    },
    "perturb": {
      "comment": "an augmentation: every epoch sounds otherwise",
      "type": "speed_perturb", "from": "resample", "factors": [0.9, 1.0, 1.1]
    },
    "normalize": { "type": "normalize", "from": "perturb" },
    "batch": {
      "comment": "like lengths together, so that little is padded",
      "type": "batch", "from": "normalize", "max_padded_s": 64, "order": "length"
    }
  }
}
)";

constexpr const char* fine_tune = R"({
  "comment": "Fine-tunes a model in float. Set corpus.path and start.path; flowqat nodes train has the rest of the recipe.",
  "out": "runs/fine-tune",
  "nodes": {
    "corpus": { "type": "manifest", "path": "data/train.jsonl" },
    "decode": { "type": "decode", "from": "corpus" },
    "resample": { "type": "resample", "from": "decode", "rate_hz": 16000 },
    "normalize": { "type": "normalize", "from": "resample" },
    "batch": { "type": "batch", "from": "normalize", "max_padded_s": 64 },
    "start": { "type": "model", "path": "facebook/wav2vec2-base-960h" },
    "learn": { "type": "train", "model": "start", "audio": "batch" },
    "save": { "type": "checkpoint", "model": "learn" }
  }
}
)";

constexpr const char* fine_tune_int8 = R"({
  "comment": "Fine-tunes a model in float, quantizes it, trains it on as an int8 model will compute, and writes both. Set corpus.path, dev_corpus.path and start.path.",
  "seed": 1,
  "out": "runs/fine-tune-int8",
  "nodes": {
    "corpus": {
      "comment": "what is trained on, with transcripts",
      "type": "manifest", "path": "data/train.jsonl", "max_duration_s": 20
    },
    "decode": { "type": "decode", "from": "corpus" },
    "resample": { "type": "resample", "from": "decode", "rate_hz": 16000 },
    "perturb": { "type": "speed_perturb", "from": "resample", "factors": [0.9, 1.0, 1.1] },
    "normalize": { "type": "normalize", "from": "perturb" },
    "augment": {
      "comment": "hides spans of time and channels from the model",
      "type": "spec_augment", "from": "normalize", "model": "start", "policy": "model"
    },
    "batch": {
      "comment": "as much as fits the memory",
      "type": "batch", "from": "augment", "max_padded_s": 64, "order": "length"
    },

    "dev_corpus": {
      "comment": "other speakers, never trained on: what the models are compared on",
      "type": "manifest", "path": "data/dev.jsonl"
    },
    "dev_decode": { "type": "decode", "from": "dev_corpus" },
    "dev_resample": { "type": "resample", "from": "dev_decode", "rate_hz": 16000 },
    "dev_normalize": { "type": "normalize", "from": "dev_resample" },
    "dev_batch": { "type": "batch", "from": "dev_normalize", "size": 1, "order": "corpus" },

    "start": {
      "comment": "a folder, or a model's id on the Hub; a vocabulary of your own is the key \"vocabulary\"",
      "type": "model", "path": "facebook/wav2vec2-base-960h"
    },
    "learn": {
      "comment": "in float",
      "type": "train", "model": "start", "audio": "batch", "epochs": 3,
      "lr": 5e-5, "warmup_share": 0.1, "clip_norm": 1.0
    },
    "keep": {
      "comment": "the float model, to quantize again or to compare with",
      "type": "checkpoint", "model": "learn", "folder": "float"
    },
    "observe": {
      "comment": "fake quantizers, with ranges from some batches",
      "type": "calibrate", "model": "keep", "audio": "batch", "batches": 16
    },
    "adapt": {
      "comment": "with fake quantization, which takes back most of what int8 costs",
      "type": "train", "model": "observe", "audio": "batch", "epochs": 1,
      "lr": 1e-5, "warmup_share": 0.1, "clip_norm": 1.0, "freeze_observers_at": 0.7
    },
    "save": {
      "comment": "a folder that training and transformers load",
      "type": "checkpoint", "model": "adapt"
    },
    "int8": {
      "comment": "the folder to ship",
      "type": "convert", "model": "save"
    },
    "wer": {
      "comment": "the table: what each step did to the error rate, the size and the speed",
      "type": "evaluate", "models": ["learn", "observe", "adapt", "int8"], "audio": "dev_batch"
    }
  }
}
)";

constexpr const char* quantize = R"({
  "comment": "Writes a float model as int8 with ranges from some speech, without training, and says what that costs. Set corpus.path, dev_corpus.path and start.path.",
  "seed": 1,
  "out": "runs/quantize",
  "nodes": {
    "corpus": {
      "comment": "speech like that which the model will hear; its transcripts are not read",
      "type": "manifest", "path": "data/train.jsonl", "max_duration_s": 20
    },
    "decode": { "type": "decode", "from": "corpus" },
    "resample": { "type": "resample", "from": "decode", "rate_hz": 16000 },
    "normalize": { "type": "normalize", "from": "resample" },
    "batch": { "type": "batch", "from": "normalize", "size": 4 },

    "dev_corpus": {
      "comment": "other speech, with transcripts",
      "type": "manifest", "path": "data/dev.jsonl"
    },
    "dev_decode": { "type": "decode", "from": "dev_corpus" },
    "dev_resample": { "type": "resample", "from": "dev_decode", "rate_hz": 16000 },
    "dev_normalize": { "type": "normalize", "from": "dev_resample" },
    "dev_batch": { "type": "batch", "from": "dev_normalize", "size": 1, "order": "corpus" },

    "start": {
      "comment": "a float model: a folder, or its id on the Hub",
      "type": "model", "path": "facebook/wav2vec2-base-960h"
    },
    "observe": {
      "comment": "qnnpack_clipped: ranges that leave the rare peaks of the convolutions out",
      "type": "calibrate", "model": "start", "audio": "batch", "batches": 16,
      "feature_extractor": "qnnpack_clipped", "attention": "fbgemm", "feed_forward": "fbgemm"
    },
    "int8": { "type": "convert", "model": "observe" },
    "wer": { "type": "evaluate", "models": ["start", "observe", "int8"], "audio": "dev_batch" }
  }
}
)";

}  // namespace

const std::vector<NewGraph>& new_graphs() {
  static const std::vector<NewGraph> graphs{
      {"data", "audio alone, up to batches", data},
      {"fine-tune", "training in float, as short as it can be", fine_tune},
      {"fine-tune-int8", "training in float and then for int8, with a table of what that costs",
       fine_tune_int8},
      {"quantize", "int8 without training", quantize},
  };
  return graphs;
}

}  // namespace flowqat::cli
