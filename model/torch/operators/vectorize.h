#pragma once

/// Before a loop's function: compiles it for several instruction sets, of which the loader takes
/// the widest that the processor has. Sanitizers cannot run at that early time.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define FLOWQAT_VECTORIZED \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FLOWQAT_VECTORIZED
#endif

/// Becomes part of each such function that calls it.
#define FLOWQAT_INLINE inline __attribute__((always_inline))
