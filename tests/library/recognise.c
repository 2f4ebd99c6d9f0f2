/* What a C program does with libflowqat, for library_test.py.
 *
 *   recognise transcribe FOLDER SAMPLES RATE_HZ THREADS KERNELS LOGITS
 *   recognise misuse FOLDER FLOAT_FOLDER
 *   recognise at_once FOLDER SAMPLES RATE_HZ
 *
 * SAMPLES: a file of float32. transcribe prints the text, then a line a word, and writes the scores
 * into the file LOGITS ("-" as KERNELS: the fastest). The others print "done".
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library/flowqat.h"

#define CHECK(what)                                                             \
  do {                                                                          \
    if (!(what)) {                                                              \
      fprintf(stderr, "line %d: %s; the last error: %s\n", __LINE__, #what, flowqat_error()); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

static float *read_samples(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  float *samples = NULL;
  long bytes = 0;
  CHECK(file != NULL);
  CHECK(fseek(file, 0, SEEK_END) == 0 && (bytes = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0);
  *count = (size_t)bytes / sizeof(float);
  samples = malloc((size_t)bytes + 1);
  CHECK(samples != NULL && fread(samples, sizeof(float), *count, file) == *count);
  fclose(file);
  return samples;
}

static int transcribe(char **arguments) {
  size_t count = 0, i = 0, scores = 0;
  float *samples = read_samples(arguments[1], &count);
  const char *kernels = strcmp(arguments[4], "-") == 0 ? NULL : arguments[4];
  flowqat_recognizer *recognizer = flowqat_load(arguments[0], atoi(arguments[3]), kernels);
  flowqat_result *result = NULL;
  FILE *logits = NULL;
  CHECK(recognizer != NULL);
  result = flowqat_transcribe(recognizer, samples, count, atoi(arguments[2]), FLOWQAT_LOGITS);
  free(samples); /* read during the call only */
  CHECK(result != NULL);
  scores = flowqat_frame_count(result) * flowqat_vocabulary_size(recognizer);
  flowqat_free(recognizer); /* what it gave stays valid */
  printf("%s\n", flowqat_text(result));
  for (i = 0; i < flowqat_word_count(result); ++i) {
    printf("%s\t%.6f\t%.6f\n", flowqat_word(result, i), flowqat_word_start_s(result, i), flowqat_word_end_s(result, i));
  }
  logits = fopen(arguments[5], "wb");
  CHECK(logits != NULL);
  CHECK(scores == 0 || fwrite(flowqat_logits(result), sizeof(float), scores, logits) == scores);
  CHECK(fclose(logits) == 0);
  flowqat_free_result(result);
  return 0;
}

/* That the last call failed, and said so in words that name `part`. */
static void check_error(const char *part) {
  if (strstr(flowqat_error(), part)) return;
  fprintf(stderr, "expected \"%s\" in: %s\n", part, flowqat_error());
  exit(1);
}

