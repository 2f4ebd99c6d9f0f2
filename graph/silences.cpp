#include "graph/silences.h"

namespace flowqat::graph {

void Silences::add(const Row& row) {
  if (!utterances_.insert(row.entry->id).second) return;
  if (utterances_.size() <= named) {
    say_("silence: " + row.entry->path + ": every sample of " + row.entry->id + " is zero");
  } else if (utterances_.size() == named + 1) {
    say_("silence: more utterances; they are counted");
  }
}

}  // namespace flowqat::graph
