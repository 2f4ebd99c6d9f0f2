/// Audio files to mono float samples.
#include "graph/error.h"
#include "graph/registry.h"
#include "io/audio/audio_file.h"
#include "io/files/error.h"

namespace flowqat::nodes {
namespace {

/// `channel`: of recordings of which the corpus asks for none.
io::AudioPlace place_of(const graph::IndexEntry& entry, std::optional<int> channel) {
  io::AudioPlace place(entry.path);
  place.first_byte = entry.first_byte;
  place.bytes = entry.bytes;
  place.first_sample = entry.first_sample;
  place.channel = entry.channel ? entry.channel : channel;
  return place;
}

class Decode : public graph::Transform {
 public:
  explicit Decode(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")),
        verify_md5_(arguments.params.flag("verify_md5")) {
    const int64_t channel = arguments.params.integer("channel");
    if (channel >= 0) channel_ = static_cast<int>(channel);
  }

  void apply(const graph::Shape& shape, std::span<const float>, std::span<float> out,
             graph::Draw draw, graph::Row& row) const override {
    const io::AudioInfo promised{
        .samples = shape.samples, .rate_hz = shape.rate_hz, .channels = draw.entry.channels};
    try {
      const io::Decoded decoded =
          io::decode_audio(place_of(draw.entry, channel_), promised, out, verify_md5_);
      if (decoded.has_wrapped) {
        row.note =
            "samples came out of more bits than the FLAC header states and were wrapped into "
            "these, "
            "as an encoder that wrapped them needs it";
      }
    } catch (const io::Error& error) {
      throw graph::Rejection(error.what());
    }
  }

 private:
  bool verify_md5_;
  std::optional<int> channel_;  ///< none: the average of all
};

const graph::Register registered({
    .name = "decode",
    .doc = "decodes each file exactly; frame checksums verified, channels averaged unless one is "
           "chosen",
    .output = graph::EdgeKind::utterances,
    .inputs = {{.key = "from", .kind = graph::EdgeKind::utterances, .doc = "the corpus"}},
    .params = {{.name = "channel",
                .kind = graph::ParamKind::integer,
                .fallback = -1,
                .minimum = -1,
                .maximum = 65535,
                .doc = "the channel that is heard, counted from 0, where the corpus names none; "
                       "-1: the average of all"},
               {.name = "verify_md5",
                .kind = graph::ParamKind::boolean,
                .fallback = false,
                .doc =
                    "compare the samples of whole FLAC files with the MD5 in their headers too"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Decode>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
