// The bar for the data side: two good C libraries in a loop, as one would write it by hand. Threads
// take batches of 4 files in turn: libFLAC to floats, libsoxr HQ at speed factor 0.9, 1.0 or 1.1,
// zero mean and unit variance, a padded batch.
//   c_loop FOLDER THREADS SECONDS   -> one JSON object on one line, as bench_data_side prints
//   cc -O3 -march=native c_loop.c -o c_loop -lFLAC -lsoxr -lpthread -lm
#define _GNU_SOURCE
#include <FLAC/stream_decoder.h>
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <soxr.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { kRateHz = 16000, kRows = 4, kMostFiles = 1 << 16 };

typedef struct {
  float* samples;
  size_t count, room;
} Signal;

static char* files[kMostFiles];
static unsigned file_count;
static double end_s;
static atomic_uint next_file;
static atomic_llong samples_done;
static atomic_uint kept;  // something of every batch, or the compiler may leave the work out

static void die(const char* what, const char* where) {
  fprintf(stderr, "c_loop: %s: %s\n", where, what);
  exit(1);
}

static float* room_for(Signal* signal, size_t count) {
  if (count > signal->room) {
    signal->room = count * 5 / 4;
    signal->samples = realloc(signal->samples, signal->room * sizeof(float));
    if (!signal->samples) die("out of memory", "realloc");
  }
  return signal->samples;
}

static int note_file(const char* path, const struct stat* status, int kind, struct FTW* walk) {
  (void)status, (void)walk;
  const size_t length = strlen(path);
  if (kind == FTW_F && length > 5 && !strcmp(path + length - 5, ".flac") && file_count < kMostFiles) {
    files[file_count++] = strdup(path);
  }
  return 0;
}

static FLAC__StreamDecoderWriteStatus take(const FLAC__StreamDecoder* decoder,
                                           const FLAC__Frame* frame,
                                           const FLAC__int32* const channels[], void* user) {
  (void)decoder;
  Signal* out = user;
  const unsigned count = frame->header.blocksize;
  float* to = room_for(out, out->count + count) + out->count;
  for (unsigned i = 0; i < count; ++i) to[i] = (float)channels[0][i] * (1.0f / 32768);
  out->count += count;
  return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

static void complain(const FLAC__StreamDecoder* decoder, FLAC__StreamDecoderErrorStatus status,
                     void* user) {
  (void)decoder, (void)user;
  die(FLAC__StreamDecoderErrorStatusString[status], "libFLAC");
}

static void decode(FLAC__StreamDecoder* decoder, const char* path, Signal* out) {
  out->count = 0;
  if (FLAC__stream_decoder_init_file(decoder, path, take, NULL, complain, out) !=
          FLAC__STREAM_DECODER_INIT_STATUS_OK ||
      !FLAC__stream_decoder_process_until_end_of_stream(decoder)) {
    die("libFLAC cannot decode it", path);
  }
  FLAC__stream_decoder_finish(decoder);
}

static void perturb(const Signal* in, double factor, Signal* out) {
  out->count = (size_t)floor((double)in->count / factor + 0.5);
  room_for(out, out->count);
  if (factor == 1.0) {
    memcpy(out->samples, in->samples, in->count * sizeof(float));
    return;
  }
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  size_t made = 0;
  if (soxr_oneshot(factor * kRateHz, kRateHz, 1, in->samples, in->count, NULL, out->samples,
                   out->count, &made, NULL, &quality, NULL)) {
    die("cannot resample", "libsoxr");
  }
  out->count = made;
}

static void normalize(Signal* signal) {
  double sum = 0, squares = 0;
  for (size_t begin = 0; begin < signal->count; begin += 2048) {
    const size_t end = begin + 2048 < signal->count ? begin + 2048 : signal->count;
    float part = 0, part_squares = 0;
    for (size_t i = begin; i < end; ++i) {
      part += signal->samples[i];
      part_squares += signal->samples[i] * signal->samples[i];
    }
    sum += part, squares += part_squares;
  }
  const double mean = sum / (double)signal->count;
  const float shift = (float)mean;
  const float scale = (float)(1 / sqrt(squares / (double)signal->count - mean * mean + 1e-7));
  for (size_t i = 0; i < signal->count; ++i) {
    signal->samples[i] = (signal->samples[i] - shift) * scale;
  }
}

static double now_s(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void* work(void* unused) {
  static const double factors[] = {0.9, 1.0, 1.1};
  FLAC__StreamDecoder* decoder = FLAC__stream_decoder_new();
  Signal decoded = {0}, rows[kRows] = {0};
  while (now_s() < end_s) {
    const unsigned first = atomic_fetch_add(&next_file, kRows);
    size_t longest = 0;
    for (unsigned row = 0; row < kRows; ++row) {
      const unsigned number = first + row;
      decode(decoder, files[number % file_count], &decoded);
      samples_done += (long long)decoded.count;
      perturb(&decoded, factors[(number * 2654435761u >> 16) % 3], &rows[row]);
      normalize(&rows[row]);
      if (rows[row].count > longest) longest = rows[row].count;
    }
    float* batch = malloc(kRows * longest * sizeof(float));
    for (unsigned row = 0; row < kRows; ++row) {
      float* place = batch + row * longest;
      memcpy(place, rows[row].samples, rows[row].count * sizeof(float));
      memset(place + rows[row].count, 0, (longest - rows[row].count) * sizeof(float));
    }
    kept += (unsigned)batch[longest / 2];
    free(batch);
  }
  return unused;
}

static double cpu_s(const struct rusage* usage) {
  return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
         1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

int main(int count, char** arguments) {
  if (count != 4) die("usage: c_loop FOLDER THREADS SECONDS", "arguments");
  nftw(arguments[1], note_file, 16, 0);
  if (file_count == 0) die("holds no FLAC", arguments[1]);
  Signal warm = {0};
  FLAC__StreamDecoder* decoder = FLAC__stream_decoder_new();
  for (unsigned i = 0; i < file_count; ++i) decode(decoder, files[i], &warm);
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const double start_s = now_s();
  end_s = start_s + atof(arguments[3]);
  pthread_t threads[64];
  const int thread_count = atoi(arguments[2]);
  for (int i = 0; i < thread_count; ++i) pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < thread_count; ++i) pthread_join(threads[i], NULL);
  const double wall_s = now_s() - start_s;
  getrusage(RUSAGE_SELF, &after);
  printf(
      "{\"mode\": \"c-loop\", \"threads\": %d, \"audio_s\": %.1f, \"wall_s\": %.4f, \"cpu_s\": %.4f, "
      "\"peak_rss_bytes\": %lld}\n",
      thread_count, (double)samples_done / kRateHz, wall_s, cpu_s(&after) - cpu_s(&before),
      1024LL * after.ru_maxrss);
  return 0;
}
