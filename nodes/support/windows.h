/// Windows of recordings, as the nodes and commands name them.
#pragma once
#include "graph/message.h"
#include "recognizer/windows.h"

namespace flowqat::nodes {

using recognizer::Window;
using recognizer::WindowShape;

inline std::vector<Window> windows_of(const graph::Shape& recording, const WindowShape& shape) {
  return recognizer::windows_of(recording.samples, recording.rate_hz, shape);
}

}  // namespace flowqat::nodes
