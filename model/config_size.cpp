#include "model/config_size.h"

namespace flowqat::model {

double parameters_of(const Config& config) {
  double all = 0, inputs = 1;
  for (size_t i = 0; i < config.conv_dim.size(); ++i) {
    const auto outputs = static_cast<double>(config.conv_dim[i]);
    all += inputs * outputs * static_cast<double>(config.conv_kernel[i]);
    inputs = outputs;
  }
  const auto hidden = static_cast<double>(config.hidden_size);
  all += inputs * hidden + hidden * hidden * static_cast<double>(config.num_conv_pos_embeddings) /
                               static_cast<double>(config.num_conv_pos_embedding_groups);
  all += static_cast<double>(config.num_hidden_layers) *
         (4 * hidden * hidden + 2 * hidden * static_cast<double>(config.intermediate_size));
  return all + hidden * static_cast<double>(config.vocab_size);
}

}  // namespace flowqat::model
