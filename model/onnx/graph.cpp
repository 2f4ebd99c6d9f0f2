#include "model/onnx/graph.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <exception>

#include "model/model.h"

namespace flowqat::model::onnx_export {
namespace {

/// Keeps what `sink` throws from passing through protobuf.
class SinkStream : public google::protobuf::io::CopyingOutputStream {
 public:
  explicit SinkStream(const OnnxExporter::Sink& sink) : sink_(sink) {}
  bool Write(const void* data, int size) override {
    try {
      sink_({static_cast<const std::byte*>(data), static_cast<size_t>(size)});
      return true;
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  const OnnxExporter::Sink& sink_;
  std::exception_ptr thrown_;
};

void set_dimensions(onnx::ValueInfoProto& info, int type, const Graph::Dimensions& dimensions) {
  auto* tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  for (const auto& dimension : dimensions) {
    auto* added = tensor->mutable_shape()->add_dim();
    if (const auto* size = std::get_if<int64_t>(&dimension)) added->set_dim_value(*size);
    if (const auto* name = std::get_if<std::string>(&dimension)) added->set_dim_param(*name);
  }
}

void set_value(onnx::AttributeProto& proto, const Attribute& attribute) {
  proto.set_name(attribute.name);
  if (const auto* integer = std::get_if<int64_t>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(*integer);
  } else if (const auto* number = std::get_if<float>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(*number);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(*text);
  } else {
    proto.set_type(onnx::AttributeProto::INTS);
    for (const int64_t size : std::get<std::vector<int64_t>>(attribute.value)) proto.add_ints(size);
  }
}

/// As ONNX's releases paired them (its docs/Versioning.md).
int64_t ir_version_of(int64_t opset) {
  if (opset < 19) return 8;
  if (opset < 21) return 9;
  return opset < 23 ? 10 : opset - 12;
}

int onnx_type(Graph::Type type) {
  switch (type) {
    case Graph::Type::int32:
      return onnx::TensorProto::INT32;
    case Graph::Type::int64:
      return onnx::TensorProto::INT64;
    case Graph::Type::float32:
      break;
  }
  return onnx::TensorProto::FLOAT;
}

}  // namespace

Graph::Graph(int64_t opset) : opset_(opset), model_(std::make_unique<onnx::ModelProto>()) {
  model_->set_ir_version(ir_version_of(opset));
  model_->set_producer_name("flowqat");
  model_->add_opset_import()->set_version(opset);
  model_->mutable_graph()->set_name("wav2vec2_ctc");
}

Graph::~Graph() = default;

std::string Graph::free_name(const std::string& wanted) {
  const int before = taken_[wanted]++;
  return before == 0 ? wanted : free_name(wanted + "_" + std::to_string(before + 1));
}

Value Graph::input(const std::string& name, Type type, const Dimensions& dimensions) {
  auto* info = model_->mutable_graph()->add_input();
  info->set_name(free_name(name));
  set_dimensions(*info, onnx_type(type), dimensions);
  return info->name();
}

void Graph::output(const Value& value, const std::string& name, const Dimensions& dimensions) {
  auto* info = model_->mutable_graph()->add_output();
  info->set_name(free_name(name));
  set_dimensions(*info, onnx::TensorProto::FLOAT, dimensions);
  for (auto& node : *model_->mutable_graph()->mutable_node()) {
    if (node.output(0) == value) node.set_output(0, info->name());
  }
}

Value Graph::node(const char* type, const Values& inputs, const std::string& name,
                  const Attributes& attributes) {
  auto* node = model_->mutable_graph()->add_node();
  node->set_op_type(type);
  node->set_name(free_name(name));
  for (const Value& input : inputs) node->add_input(input);
  for (const Attribute& attribute : attributes) set_value(*node->add_attribute(), attribute);
  node->add_output(node->name());
  return node->name();
}

Value Graph::as_int64(const Value& x, const std::string& name) {
  return node("Cast", {x}, name, {{"to", int64_t{onnx::TensorProto::INT64}}});
}

template <class T>
Value Graph::add_constant(const std::string& name, int type, const Shape& shape,
                          const std::vector<T>& values) {
  auto* tensor = model_->mutable_graph()->add_initializer();
  tensor->set_name(free_name(name));
  tensor->set_data_type(type);
  for (const int64_t size : shape) tensor->add_dims(size);
  tensor->set_raw_data(values.data(), values.size() * sizeof(T));
  return tensor->name();
}

Value Graph::constant(const std::string& name, const Shape& shape,
                      const std::vector<float>& values) {
  return add_constant(name, onnx::TensorProto::FLOAT, shape, values);
}
Value Graph::constant(const std::string& name, const Shape& shape,
                      const std::vector<int64_t>& values) {
  return add_constant(name, onnx::TensorProto::INT64, shape, values);
}
Value Graph::constant(const std::string& name, const Shape& shape,
                      const std::vector<int32_t>& values) {
  return add_constant(name, onnx::TensorProto::INT32, shape, values);
}
Value Graph::constant(const std::string& name, const Shape& shape,
                      const std::vector<int8_t>& values) {
  return add_constant(name, onnx::TensorProto::INT8, shape, values);
}
Value Graph::constant(const std::string& name, const Shape& shape,
                      const std::vector<uint8_t>& values) {
  return add_constant(name, onnx::TensorProto::UINT8, shape, values);
}

void Graph::write(const OnnxExporter::Sink& sink) const {
  const size_t bytes = model_->ByteSizeLong();
  if (bytes > static_cast<size_t>(kLargestFile)) refuse_size(static_cast<int64_t>(bytes));
  SinkStream stream(sink);
  bool written = false;
  {
    google::protobuf::io::CopyingOutputStreamAdaptor adaptor(&stream);
    written = model_->SerializeToZeroCopyStream(&adaptor) && adaptor.Flush();
  }
  stream.rethrow();
  if (!written) throw Error("the ONNX graph could not be serialized by protobuf");
}

void refuse_size(int64_t bytes) {
  throw Error("an ONNX file holds at most " + std::to_string(kLargestFile) +
              " bytes, but this model takes " + std::to_string(bytes) +
              "; export an int8 model instead");
}

}  // namespace flowqat::model::onnx_export
