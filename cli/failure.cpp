#include "cli/failure.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <string_view>
#include <system_error>

#include "base/message.h"
#include "cli/commands.h"
#include "cli/ranks.h"
#include "cli/text_width.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/output_error.h"
#include "io/files/write_error.h"

namespace flowqat::cli {
namespace {

/// As it is limited: a batch job may have less than the machine.
std::string out_of_memory() {
  std::string text = "out of memory";
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) continue;
    text += graph::format(": this process may have %.0f MB (ulimit -%s)",
                          1e-6 * static_cast<double>(limit.rlim_cur),
                          resource == RLIMIT_AS ? "v" : "d");
    break;
  }
  return text + "; give it more, or take smaller batches, a shorter queue or fewer threads";
}

std::string text_of(const std::filesystem::filesystem_error& error) {
  std::string paths = error.path1().string();
  if (!error.path2().empty()) paths += " to " + error.path2().string();
  return paths + (paths.empty() ? "" : ": ") + error.code().message();
}

/// Only who writes meets these.
bool is_lack_of_room(const std::error_code& code) {
  return code == std::errc::no_space_on_device || code == std::errc::read_only_file_system ||
         code == std::errc::file_too_large ||
         code == std::error_code(EDQUOT, std::generic_category());
}

Failure kind_of_current() {
  try {
    throw;
  } catch (const graph::GraphError& error) {
    return {kBadUsage, error.what()};
  } catch (const graph::Interrupted& interrupted) {
    return {128 + interrupted.signal_number, "interrupted"};
  } catch (const graph::OutputError& error) {
    return {kCannotWrite, error.what()};
  } catch (const io::WriteError& error) {
    return {kCannotWrite, error.what()};
  } catch (const std::filesystem::filesystem_error& error) {
    return {is_lack_of_room(error.code()) ? kCannotWrite : kFailed, text_of(error)};
  } catch (const std::bad_alloc&) {
    return {kFailed, out_of_memory()};
  } catch (const std::exception& error) {
    return {kFailed, error.what()};
  } catch (...) {
    return {kFailed, "an unknown error"};
  }
}

[[noreturn]] void terminate() {
  static bool is_told = false;  // by the first thread that came here
  if (is_told) ::_exit(kFailed);
  is_told = true;
  Failure failure{kFailed, "ended by an error that nothing was told of"};
  if (std::current_exception()) {
    try {
      failure = current_failure();
    } catch (...) {
      failure.message = "out of memory";
    }
  }
  for (const std::string_view part :
       {std::string_view("flowqat: "), std::string_view(failure.message), std::string_view("\n")}) {
    [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, part.data(), part.size());
  }
  ::_exit(failure.status);
}

}  // namespace

Failure current_failure() {
  Failure failure = kind_of_current();
  const std::string text = message(failure.message);
  // A message may quote what is in files. Those on a graph may have a line for each mistake.
  failure.message = failure.status == kBadUsage ? printable_lines(text) : printable(text);
  return failure;
}

void tell(const Failure& failure) {
  std::cerr << "flowqat: " << rank_prefix() << failure.message << std::endl;
}

void tell_unhandled_failures() { std::set_terminate(terminate); }

}  // namespace flowqat::cli
