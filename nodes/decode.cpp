/// Audio files to mono float samples.
#include "graph/error.h"
#include "graph/registry.h"
#include "io/audio/audio_file.h"
#include "io/files/error.h"

namespace flowqat::nodes {
namespace {

io::AudioPlace place_of(const graph::IndexEntry& entry) {
  io::AudioPlace place(entry.path);
  place.first_byte = entry.first_byte;
  place.bytes = entry.bytes;
  place.first_sample = entry.first_sample;
  return place;
}

class Decode : public graph::Transform {
 public:
  explicit Decode(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")),
        verify_md5_(arguments.params.flag("verify_md5")) {}

  void apply(const graph::Shape& shape, std::span<const float>, std::span<float> out,
             graph::Draw draw, graph::Row&) const override {
    const io::AudioInfo promised{
        .samples = shape.samples, .rate_hz = shape.rate_hz, .channels = draw.entry.channels};
    try {
      io::decode_audio(place_of(draw.entry), promised, out, verify_md5_);
    } catch (const io::Error& error) {
      throw graph::Rejection(error.what());
    }
  }

 private:
  bool verify_md5_;
};

const graph::Register registered({
    .name = "decode",
    .doc = "decodes each file exactly; frame checksums verified, channels averaged",
    .output = graph::EdgeKind::utterances,
    .inputs = {{.key = "from", .kind = graph::EdgeKind::utterances, .doc = "the corpus"}},
    .params = {{.name = "verify_md5",
                .kind = graph::ParamKind::boolean,
                .fallback = false,
                .doc =
                    "compare the samples of whole FLAC files with the MD5 in their headers too"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Decode>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
