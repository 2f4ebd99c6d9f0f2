#include "report/event_record.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <string_view>

#include "report/crc32c.h"

namespace flowqat::report {
namespace {

// What stands before a field, of the protobuf wire format: its number and how it is written.
enum Wire : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto
constexpr int event_wall_time = 1, event_step = 2, event_file_version = 3, event_summary = 5;
constexpr int summary_value = 1;
constexpr int value_tag = 1, value_simple_value = 2;

constexpr size_t length_bytes = 8, crc_bytes = 4;
constexpr uint64_t most_bytes = 64'000'000;  // of a record that is read

template <class Number>
std::string little_endian(Number number) {
  std::string text;
  for (size_t byte = 0; byte < sizeof(Number); ++byte) {
    text += static_cast<char>(number >> (8 * byte) & 0xff);
  }
  return text;
}

template <class Number>
Number from_little_endian(std::string_view text) {
  Number number = 0;
  for (size_t byte = 0; byte < sizeof(Number); ++byte) {
    number |= static_cast<Number>(static_cast<unsigned char>(text[byte])) << (8 * byte);
  }
  return number;
}

void add_varint(std::string& message, uint64_t number) {
  for (; number >= 0x80; number >>= 7) message += static_cast<char>(number | 0x80);
  message += static_cast<char>(number);
}

void add_key(std::string& message, int field, Wire wire) {
  add_varint(message, static_cast<uint64_t>(field) << 3 | wire);
}

void add_double(std::string& message, int field, double value) {
  add_key(message, field, fixed64);
  message += little_endian(std::bit_cast<uint64_t>(value));
}

void add_float(std::string& message, int field, float value) {
  add_key(message, field, fixed32);
  message += little_endian(std::bit_cast<uint32_t>(value));
}

void add_bytes(std::string& message, int field, std::string_view text) {
  add_key(message, field, bytes);
  add_varint(message, text.size());
  message += text;
}

/// The length, its checksum, the message, its checksum
/// (https://www.tensorflow.org/tutorials/load_data/tfrecord).
std::string record(const std::string& message) {
  const std::string length = little_endian(static_cast<uint64_t>(message.size()));
  return length + little_endian(masked_crc32c(length)) + message +
         little_endian(masked_crc32c(message));
}

std::string event(double time_s) {
  std::string message;
  add_double(message, event_wall_time, time_s);
  return message;
}

/// Of a message that event() began.
bool read_time(std::string_view message, double& time_s) {
  if (message.size() < 9 || message[0] != (event_wall_time << 3 | fixed64)) return false;
  time_s = std::bit_cast<double>(from_little_endian<uint64_t>(message.substr(1)));
  return true;
}

}  // namespace

std::string version_record(double time_s) {
  std::string message = event(time_s);
  add_bytes(message, event_file_version, "brain.Event:2");
  return record(message);
}

std::string scalars_record(double time_s, int64_t step, const std::vector<Scalar>& scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    add_bytes(value, value_tag, scalar.tag);
    add_float(value, value_simple_value, static_cast<float>(scalar.value));
    add_bytes(summary, summary_value, value);
  }
  std::string message = event(time_s);
  add_key(message, event_step, varint);
  add_varint(message, static_cast<uint64_t>(step));
  add_bytes(message, event_summary, summary);
  return record(message);
}

std::vector<double> record_times(const std::filesystem::path& path) {
  std::vector<double> times;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  const auto next = [&](size_t size) {
    text.resize(size);
    return static_cast<bool>(file.read(text.data(), static_cast<std::streamsize>(size)));
  };
  while (next(length_bytes + crc_bytes)) {
    const std::string_view head = text;
    const auto length = from_little_endian<uint64_t>(head);
    const auto crc = from_little_endian<uint32_t>(head.substr(length_bytes));
    if (crc != masked_crc32c(head.substr(0, length_bytes)) || length > most_bytes) break;
    if (!next(length + crc_bytes)) break;
    const std::string_view message = std::string_view(text).substr(0, length);
    double time_s = 0;
    if (from_little_endian<uint32_t>(std::string_view(text).substr(length)) !=
            masked_crc32c(message) ||
        !read_time(message, time_s)) {
      break;
    }
    times.push_back(time_s);
  }
  return times;
}

}  // namespace flowqat::report
