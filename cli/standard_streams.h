#pragma once
#include <string>

namespace flowqat::cli {

/// Where the program was started with a standard stream closed, gives it a place that can be
/// neither read nor written: the next file that is opened would take that place, and receive what
/// is printed. A pipe that nobody reads and a file that grows beyond a limit become errors that can
/// be told.
void settle_standard_streams();

/// Writes all of `text` to standard output, waits for room where it must. Throws OutputError with
/// the reason.
void write_standard_output(const std::string& text);

/// To be called when all is written: some file systems tell only now that they had no room. Throws
/// OutputError.
void close_standard_output();

}  // namespace flowqat::cli
