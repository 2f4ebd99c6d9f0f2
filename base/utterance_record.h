/// What of an utterance stands in no column, as bytes: numbers of 7 bits a byte, texts behind their
/// lengths, and in front of all a checksum.
#pragma once
#include <string>
#include <string_view>

#include "base/utterance_table.h"

namespace flowqat {

void append_record(const Utterance& utterance, std::string& bytes);
/// Fills what append_record() wrote. Throws std::runtime_error where it did not.
void read_record(std::string_view bytes, Utterance& utterance);

}  // namespace flowqat
