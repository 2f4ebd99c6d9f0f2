#pragma once
#include <filesystem>

namespace flowqat::cli {

/// A fake-quantized folder as an int8 one, which goes with the object. This program's `convert`
/// makes it in a process of its own: conversion needs LibTorch, whose protobuf and ONNX's are two
/// of a kind. Signals that ask to stop must be caught (signals.h), so that the folder is removed.
class ConvertedFolder {
 public:
  /// Throws RunError with what the conversion said, OutputError or WriteError where it cannot be
  /// written, and Interrupted.
  explicit ConvertedFolder(const std::filesystem::path& fake_quantized);
  ~ConvertedFolder();
  ConvertedFolder(const ConvertedFolder&) = delete;
  ConvertedFolder& operator=(const ConvertedFolder&) = delete;
  std::filesystem::path path() const { return parent_ / "int8"; }

 private:
  std::filesystem::path parent_;  ///< of its own, among the system's temporary files
};

}  // namespace flowqat::cli
