/// What all containers have in common that state lengths.
#pragma once
#include <cstdint>
#include <string>

#include "io/audio/container/bytes.h"
#include "io/audio/container/container.h"

namespace flowqat::io {

/// More chunks than any sound file has before its audio: a header of 200 MB of zeros is not walked
/// through eight bytes at a time.
inline constexpr int most_chunks = 4096;

/// Whether a program that could not know how many bytes it was going to write would have written
/// this number of them: 0, 2^32 - 1 (FFmpeg), 0x7ffff000 (sox, espeak-ng), 0x7f000000 (sox's AIFF),
/// 2^31 - 1, 2^31 (arecord), 2,000,000,000, and such numbers less a header or rounded to whole
/// frames.
bool is_placeholder(uint64_t bytes);

/// The file's name, and that it promises `stated` of `what`, but holds `there`.
[[noreturn]] void fail_cut_off(const ContainerBytes& in, uint64_t stated, int64_t there,
                               const std::string& what = "bytes of audio");

/// Bytes of audio from `begin` on, of which `stated` are promised: those, or where that is a
/// placeholder all that there are. Throws Error where more are promised than there are.
int64_t audio_bytes(const ContainerBytes& in, int64_t begin, uint64_t stated);

/// What a stream is made of.
struct StreamFormat {
  int rate_hz = 0, channels = 0;
  int bits = 0;  ///< of a sample, where the codec has such
  bool operator==(const StreamFormat&) const = default;
};

/// Throws Error that says what changes in the middle of a file; one recording has one format.
[[noreturn]] void fail_changed(const InputFile& file, const StreamFormat& from,
                               const StreamFormat& to);

/// `value` in `count` bytes, to be patched in at `offset`.
ContainerView::Patch big_endian_patch(int64_t offset, int count, uint64_t value);
ContainerView::Patch little_endian_patch(int64_t offset, int count, uint64_t value);

/// The views of single containers; see container.cpp for who reads what.
ContainerView view_riff(ContainerBytes& in);    ///< WAV, RF64, BW64, RIFX, AVI
ContainerView view_wave64(ContainerBytes& in);  ///< Sony's Wave64
ContainerView view_aiff(ContainerBytes& in);    ///< AIFF and AIFF-C
ContainerView view_caf(ContainerBytes& in);     ///< Apple's Core Audio Format
ContainerView view_au(ContainerBytes& in);      ///< Sun's and NeXT's
ContainerView view_sox(ContainerBytes& in);     ///< sox's own
ContainerView view_voc(ContainerBytes& in);     ///< Creative's
ContainerView view_wavpack(ContainerBytes& in);
ContainerView view_mpeg_audio(ContainerBytes& in);  ///< MP3, MP2
ContainerView view_ogg(ContainerBytes& in);
ContainerView view_mp4(ContainerBytes& in);  ///< QuickTime, MP4, 3GP
ContainerView view_asf(ContainerBytes& in);
ContainerView view_real(ContainerBytes& in);
ContainerView view_flv(ContainerBytes& in);
ContainerView view_matroska(ContainerBytes& in);

}  // namespace flowqat::io
