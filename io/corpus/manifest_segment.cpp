#include <algorithm>
#include <cmath>

#include "io/corpus/manifest_entry.h"

namespace flowqat::io {
namespace {

constexpr double end_tolerance_s = 0.01;
constexpr double duration_tolerance_s = 0.1, duration_tolerance_share = 0.01;

std::string differ(const std::string& stated, const std::string& found) {
  return "the manifest says " + stated + ", the header " + found +
         "; the file was cut off or replaced, or is another one";
}

/// What speaks against a recording as the manifest states it; nothing if all fits.
std::string mismatch(const ManifestEntry& stated, const AudioInfo& whole) {
  if (stated.rate_hz && *stated.rate_hz != whole.rate_hz) {
    return differ(std::to_string(*stated.rate_hz) + " Hz", std::to_string(whole.rate_hz) + " Hz");
  }
  if (stated.recording_samples && *stated.recording_samples != whole.samples) {
    return differ(std::to_string(*stated.recording_samples) + " samples",
                  std::to_string(whole.samples) + " samples");
  }
  const double whole_s = static_cast<double>(whole.samples) / whole.rate_hz;
  if (stated.recording_s &&
      std::abs(*stated.recording_s - whole_s) >
          std::max(duration_tolerance_s, duration_tolerance_share * whole_s)) {
    return differ(text_of(*stated.recording_s) + " s", text_of(whole_s) + " s") +
           (stated.segment ? "" : " (a part of a recording needs its \"offset\")");
  }
  if (stated.channel && (*stated.channel < 0 || *stated.channel >= whole.channels)) {
    return "the manifest asks for channel " + std::to_string(*stated.channel) +
           ", counted from 0, and the recording has " + std::to_string(whole.channels);
  }
  return "";
}

/// Cuts the segment out of the recording; returns why that cannot be done, or nothing.
std::string cut_out(const ManifestEntry::Segment& segment, CorpusEntry& entry) {
  const double rate_hz = entry.audio.rate_hz;
  const auto total = static_cast<double>(entry.audio.samples);
  // Kept as real numbers until they are known to lie in the recording: they could overflow.
  const double first = std::round(segment.start_s * rate_hz);
  const double samples =
      segment.duration_s ? std::round(*segment.duration_s * rate_hz) : std::max(total - first, 1.0);
  const std::string length = segment.duration_s ? " of " + text_of(*segment.duration_s) + " s" : "";
  if (samples < 1) return "a segment" + length + " holds no sample";
  if (first >= total || first + samples > total + std::round(end_tolerance_s * rate_hz)) {
    return "the segment" + length + " from " + text_of(segment.start_s) +
           " s on ends behind the recording of " + text_of(total / rate_hz) + " s";
  }
  entry.audio.samples = static_cast<int64_t>(std::min(samples, total - first));
  // A segment that is all of the recording decodes faster as such, and with its checksum.
  if (first > 0 || samples < total) entry.place.first_sample = static_cast<int64_t>(first);
  return "";
}

}  // namespace

void fit_to_header(const ManifestEntry& stated, const std::filesystem::path& manifest,
                   const std::filesystem::path& audio_root, CorpusEntry& entry) {
  if (!entry.broken.empty()) {
    std::error_code code;
    if (stated.relative && !std::filesystem::exists(entry.place.path, code)) {
      entry.broken += "; relative paths of this manifest start at " + audio_root.string() +
                      ", audio_root names another folder";
    }
    return;
  }
  std::string reason = mismatch(stated, entry.audio);
  if (reason.empty() && stated.segment) reason = cut_out(*stated.segment, entry);
  if (stated.channel && entry.audio.channels > 1) entry.place.channel = stated.channel;
  if (reason.empty()) return;
  entry.broken = entry.place.path.string() + ": " + reason + " (" + manifest.string() + ", line " +
                 std::to_string(stated.line) + ")";
  entry.audio = {};
}

}  // namespace flowqat::io
