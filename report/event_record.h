/// Records of the files that TensorBoard reads: a TFRecord around a protobuf message
/// tensorflow.Event. The few fields of it that are needed are written by hand: a process has
/// LibTorch's protobuf or ONNX's in it, and a third copy would clash with either.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace flowqat::report {

/// A number under a name; TensorBoard makes groups of names by what is before the first '/'.
struct Scalar {
  std::string tag;
  double value;
};

/// The first record of a file. `time_s`: seconds since 1970.
std::string version_record(double time_s);
/// Any number of scalars at one step.
std::string scalars_record(double time_s, int64_t step, const std::vector<Scalar>& scalars);

/// When each record of a file was written, up to the first that is damaged or incomplete; none
/// where the file cannot be read.
std::vector<double> record_times(const std::filesystem::path& path);

}  // namespace flowqat::report
