#pragma once
#include <string>

namespace flowqat::cli {

/// What became of the program: its exit status, and what a person is told.
struct Failure {
  int status;
  std::string message;
};

/// Of the exception that is being handled.
Failure current_failure();

/// On standard error, with the rank that this process has among others.
void tell(const Failure& failure);

/// Ends the program with such a message, and without a core dump, where an exception has no one to
/// handle it: on a thread of a library's own, for lack of memory.
void tell_unhandled_failures();

}  // namespace flowqat::cli
