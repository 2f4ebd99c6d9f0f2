#include "io/tensors/safetensors.h"

#include <cstring>
#include <map>

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

const std::filesystem::path golden =
    std::filesystem::path(FLOWQAT_SOURCE_DIR) / "tests/golden/safetensors.safetensors";

std::string file_of(const std::string& header, const std::string& data) {
  std::string out(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(out.data(), &length, sizeof length);
  return out + header + data;
}

template <typename T>
std::vector<T> values_of(const Tensor& tensor) {
  std::vector<T> out(tensor.bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

Tensor floats(const std::string& name, const std::vector<float>& values) {
  auto owner = std::make_shared<std::vector<float>>(values);
  return {
      name, "F32", {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(*owner)), owner};
}

}  // namespace

TEST_CASE("a file of the reference implementation is read as it was written") {
  std::map<std::string, Tensor> tensors;
  for (Tensor& tensor : read_safetensors(golden)) tensors[tensor.name] = std::move(tensor);
  REQUIRE(tensors.size() == 10);
  CHECK(tensors["weight"].shape == std::vector<int64_t>{2, 3});
  CHECK(values_of<float>(tensors["weight"]) == std::vector<float>{0, .25f, .5f, .75f, 1, 1.25f});
  CHECK(values_of<int8_t>(tensors["weight_int8"]) == std::vector<int8_t>{-128, 127, 0});
  CHECK(values_of<int64_t>(tensors["count"]) == std::vector<int64_t>{7});
  CHECK(tensors["count"].shape.empty());
  CHECK(values_of<int32_t>(tensors["ids"]) == std::vector<int32_t>{-1, 2});
  CHECK(values_of<double>(tensors["Größe"]) == std::vector<double>{3});
  CHECK(tensors["half"].dtype == "F16");
  CHECK(tensors["brain"].dtype == "BF16");
  CHECK(tensors["flags"].dtype == "BOOL");
  CHECK(tensors["empty"].shape == std::vector<int64_t>{0, 4});
  CHECK(tensors["empty"].bytes.empty());
}

TEST_CASE("writing what was read gives the reference implementation's file byte for byte") {
  TemporaryFolder folder;
  const auto tensors = read_safetensors(golden);
  write_safetensors(folder / "again.safetensors", tensors);
  const std::string bytes = read_bytes(folder / "again.safetensors");
  CHECK(bytes == read_bytes(golden));
  CHECK(safetensors_bytes(tensors) == static_cast<int64_t>(bytes.size()));
}

TEST_CASE("a file may be replaced while its tensors are in use") {
  TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  write_safetensors(path, {floats("a", {1, 2, 3})});
  const auto before = read_safetensors(path);
  write_safetensors(path, {floats("a", {4, 5, 6})});
  CHECK(values_of<float>(before[0]) == std::vector<float>{1, 2, 3});
  CHECK(values_of<float>(read_safetensors(path)[0]) == std::vector<float>{4, 5, 6});
}

TEST_CASE("what the format forbids is an error that names file and tensor") {
  TemporaryFolder folder;
  const auto path = folder / "bad.safetensors";
  const std::string eight(8, 'x');
  const auto entry = [](const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
           ",\"data_offsets\":" + offsets + "}";
  };
  struct Row {
    std::string content, message;
  };
  const std::vector<Row> rows{
      {"abc", "at least 8 bytes, found 3"},
      {std::string(8, '\xff') + "{}", "the header claims"},
      {file_of("{}", "").replace(0, 1, "\x09"), "the header claims 9 bytes"},
      {file_of("[1]", ""), "not a JSON object"},
      {file_of("{\"a\":", ""), "not a JSON object"},
      {file_of(" {}", ""), "not a JSON object"},
      {file_of("{\"a\":3}", ""), "tensor \"a\": expected an object"},
      {file_of("{" + entry("a", "F31", "[2]", "[0,8]") + "}", eight), "known dtype"},
      {file_of("{" + entry("a", "F32", "[-2]", "[0,8]") + "}", eight),
       "\"shape\": expected integers"},
      {file_of("{" + entry("a", "F32", "[2.0]", "[0,8]") + "}", eight),
       "\"shape\": expected integers"},
      {file_of("{" + entry("a", "F32", "[3]", "[0,8]") + "}", eight), "takes 12 bytes"},
      {file_of("{" + entry("a", "F32", "[4611686018427387904,4]", "[0,0]") + "}", ""), "too many"},
      {file_of("{" + entry("a", "F32", "[2]", "[0]") + "}", eight), "expected [begin, end]"},
      {file_of("{" + entry("a", "F32", "[2]", "[8,0]") + "}", eight), "expected [begin, end]"},
      {file_of("{" + entry("a", "F32", "[2]", "[0,8]") + "}", "1234"), "ends at byte 8"},
      {file_of("{" + entry("a", "F32", "[2]", "[0,8]") + "}", eight + "1"), "end at byte 8"},
      {file_of("{" + entry("a", "F32", "[1]", "[4,8]") + "}", eight), "leaves a gap"},
      {file_of(
           "{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[1]", "[4,8]") + "}",
           eight),
       "tensor \"b\": overlaps"},
  };
  for (const Row& row : rows) {
    write_bytes(path, row.content);
    const auto text = error_of([&] { read_safetensors(path); });
    CHECK_THAT(text, ContainsSubstring(row.message));
    CHECK_THAT(text, ContainsSubstring(path.string()));
  }
}

TEST_CASE("tensors that cannot be stored are refused and leave no file") {
  TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  Tensor wrong = floats("a", {1, 2});
  wrong.shape = {3};
  CHECK_THAT(error_of([&] { write_safetensors(path, {wrong}); }),
             ContainsSubstring("takes 12 bytes"));
  CHECK_THAT(error_of([&] {
               write_safetensors(path, {floats("a", {1}), floats("a", {2})});
             }),
             ContainsSubstring("there twice"));
  Tensor unknown = floats("a", {1});
  unknown.dtype = "F31";
  CHECK_THAT(error_of([&] { write_safetensors(path, {unknown}); }), ContainsSubstring("F31"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a model's weights come from one file or from the shards of its index") {
  TemporaryFolder folder;
  CHECK_THAT(error_of([&] { read_model_weights(folder.path()); }),
             ContainsSubstring("found neither"));
  write_bytes(folder / "pytorch_model.bin", "pickle");
  CHECK_THAT(error_of([&] { read_model_weights(folder.path()); }),
             ContainsSubstring("only pytorch_model.bin") && ContainsSubstring("save_file"));

  write_safetensors(folder / "part-1.safetensors", {floats("a", {1}), floats("b", {2})});
  write_safetensors(folder / "part-2.safetensors", {floats("c", {3})});
  const auto index = folder / "model.safetensors.index.json";
  const auto with_map = [&](const std::string& map) {
    write_bytes(index, "{\"metadata\": {}, \"weight_map\": {" + map + "}}");
  };
  const std::string sound =
      "\"a\": \"part-1.safetensors\", \"b\": \"part-1.safetensors\", \"c\": \"part-2.safetensors\"";
  with_map(sound);
  const auto tensors = read_model_weights(folder.path());
  REQUIRE(tensors.size() == 3);
  CHECK(tensors[2].name == "c");
  CHECK(values_of<float>(tensors[2]) == std::vector<float>{3});
  with_map(sound + ", \"d\": \"part-2.safetensors\"");
  CHECK_THAT(error_of([&] { read_model_weights(folder.path()); }),
             ContainsSubstring("\"d\" is missing"));
  with_map("\"a\": \"../a.safetensors\"");
  CHECK_THAT(error_of([&] { read_model_weights(folder.path()); }),
             ContainsSubstring("a file beside the index"));
  write_bytes(index, "[]");
  CHECK_THAT(error_of([&] { read_model_weights(folder.path()); }), ContainsSubstring("weight_map"));

  write_safetensors(folder / "model.safetensors", {floats("whole", {1})});
  CHECK(read_model_weights(folder.path())[0].name == "whole");
}