static int misuse(char **arguments) {
  float samples[16000] = {0};
  flowqat_recognizer *recognizer = NULL;
  flowqat_result *result = NULL;

  CHECK(strcmp(flowqat_error(), "") == 0);
  CHECK(flowqat_load(NULL, 0, NULL) == NULL);
  check_error("the folder is NULL");
  CHECK(flowqat_load("no/such/folder", 0, NULL) == NULL);
  check_error("no/such/folder");
  CHECK(flowqat_load("/tmp", 0, NULL) == NULL);
  check_error("config.json");
  CHECK(flowqat_load(arguments[1], 0, NULL) == NULL); /* a float model */
  check_error("quantization.json");
  CHECK(flowqat_load(arguments[0], -1, NULL) == NULL);
  check_error("threads");
  CHECK(flowqat_load(arguments[0], 0, "sse9") == NULL);
  check_error("avx2");
  /* No processor has both. */
  CHECK(flowqat_load(arguments[0], 0, "avx2") == NULL || flowqat_load(arguments[0], 0, "neon") == NULL);
  check_error("this processor");

  recognizer = flowqat_load(arguments[0], 1, NULL);
  CHECK(recognizer != NULL);
  CHECK(flowqat_rate_hz(recognizer) == 16000 && flowqat_frame_s(recognizer) == 0.02);
  CHECK(flowqat_vocabulary_size(recognizer) == 32 && flowqat_blank(recognizer) == 0);
  CHECK(strcmp(flowqat_token(recognizer, 4), "|") == 0 && strcmp(flowqat_token(recognizer, 999), "") == 0);
  CHECK(flowqat_notes(recognizer) != NULL);

  CHECK(flowqat_transcribe(NULL, samples, 16000, 16000, 0) == NULL);
  check_error("NULL");
  CHECK(flowqat_transcribe(recognizer, NULL, 16000, 16000, 0) == NULL);
  check_error("NULL");
  CHECK(flowqat_transcribe(recognizer, samples, 16000, 0, 0) == NULL);
  check_error("rate_hz");
  CHECK(flowqat_transcribe(recognizer, samples, 16000, -16000, 0) == NULL);
  check_error("rate_hz");
  CHECK(flowqat_transcribe(recognizer, samples, 16000, 16000, 4) == NULL);
  check_error("options");
  samples[7] = NAN;
  CHECK(flowqat_transcribe(recognizer, samples, 16000, 16000, 0) == NULL);
  check_error("sample 7, counted from 0, is not a number");
  samples[7] = -INFINITY;
  CHECK(flowqat_transcribe(recognizer, samples, 16000, 16000, 0) == NULL);
  check_error("sample 7, counted from 0, is -inf");
  samples[7] = 0;

  result = flowqat_transcribe(recognizer, NULL, 0, 16000, FLOWQAT_LOGITS);
  CHECK(result != NULL && strcmp(flowqat_text(result), "") == 0);
  CHECK(flowqat_word_count(result) == 0 && flowqat_frame_count(result) == 0 && flowqat_logits(result) == NULL);
  CHECK(flowqat_word(result, 0) == NULL && flowqat_word_end_s(result, 0) == 0);
  CHECK(flowqat_duration_s(result) == 0);
  flowqat_free_result(result);
  result = flowqat_transcribe(recognizer, samples, 399, 16000, 0); /* a frame needs 400 */
  CHECK(result != NULL && flowqat_frame_count(result) == 0);
  flowqat_free_result(result);
  result = flowqat_transcribe(recognizer, samples, 400, 16000, 0);
  CHECK(result != NULL && flowqat_frame_count(result) == 1 && flowqat_logits(result) == NULL);
  CHECK(flowqat_duration_s(result) == 0.025);
  flowqat_free_result(result);

  CHECK(flowqat_text(NULL)[0] == '\0' && flowqat_word(NULL, 0) == NULL && flowqat_word_count(NULL) == 0);
  check_error("NULL");
  CHECK(flowqat_logits(NULL) == NULL && flowqat_frame_count(NULL) == 0 && flowqat_duration_s(NULL) == 0);
  CHECK(flowqat_rate_hz(NULL) == 0 && flowqat_vocabulary_size(NULL) == 0 && flowqat_token(NULL, 0)[0] == '\0');
  flowqat_free(NULL);
  flowqat_free_result(NULL);
  flowqat_free(recognizer);
  puts("done");
  return 0;
}

struct job {
  const flowqat_recognizer *recognizer;
  const float *samples;
  const char *expected;
  size_t count;
  int rate_hz, errs;
};

/* Texts come out the same beside others, and an error is that of the thread alone. */
static void *work(void *given) {
  const struct job *job = given;
  int round = 0;
  for (round = 0; round < 5; ++round) {
    if (job->errs) {
      CHECK(flowqat_transcribe(job->recognizer, job->samples, job->count, 0, 0) == NULL);
      check_error("rate_hz");
    } else {
      flowqat_result *result = flowqat_transcribe(job->recognizer, job->samples, job->count, job->rate_hz, 0);
      CHECK(result != NULL && strcmp(flowqat_text(result), job->expected) == 0);
      CHECK(strcmp(flowqat_error(), "") == 0);
      flowqat_free_result(result);
    }
  }
  return NULL;
}

static int at_once(char **arguments) {
  enum { most = 6 };
  pthread_t threads[most];
  struct job jobs[most];
  size_t count = 0;
  int i = 0;
  float *samples = read_samples(arguments[1], &count);
  const int rate_hz = atoi(arguments[2]);
  flowqat_recognizer *recognizer = flowqat_load(arguments[0], 2, NULL);
  flowqat_result *result = NULL;
  CHECK(recognizer != NULL);
  result = flowqat_transcribe(recognizer, samples, count, rate_hz, 0);
  CHECK(result != NULL && strlen(flowqat_text(result)) > 0);
  for (i = 0; i < most; ++i) {
    const struct job job = {recognizer, samples, flowqat_text(result), count, rate_hz, i % 3 == 2};
    jobs[i] = job;
    CHECK(pthread_create(&threads[i], NULL, work, &jobs[i]) == 0);
  }
  for (i = 0; i < most; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  flowqat_free_result(result);
  flowqat_free(recognizer);
  free(samples);
  puts("done");
  return 0;
}

int main(int count, char **arguments) {
  const char *mode = count > 1 ? arguments[1] : "";
  CHECK(flowqat_api_version() == FLOWQAT_API_VERSION && strlen(flowqat_version()) > 0);
  if (strcmp(mode, "transcribe") == 0 && count == 8) return transcribe(arguments + 2);
  if (strcmp(mode, "misuse") == 0 && count == 4) return misuse(arguments + 2);
  if (strcmp(mode, "at_once") == 0 && count == 5) return at_once(arguments + 2);
  fprintf(stderr, "usage: see the top of %s\n", __FILE__);
  return 2;
}
