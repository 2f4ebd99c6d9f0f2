/// The Python package's extension module: a Recognizer whose calls release the interpreter's lock.
/// What it is given was checked by python/flowqat/__init__.py.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "recognizer/recognizer.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

namespace recognizer = flowqat::recognizer;
using Samples = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Scores = nb::ndarray<nb::numpy, float, nb::ndim<2>>;
using Word = std::tuple<std::string, double, double>;

/// What the package raises as flowqat.Error.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `work` without the interpreter's lock.
template <class Work>
auto unlocked(const Work& work) {
  const nb::gil_scoped_release released;
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw Failure(error.what());
  }
}

class Native {
 public:
  Native(const std::string& folder, int threads, const std::optional<std::string>& kernels)
      : recognizer_(unlocked([&] {
          return std::make_unique<recognizer::Recognizer>(
              folder, recognizer::runtime_options(threads, kernels));
        })) {}

  /// Text, words and the samples' duration in seconds.
  std::tuple<std::string, std::vector<Word>, double> transcribe(const Samples& samples,
                                                                int rate_hz) const {
    recognizer::Recognition heard = recognize(samples, rate_hz, recognizer::Keep::text);
    std::vector<Word> words;
    for (recognizer::TimedWord& word : heard.words) {
      words.emplace_back(std::move(word.text), word.start_s, word.end_s);
    }
    return {std::move(heard.text), std::move(words), heard.duration_s};
  }

  Scores logits(const Samples& samples, int rate_hz) const {
    auto heard = std::make_unique<recognizer::Recognition>(
        recognize(samples, rate_hz, recognizer::Keep::text_and_logits));
    float* const values = heard->logits.data();
    const auto frames = static_cast<size_t>(heard->frames);
    const nb::capsule owner(heard.get(), [](void* recognition) noexcept {
      delete static_cast<recognizer::Recognition*>(recognition);
    });
    heard.release();
    return Scores(values, {frames, static_cast<size_t>(description().config.vocab_size)}, owner);
  }

  const recognizer::ModelDescription& description() const { return recognizer_->description(); }
  double frame_s() const { return recognizer_->time_s(1); }

 private:
  recognizer::Recognition recognize(const Samples& samples, int rate_hz,
                                    recognizer::Keep keep) const {
    return unlocked([&] {
      return recognizer_->recognize({samples.data(), samples.size()}, rate_hz, keep);
    });
  }

  std::unique_ptr<recognizer::Recognizer> recognizer_;
};

}  // namespace

NB_MODULE(_native, module) {
  nb::exception<Failure>(module, "Error", PyExc_RuntimeError);
  nb::class_<Native>(module, "Native")
      .def(nb::init<const std::string&, int, const std::optional<std::string>&>(), "folder"_a,
           "threads"_a, "kernels"_a.none())
      .def("transcribe", &Native::transcribe, "samples"_a, "rate_hz"_a)
      .def("logits", &Native::logits, "samples"_a, "rate_hz"_a)
      .def_prop_ro("rate_hz", [](const Native& its) { return its.description().extractor.rate_hz; })
      .def_prop_ro("frame_s", &Native::frame_s)
      .def_prop_ro("tokens",
                   [](const Native& its) { return its.description().tokenizer->tokens(); })
      .def_prop_ro("blank",
                   [](const Native& its) { return its.description().tokenizer->blank_id(); })
      .def_prop_ro("notes", [](const Native& its) { return its.description().notes; });
}
