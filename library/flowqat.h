/* flowqat.h: speech to text with a flowqat int8 model, for C and everything that can call C.
 *
 *   flowqat_recognizer *recognizer = flowqat_load("models/mine-int8", 0, NULL);
 *   flowqat_result *result =
 *       recognizer ? flowqat_transcribe(recognizer, samples, count, 16000, 0) : NULL;
 *   if (result) puts(flowqat_text(result));
 *   else fprintf(stderr, "%s\n", flowqat_error());
 *   flowqat_free_result(result);
 *   flowqat_free(recognizer);
 *
 * Threads: every function may be called by any thread at any time, several at once with one
 * recogniser or one result; only nothing may use what another thread is freeing.
 * Errors: a function that fails returns NULL and no function throws, exits or prints;
 * flowqat_error() then says why. NULL is refused with an error, never followed.
 * Memory: what a function returns belongs to whoever called it where its comment names the function
 * that frees it; every other pointer belongs to the handle that it was asked of and is valid until
 * that is freed. Texts are UTF-8 and end in a zero byte.
 * Versions: within an API version functions are added, and none is changed or taken away.
 */
#ifndef FLOWQAT_H
#define FLOWQAT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLOWQAT_API_VERSION 1

#if defined(__GNUC__)
#define FLOWQAT_API __attribute__((visibility("default")))
#else
#define FLOWQAT_API
#endif

/* An int8 model with all that recognising needs. */
typedef struct flowqat_recognizer flowqat_recognizer;
/* What was heard in one recording. */
typedef struct flowqat_result flowqat_result;

/* The FLOWQAT_API_VERSION that the library was built with, to compare with the header's. */
FLOWQAT_API int flowqat_api_version(void);
/* The project's version, "0.1.0". */
FLOWQAT_API const char* flowqat_version(void);

/* Why the last call of the calling thread that failed did so: what was expected, what was found and
 * where; "" if none has. Valid until the thread's next call that fails. */
FLOWQAT_API const char* flowqat_error(void);

/* Loads an int8 model: a folder with config.json, vocab.json, preprocessor_config.json,
 * model.safetensors and quantization.json, as `flowqat quantize` and `flowqat convert` leave it.
 *
 * threads  that compute, the calling one among them; 0: as many as cores that the process may use
 * kernels  NULL: the fastest that the processor has; or one target by name ("scalar", "avx2",
 *          "avx_vnni", "avx512", "avx512_vnni", "avx512_vbmi", "amx", "neon", "neon_dotprod",
 *          "neon_i8mm"). The logits are the same, bit for bit, with all of them and with any number
 *          of threads.
 *
 * To be freed with flowqat_free(). NULL: see flowqat_error(). */
FLOWQAT_API flowqat_recognizer* flowqat_load(const char* folder, int threads, const char* kernels);
/* Results that it gave stay valid. NULL: nothing. */
FLOWQAT_API void flowqat_free(flowqat_recognizer* recognizer);

/* What the user should hear of the folder (no vocab.json in it, say), a line a note; "" if
 * nothing. */
FLOWQAT_API const char* flowqat_notes(const flowqat_recognizer* recognizer);
/* The rate that the model hears, in Hz: samples of it are not resampled. */
FLOWQAT_API int flowqat_rate_hz(const flowqat_recognizer* recognizer);
/* From one frame to the next, in seconds (0.02 for wav2vec2). */
FLOWQAT_API double flowqat_frame_s(const flowqat_recognizer* recognizer);
/* The number of tokens: the scores of a frame. */
FLOWQAT_API size_t flowqat_vocabulary_size(const flowqat_recognizer* recognizer);
/* The text of a token; "" for one that is not used. */
FLOWQAT_API const char* flowqat_token(const flowqat_recognizer* recognizer, size_t id);
/* The token that is the blank of CTC. */
FLOWQAT_API size_t flowqat_blank(const flowqat_recognizer* recognizer);

/* An option of flowqat_transcribe(): keep the scores, for a decoder of your own. */
#define FLOWQAT_LOGITS 1u

/* Recognises `count` samples of one channel, -1 to 1, which are read during the call only. Any rate
 * from 1/256 of the model's to 256 times it is resampled; the loudness is normalized as the model
 * wants it. Recordings of over 40 s are heard in windows that share 4 s. No samples, or fewer than
 * the model's first frame needs (25 ms), are silence: a result with no words.
 *
 * options  0, or FLOWQAT_LOGITS
 *
 * To be freed with flowqat_free_result(). NULL: see flowqat_error(); a sample that is not a number
 * or infinite is an error. */
FLOWQAT_API flowqat_result* flowqat_transcribe(const flowqat_recognizer* recognizer,
                                               const float* samples, size_t count, int rate_hz,
                                               unsigned options);
/* NULL: nothing. */
FLOWQAT_API void flowqat_free_result(flowqat_result* result);

/* The whole text. */
FLOWQAT_API const char* flowqat_text(const flowqat_result* result);
/* Of the samples, in seconds. */
FLOWQAT_API double flowqat_duration_s(const flowqat_result* result);

/* The words of the text in their order, `index` from 0; of phonemes each is one. */
FLOWQAT_API size_t flowqat_word_count(const flowqat_result* result);
/* NULL for an index beyond the last. */
FLOWQAT_API const char* flowqat_word(const flowqat_result* result, size_t index);
/* In seconds from the first sample: where the word's first character begins and its last one ends,
 * on the grid of frames. 0 for an index beyond the last. */
FLOWQAT_API double flowqat_word_start_s(const flowqat_result* result, size_t index);
FLOWQAT_API double flowqat_word_end_s(const flowqat_result* result, size_t index);

/* The number of frames that were heard. */
FLOWQAT_API size_t flowqat_frame_count(const flowqat_result* result);
/* Scores before the softmax: flowqat_frame_count() rows of flowqat_vocabulary_size() each; NULL
 * unless asked for with FLOWQAT_LOGITS, and where there is no frame. */
FLOWQAT_API const float* flowqat_logits(const flowqat_result* result);

#ifdef __cplusplus
}
#endif

#endif
