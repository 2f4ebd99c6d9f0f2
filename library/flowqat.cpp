/// The C library's functions: handles around a Recognizer, and exceptions as texts. CMakeLists.txt
/// compiles this with FLOWQAT_VERSION.
#include "library/flowqat.h"

#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "recognizer/recognizer.h"

struct flowqat_recognizer {
  explicit flowqat_recognizer(const char* folder, const flowqat::runtime::Options& options)
      : recognizer(folder, options) {
    for (const std::string& note : recognizer.notes()) notes += note + "\n";
  }
  flowqat::recognizer::Recognizer recognizer;
  std::string notes;
};

struct flowqat_result {
  flowqat::recognizer::Recognition heard;
};

namespace {

namespace recognizer = flowqat::recognizer;

std::string& last_error() {
  thread_local std::string text;
  return text;
}

void refuse(const char* function, const char* argument) {
  throw std::invalid_argument(std::string(function) + ": " + argument + " is NULL");
}

/// What `work` returns, or `otherwise` with the reason in last_error().
template <class Result, class Work>
Result guarded(Result otherwise, const Work& work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    try {
      last_error() = "out of memory";
    } catch (...) {
    }
  } catch (const std::exception& error) {
    try {
      last_error() = error.what();
    } catch (...) {
    }
  } catch (...) {
    try {
      last_error() = "an unknown error";
    } catch (...) {
    }
  }
  return otherwise;
}

/// What `work` makes of a handle, or `otherwise` of none.
template <class Handle, class Result, class Work>
Result of(const char* function, const Handle* handle, Result otherwise, const Work& work) noexcept {
  return guarded(otherwise, [&]() -> Result {
    if (!handle) refuse(function, "the handle");
    return work(*handle);
  });
}

const recognizer::TimedWord* word_of(const flowqat_result& result, size_t index) {
  return index < result.heard.words.size() ? &result.heard.words[index] : nullptr;
}

}  // namespace

int flowqat_api_version(void) { return FLOWQAT_API_VERSION; }
const char* flowqat_version(void) { return FLOWQAT_VERSION; }
const char* flowqat_error(void) {
  return guarded<const char*>("", [] { return last_error().c_str(); });
}

flowqat_recognizer* flowqat_load(const char* folder, int threads, const char* kernels) {
  return guarded<flowqat_recognizer*>(nullptr, [&] {
    if (!folder) refuse("flowqat_load", "the folder");
    const std::optional<std::string> name =
        kernels ? std::optional<std::string>(kernels) : std::nullopt;
    return new flowqat_recognizer(folder, flowqat::recognizer::runtime_options(threads, name));
  });
}

void flowqat_free(flowqat_recognizer* recognizer) { delete recognizer; }

const char* flowqat_notes(const flowqat_recognizer* recognizer) {
  return of<flowqat_recognizer, const char*>("flowqat_notes", recognizer, "",
                                             [](const auto& its) { return its.notes.c_str(); });
}

int flowqat_rate_hz(const flowqat_recognizer* recognizer) {
  return of("flowqat_rate_hz", recognizer, 0,
            [](const auto& its) { return its.recognizer.description().extractor.rate_hz; });
}

double flowqat_frame_s(const flowqat_recognizer* recognizer) {
  return of("flowqat_frame_s", recognizer, 0.0,
            [](const auto& its) { return its.recognizer.time_s(1); });
}

size_t flowqat_vocabulary_size(const flowqat_recognizer* recognizer) {
  return of("flowqat_vocabulary_size", recognizer, size_t{0}, [](const auto& its) {
    return static_cast<size_t>(its.recognizer.description().config.vocab_size);
  });
}

const char* flowqat_token(const flowqat_recognizer* recognizer, size_t id) {
  return of<flowqat_recognizer, const char*>(
      "flowqat_token", recognizer, "", [id](const auto& its) {
        const auto& tokens = its.recognizer.description().tokenizer->tokens();
        return id < tokens.size() ? tokens[id].c_str() : "";
      });
}

size_t flowqat_blank(const flowqat_recognizer* recognizer) {
  return of("flowqat_blank", recognizer, size_t{0}, [](const auto& its) {
    return static_cast<size_t>(its.recognizer.description().tokenizer->blank_id());
  });
}

flowqat_result* flowqat_transcribe(const flowqat_recognizer* recognizer, const float* samples,
                                   size_t count, int rate_hz, unsigned options) {
  return guarded<flowqat_result*>(nullptr, [&] {
    if (!recognizer) refuse("flowqat_transcribe", "the recogniser");
    if (!samples && count > 0) refuse("flowqat_transcribe", "the pointer to the samples");
    if ((options & ~FLOWQAT_LOGITS) != 0) {
      throw std::invalid_argument("options: expected 0 or FLOWQAT_LOGITS, found " +
                                  std::to_string(options));
    }
    const auto keep = options == 0 ? recognizer::Keep::text : recognizer::Keep::text_and_logits;
    return new flowqat_result{recognizer->recognizer.recognize({samples, count}, rate_hz, keep)};
  });
}

void flowqat_free_result(flowqat_result* result) { delete result; }

const char* flowqat_text(const flowqat_result* result) {
  return of<flowqat_result, const char*>("flowqat_text", result, "",
                                         [](const auto& its) { return its.heard.text.c_str(); });
}

double flowqat_duration_s(const flowqat_result* result) {
  return of("flowqat_duration_s", result, 0.0,
            [](const auto& its) { return its.heard.duration_s; });
}

size_t flowqat_word_count(const flowqat_result* result) {
  return of("flowqat_word_count", result, size_t{0},
            [](const auto& its) { return its.heard.words.size(); });
}

const char* flowqat_word(const flowqat_result* result, size_t index) {
  return of<flowqat_result, const char*>("flowqat_word", result, nullptr, [index](const auto& its) {
    const auto* word = word_of(its, index);
    return word ? word->text.c_str() : nullptr;
  });
}

double flowqat_word_start_s(const flowqat_result* result, size_t index) {
  return of("flowqat_word_start_s", result, 0.0, [index](const auto& its) {
    const auto* word = word_of(its, index);
    return word ? word->start_s : 0.0;
  });
}

double flowqat_word_end_s(const flowqat_result* result, size_t index) {
  return of("flowqat_word_end_s", result, 0.0, [index](const auto& its) {
    const auto* word = word_of(its, index);
    return word ? word->end_s : 0.0;
  });
}

size_t flowqat_frame_count(const flowqat_result* result) {
  return of("flowqat_frame_count", result, size_t{0},
            [](const auto& its) { return static_cast<size_t>(its.heard.frames); });
}

const float* flowqat_logits(const flowqat_result* result) {
  return of<flowqat_result, const float*>("flowqat_logits", result, nullptr, [](const auto& its) {
    return its.heard.logits.empty() ? nullptr : its.heard.logits.data();
  });
}
