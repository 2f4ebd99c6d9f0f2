/// An ONNX graph while it is drawn: the one place that knows ONNX's protobuf definitions.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "model/onnx/weights.h"
#include "model/onnx_exporter.h"

namespace onnx {
class ModelProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace flowqat::model::onnx_export {

struct Attribute {
  const char* name;
  std::variant<int64_t, float, std::string, std::vector<int64_t>> value;
};
using Attributes = std::vector<Attribute>;

/// A value is what a node or the graph's input gives, or a constant; it is known by its name.
using Value = std::string;
using Values = std::vector<Value>;

class Graph {
 public:
  /// The file declares to need `opset`, and the oldest version of the format that has it.
  explicit Graph(int64_t opset);
  ~Graph();

  /// Dimensions are numbers or, where they may differ from run to run, names.
  using Dimensions = std::vector<std::variant<int64_t, std::string>>;
  enum class Type { float32, int32, int64 };
  Value input(const std::string& name, Type type, const Dimensions& dimensions);
  /// `value` becomes the graph's output, under a name of its own.
  void output(const Value& value, const std::string& name, const Dimensions& dimensions);
  int64_t opset() const { return opset_; }

  /// `x` as integers of 64 bits.
  Value as_int64(const Value& x, const std::string& name);
  /// A node with one output. `name` is its name and its output's, with a number where it is taken.
  Value node(const char* type, const Values& inputs, const std::string& name,
             const Attributes& attributes = {});

  /// Constants; an empty shape is a single value.
  Value constant(const std::string& name, const Shape& shape, const std::vector<float>& values);
  Value constant(const std::string& name, const Shape& shape, const std::vector<int64_t>& values);
  Value constant(const std::string& name, const Shape& shape, const std::vector<int32_t>& values);
  Value constant(const std::string& name, const Shape& shape, const std::vector<int8_t>& values);
  Value constant(const std::string& name, const Shape& shape, const std::vector<uint8_t>& values);

  /// Throws Error if the file would be larger than protobuf can write (2 GiB).
  void write(const OnnxExporter::Sink& sink) const;

 private:
  std::string free_name(const std::string& wanted);
  template <class T>
  Value add_constant(const std::string& name, int type, const Shape& shape,
                     const std::vector<T>& values);

  int64_t opset_;
  std::unique_ptr<onnx::ModelProto> model_;
  std::map<std::string, int> taken_;
};

/// The largest file that protobuf writes and reads, in bytes.
constexpr int64_t kLargestFile = 0x7fffffff;
[[noreturn]] void refuse_size(int64_t bytes);

}  // namespace flowqat::model::onnx_export
