#pragma once
#include "io/files/error.h"

namespace flowqat::io {

/// A file that cannot be written: a full disk, or a folder without the right to write.
class WriteError : public Error {
 public:
  using Error::Error;
};

}  // namespace flowqat::io
