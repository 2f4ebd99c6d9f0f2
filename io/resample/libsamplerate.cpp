#include "io/resample/libsamplerate.h"

#include <samplerate.h>

#include <array>
#include <memory>

#include "io/files/error.h"
#include "io/files/pool.h"

namespace flowqat::io {
namespace {

struct Choice {
  Converter converter;
  const char* name;
  int type;  ///< libsamplerate's
};
constexpr std::array<Choice, 4> choices{
    {{Converter::sinc_best, "best", SRC_SINC_BEST_QUALITY},
     {Converter::sinc_medium, "medium", SRC_SINC_MEDIUM_QUALITY},
     {Converter::sinc_fastest, "fastest", SRC_SINC_FASTEST},
     {Converter::linear, "linear", SRC_LINEAR}}};

class State {
 public:
  explicit State(Converter converter) {
    int error = 0;
    state_ = src_new(choices[static_cast<size_t>(converter)].type, 1, &error);
    if (state_ == nullptr) throw Error(std::string("libsamplerate: ") + src_strerror(error));
  }
  ~State() { src_delete(state_); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void reset() { check(src_reset(state_)); }
  void process(SRC_DATA& data) { check(src_process(state_, &data)); }

 private:
  static void check(int code) {
    if (code != 0) throw Error(std::string("libsamplerate: ") + src_strerror(code));
  }
  SRC_STATE* state_ = nullptr;
};

constexpr size_t most_idle_states = 64;

Pool<Converter, State>& pool() {
  static Pool<Converter, State> states(most_idle_states);
  return states;
}

}  // namespace

Converter parse_converter(const std::string& text) {
  std::string known;
  for (const Choice& choice : choices) {
    if (text == choice.name) return choice.converter;
    known += std::string(known.empty() ? "" : ", ") + choice.name;
  }
  throw Error("unknown resampling quality \"" + text + "\"; expected one of " + known);
}

std::vector<std::string> converter_names() {
  std::vector<std::string> names;
  for (const Choice& choice : choices) names.emplace_back(choice.name);
  return names;
}

void resample_libsamplerate(std::span<const float> in, double ratio, Converter converter,
                            std::span<float> out) {
  // The rest of the filter's response lies behind the end of the input: silence drives it out.
  static constexpr std::array<float, 1024> silence{};
  auto state = pool().take(converter);
  if (!state) state = std::make_unique<State>(converter);
  state->reset();
  std::span<const float> rest = in;
  while (!out.empty()) {
    const bool ended = rest.empty();
    SRC_DATA data{};
    data.data_in = ended ? silence.data() : rest.data();
    data.input_frames = static_cast<long>(ended ? silence.size() : rest.size());
    data.data_out = out.data();
    data.output_frames = static_cast<long>(out.size());
    data.src_ratio = ratio;
    state->process(data);
    if (!ended) rest = rest.subspan(static_cast<size_t>(data.input_frames_used));
    out = out.subspan(static_cast<size_t>(data.output_frames_gen));
    if (data.output_frames_gen == 0 && data.input_frames_used == 0) {
      throw Error("libsamplerate stopped " + std::to_string(out.size()) + " samples short");
    }
  }
  pool().give_back(converter, std::move(state));
}

}  // namespace flowqat::io
