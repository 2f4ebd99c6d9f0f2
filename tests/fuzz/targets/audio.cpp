/// An audio file of any format: its header, all of it, and a part of it. Checksums of FLAC frames
/// are made right first, or hardly an input would come to the decoder.
#include <algorithm>

#include "io/audio/audio_file.h"
#include "io/audio/flac/crc16.h"
#include "tests/fuzz/support.h"

extern "C" {
#include <libavutil/crc.h>
#include <libavutil/log.h>
}

using namespace flowqat;

namespace {

constexpr int64_t kMostSamples = 1 << 20;

bool begins_frame(const std::string& bytes, size_t at) {
  return at + 1 < bytes.size() && static_cast<uint8_t>(bytes[at]) == 0xff &&
         (static_cast<uint8_t>(bytes[at + 1]) & 0xfe) == 0xf8;
}

/// RFC 9639, section 9.1: where the header's checksum stands.
size_t header_checksum_at(const std::string& bytes, size_t at) {
  const auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0; };
  size_t end = at + 5;
  for (int bit = 0x40; (byte(at + 4) & 0x80) != 0 && (byte(at + 4) & bit) != 0; bit >>= 1) ++end;
  const int samples_code = byte(at + 2) >> 4, rate_code = byte(at + 2) & 15;
  end += samples_code == 6 ? 1 : samples_code == 7 ? 2 : 0;
  return end + (rate_code == 12 ? 1 : rate_code == 13 || rate_code == 14 ? 2 : 0);
}

std::string with_checksums(std::string bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  for (size_t at = bytes.find("fLaC") + 4; at < bytes.size(); ++at) {
    if (!begins_frame(bytes, at)) continue;
    const size_t checksum = header_checksum_at(bytes, at);
    if (checksum >= bytes.size()) break;
    bytes[checksum] =
        static_cast<char>(av_crc(av_crc_get_table(AV_CRC_8_ATM), 0, data + at, checksum - at));
    size_t end = checksum + 1;
    while (end < bytes.size() && !begins_frame(bytes, end)) ++end;
    if (end < checksum + 3) continue;
    const uint16_t crc = io::crc16({data + at, end - 2 - at});
    bytes[end - 2] = static_cast<char>(crc >> 8);
    bytes[end - 1] = static_cast<char>(crc & 0xff);
    at = end - 1;
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  av_log_set_level(AV_LOG_QUIET);
  std::string bytes(fuzz::text_of(data, size));
  if (bytes.find("fLaC") != std::string::npos) bytes = with_checksums(std::move(bytes));
  const io::AudioPlace place(fuzz::file_of(bytes));
  io::AudioInfo info;
  if (!fuzz::refuses_or([&] { info = io::read_audio_info(place); })) return 0;
  fuzz::require(info.samples >= 0 && info.rate_hz > 0 && info.channels > 0, "a sound header");
  if (info.samples > kMostSamples) return 0;
  std::vector<float> whole(static_cast<size_t>(info.samples));
  const bool is_whole = fuzz::refuses_or([&] { io::decode_audio(place, info, whole, true); });
  io::AudioPlace part = place;
  part.first_sample = info.samples / 3;
  io::AudioInfo some = info;
  some.samples = info.samples / 4;
  std::vector<float> cut(static_cast<size_t>(some.samples));
  if (!fuzz::refuses_or([&] { io::decode_audio(part, some, cut); }) || !is_whole) return 0;
  fuzz::require(std::equal(cut.begin(), cut.end(), whole.begin() + *part.first_sample,
                           [](float a, float b) { return a == b || (a != a && b != b); }),
                "a segment that equals that part of the whole");
  return 0;
}
