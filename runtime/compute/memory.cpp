#include "runtime/compute/memory.h"

#include <algorithm>
#include <new>

namespace flowqat::runtime {
namespace {

/// The least that is asked for at once.
constexpr size_t least_piece = size_t{1} << 20;

}  // namespace

void Stack::Free::operator()(std::byte* bytes) const {
  ::operator delete (bytes, std::align_val_t{line});
}

Stack::Piece Stack::new_piece(size_t bytes) {
  const size_t size = std::max(bytes, least_piece);
  return {std::unique_ptr<std::byte, Free>(
              static_cast<std::byte*>(::operator new (size, std::align_val_t{line}))),
          size};
}

void* Stack::take_bytes(size_t bytes) {
  const size_t needed = (bytes + line - 1) / line * line + line;
  while (piece_ < pieces_.size() && used_ + needed > pieces_[piece_].size) {
    ++piece_;
    used_ = 0;
  }
  if (piece_ == pieces_.size()) pieces_.push_back(new_piece(needed));
  void* const taken = pieces_[piece_].bytes.get() + used_;
  used_ += needed;
  return taken;
}

void Stack::release(const Mark& mark) {
  piece_ = mark.piece;
  used_ = mark.used;
}

void Stack::clear() {
  if (pieces_.size() > 1) {
    const size_t all = bytes();
    pieces_.clear();
    pieces_.push_back(new_piece(all));
  }
  piece_ = 0;
  used_ = 0;
}

size_t Stack::bytes() const {
  size_t sum = 0;
  for (const Piece& piece : pieces_) sum += piece.size;
  return sum;
}

}  // namespace flowqat::runtime
