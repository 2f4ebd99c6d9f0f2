/// LibTorch's exceptions end here: whoever calls the model room sees model::Error alone.
#pragma once
#include <utility>

namespace flowqat::model {

/// Throws the exception that is being handled again: c10::Error (without its C++ backtrace) and
/// JSON errors and lack of memory as Error, led by `doing`; others as they are.
[[noreturn]] void rethrow_at_boundary(const char* doing);

/// Runs `call`; its failures leave as rethrow_at_boundary() says.
template <class Call>
auto at_boundary(const char* doing, Call&& call) -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (...) {
    rethrow_at_boundary(doing);
  }
}

}  // namespace flowqat::model
