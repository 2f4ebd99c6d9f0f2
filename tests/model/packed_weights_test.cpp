#include "model/packed_weights.h"

#include <cstring>

#include "model/model.h"
#include "tests/catch.h"

using namespace flowqat::model;

namespace {

template <class Number>
Tensor tensor(const char* dtype, std::vector<int64_t> shape, const std::vector<Number>& values) {
  return {"w", dtype, std::move(shape), std::as_bytes(std::span(values)), nullptr};
}

}  // namespace

TEST_CASE("two weights of four bits a byte, the first in the low half, each row from a byte on") {
  const std::vector<int8_t> weights{-8, 7, 1, 0, -1, 5};  // [2, 3, 1]
  CHECK(packed_shape({2, 3, 1}) == std::vector<int64_t>{2, 2});
  CHECK(packed_shape({5, 4}) == std::vector<int64_t>{5, 2});
  CHECK(packed_shape({3, 1}) == std::vector<int64_t>{3, 1});
  const std::vector<uint8_t> packed = pack_weights(weights, 2);
  CHECK(packed == std::vector<uint8_t>{0x78, 0x01, 0xf0, 0x05});
  std::vector<int8_t> back(6);
  unpack_weights(packed, 2, back);
  CHECK(back == weights);
}

TEST_CASE("every pair of weights survives packing, in rows of any length") {
  std::vector<int8_t> weights;
  for (int a = -8; a < 8; ++a) {
    for (int b = -8; b < 8; ++b) weights.insert(weights.end(), {int8_t(a), int8_t(b), int8_t(-1)});
  }
  for (const int64_t rows : {1, 2, 256, 768}) {
    const int64_t length = std::ssize(weights) / rows;
    const std::vector<uint8_t> packed = pack_weights(weights, rows);
    CHECK(std::ssize(packed) == rows * ((length + 1) / 2));
    CHECK(stored_weight(tensor("U8", packed_shape({rows, length}), packed), {rows, length}, 4) ==
          weights);
  }
  CHECK(pack_weights({}, 0).empty());
}

TEST_CASE("a stored weight of another type, shape or size is refused by the tensor's name") {
  const std::vector<int8_t> eight{-128, 127, 0, 1};
  CHECK(stored_weight(tensor("I8", {2, 2}, eight), {2, 2}, 8) == eight);
  const auto refusal = [](const Tensor& stored, const std::vector<int64_t>& shape, int bits) {
    try {
      stored_weight(stored, shape, bits);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refusal(tensor("I8", {2, 2}, eight), {2, 2}, 7) ==
        "tensor \"w\": expected integers from -64 to 63, found -128");
  CHECK(refusal(tensor("I8", {2, 2}, std::vector<int8_t>{0, 16, 0, 0}), {2, 2}, 5) ==
        "tensor \"w\": expected integers from -16 to 15, found 16");
  CHECK(refusal(tensor("I8", {2, 2}, eight), {2, 2}, 4) ==
        "tensor \"w\": expected U8 [2, 1] for weights of 4 bits, found I8 [2, 2]");
  CHECK(refusal(tensor("U8", {2, 1}, std::vector<uint8_t>{1, 2}), {2, 2}, 8) ==
        "tensor \"w\": expected I8 [2, 2] for weights of 8 bits, found U8 [2, 1]");
  CHECK_THAT(refusal(tensor("U8", {2, 1}, std::vector<uint8_t>{1}), {2, 2}, 4),
             ContainsSubstring("1 bytes, which do not fill U8 [2, 1]"));
  CHECK_THAT(refusal(tensor("I8", {2, 2}, eight), {int64_t{1} << 62, 4}, 8),
             ContainsSubstring("found I8 [2, 2]"));
  CHECK_THAT(refusal(tensor("U8", {2, 1}, eight), {int64_t{1} << 62, 4}, 4),
             ContainsSubstring("at most 2^40 weights"));
  CHECK_THAT(refusal(tensor("U8", {2, 1}, eight), {}, 4), ContainsSubstring("found none"));
  CHECK_THROWS_WITH(pack_weights(eight, 2), ContainsSubstring("from -8 to 7, found -128"));
}
