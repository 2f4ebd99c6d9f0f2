#include "nodes/training/teacher.h"

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::nodes {

void check_teacher(const ModelStep& student, const ModelStep* teacher,
                   const model::TrainOptions& options) {
  if (teacher == nullptr) {
    if (options.distillation_weight == 0) return;
    throw graph::GraphError(
        "key \"distillation_weight\": needs the key \"teacher\", a node whose model teaches");
  }
  if (options.distillation_weight == 0) {
    throw graph::GraphError(
        "key \"teacher\": needs a \"distillation_weight\" above 0, such as 1; with 0 it would "
        "teach nothing");
  }
  if (!student.knows_config() || !teacher->knows_config()) return;  // again when they are here
  const model::Config &own = student.config(), &other = teacher->config();
  if (own.vocab_size != other.vocab_size || own.pad_token_id != other.pad_token_id) {
    throw graph::GraphError(graph::format(
        "key \"teacher\": must have the model's vocabulary, %lld tokens with blank %lld; \"%s\" "
        "has %lld tokens with blank %lld",
        static_cast<long long>(own.vocab_size), static_cast<long long>(own.pad_token_id),
        teacher->name().c_str(), static_cast<long long>(other.vocab_size),
        static_cast<long long>(other.pad_token_id)));
  }
  if (own.conv_kernel != other.conv_kernel || own.conv_stride != other.conv_stride) {
    throw graph::GraphError("key \"teacher\": \"" + teacher->name() +
                            "\" makes other frames than the model: conv_kernel and conv_stride of "
                            "their config.json must be equal");
  }
  const auto differs = [&](const char* what) {
    throw graph::GraphError("key \"teacher\": \"" + teacher->name() +
                            "\" and the model have different " + what +
                            ", but both hear the same audio and name the same tokens");
  };
  if (teacher->tokenizer().tokens() != student.tokenizer().tokens()) differs("tokens (vocab.json)");
  if (teacher->extractor().rate_hz != student.extractor().rate_hz ||
      teacher->extractor().do_normalize != student.extractor().do_normalize) {
    differs("sampling_rate or do_normalize (preprocessor_config.json)");
  }
}

}  // namespace flowqat::nodes
