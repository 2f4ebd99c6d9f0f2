/// Checkpoints of transformers' other wav2vec2 classes, read as one of Wav2Vec2ForCTC.
#pragma once
#include <string>
#include <vector>

#include "model/model.h"

namespace flowqat::model {

/// The tensors under Wav2Vec2ForCTC's names: those of a bare Wav2Vec2Model get the prefix
/// "wav2vec2.", and pretraining's own head (quantizer, project_q, project_hid), which fine-tuning
/// has no use for, is left out, with a note.
Tensors as_ctc_state(const Tensors& tensors, std::vector<std::string>& notes);

/// Whether a head is to be drawn, in which case the file's own is taken out of `tensors`; with a
/// note. A head of which only a part is there, or for another width, is left to the loader's
/// complaints.
bool take_head_out(Tensors& tensors, const Config& config, Head head,
                   std::vector<std::string>& notes);

}  // namespace flowqat::model
