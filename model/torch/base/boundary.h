/// LibTorch's exceptions end here: whoever calls the model room sees model::Error alone.
#pragma once
#include <exception>
#include <string>
#include <utility>

namespace flowqat::model {

/// Whether it tells that a device has no memory left, by type or, where a library of NVIDIA's gave
/// it, by text.
bool tells_of_full_device(const std::exception& error);

/// What LibTorch says of memory that it could not get, in words for people; all else as it is, but
/// without its C++ backtrace.
std::string plain_text(const std::exception& error);

/// Throws the exception that is being handled again: a full device as OutOfMemory, c10::Error
/// (without its C++ backtrace), JSON errors and lack of memory as Error, led by `doing`; others as
/// they are.
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
