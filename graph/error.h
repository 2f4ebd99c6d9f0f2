#pragma once
#include <stdexcept>

namespace flowqat::graph {

/// A graph that cannot be run as it stands, or a command line that asks for what cannot be: found
/// before anything is read or trained. The program ends with status 2. The text names file, node
/// and key, what was found, and what is allowed.
class GraphError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A run that failed although its graph is sound: no utterance left, a folder that cannot be
/// written. Status 1.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown by a transform that cannot use one utterance; the engine counts and lists it and goes on.
/// The text says what was found in which file.
class Rejection : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A signal asked the run to end; what was computed has been saved.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal_number)
      : std::runtime_error("interrupted"), signal_number(signal_number) {}
  int signal_number;
};

}  // namespace flowqat::graph
