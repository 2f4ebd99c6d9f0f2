#pragma once
#include <string>
#include <utility>
#include <vector>

#include "graph/message.h"
#include "model/model.h"

namespace flowqat::nodes {

/// "3 utterances (a, b, c; 12.5 s of audio)"
std::string rows_text(const std::vector<const graph::Row*>& rows);

/// Throws RunError: the device has not the memory for the rows, and what to do.
[[noreturn]] void throw_out_of_memory(const std::string& node,
                                      const std::vector<const graph::Row*>& rows,
                                      const model::OutOfMemory& error);

/// What a model does with rows without training on them; OutOfMemory leaves as RunError.
template <class Call>
auto within_memory(const std::string& node, const std::vector<const graph::Row*>& rows, Call&& call)
    -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (const model::OutOfMemory& error) {
    throw_out_of_memory(node, rows, error);
  }
}

}  // namespace flowqat::nodes
