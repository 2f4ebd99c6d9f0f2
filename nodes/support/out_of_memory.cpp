#include "nodes/support/out_of_memory.h"

#include "graph/error.h"
#include "graph/plain_numbers.h"
#include "nodes/support/named_utterances.h"

namespace flowqat::nodes {

std::string rows_text(const std::vector<const graph::Row*>& rows) {
  double audio_s = 0;
  for (const graph::Row* row : rows) audio_s += row->entry->shape.seconds();
  return graph::counted(std::ssize(rows), "utterance") + " (" + named_utterances(ids_of(rows)) +
         "; " + graph::duration_text(audio_s) + " of audio)";
}

void throw_out_of_memory(const std::string& node, const std::vector<const graph::Row*>& rows,
                         const model::OutOfMemory& error) {
  throw graph::RunError("node \"" + node + "\": the device has not the memory for " +
                        rows_text(rows) + " (" + error.what() +
                        "). Use a device with more, or \"cpu\"; or leave long utterances out with "
                        "\"max_duration_s\" of the corpus");
}

}  // namespace flowqat::nodes
