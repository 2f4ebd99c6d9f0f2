/// The memory of one inference: taken once for a length, and used again for the next of it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace flowqat::runtime {

/// Hands out memory from the front, and takes it back all at once or down to a mark. What a run
/// needed is one piece from the second run on: nothing is allocated where no run is longer. Not
/// thread-safe.
class Stack {
 public:
  /// Values of any content, on a whole cache line. One more cache line behind them may be read.
  template <class T>
  T* take(int64_t count) {
    return static_cast<T*>(take_bytes(static_cast<size_t>(count) * sizeof(T)));
  }

  struct Mark {
    size_t piece, used;
  };
  Mark mark() const { return {piece_, used_}; }
  /// Takes back all that was handed out since.
  void release(const Mark& mark);
  /// Takes back everything.
  void clear();
  size_t bytes() const;

 private:
  static constexpr size_t line = 64;
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  struct Piece {
    std::unique_ptr<std::byte, Free> bytes;
    size_t size = 0;
  };
  void* take_bytes(size_t bytes);
  static Piece new_piece(size_t bytes);

  std::vector<Piece> pieces_;
  size_t piece_ = 0, used_ = 0;  // the piece that is handed out from, and how much of it is
};

/// Gives back at the end of a scope what was taken in it.
class Scope {
 public:
  explicit Scope(Stack& stack) : stack_(stack), mark_(stack.mark()) {}
  ~Scope() { stack_.release(mark_); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Stack& stack_;
  Stack::Mark mark_;
};

}  // namespace flowqat::runtime
