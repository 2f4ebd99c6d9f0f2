#pragma once
#include <stdexcept>
#include <string>

#include "base/message.h"

namespace flowqat::graph {

/// A graph that cannot be run as it stands, or a command line that asks for what cannot be: found
/// before anything is read or trained. The program ends with status 2. The text names file, node
/// and key, what was found, and what is allowed.
class GraphError : public std::runtime_error {
 public:
  explicit GraphError(const std::string& what) : std::runtime_error(message(what)) {}
};

/// A run that failed although its graph is sound: no utterance left, a folder that cannot be
/// written. Status 1.
class RunError : public std::runtime_error {
 public:
  explicit RunError(const std::string& what) : std::runtime_error(message(what)) {}
};

/// Thrown by a transform that cannot use one utterance; the engine counts and lists it and goes on.
/// The text says what was found in which file.
class Rejection : public std::runtime_error {
 public:
  explicit Rejection(const std::string& what) : std::runtime_error(message(what)) {}
};

/// A signal asked the run to end; what was computed has been saved.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal_number)
      : std::runtime_error("interrupted"), signal_number(signal_number) {}
  int signal_number;
};

}  // namespace flowqat::graph
