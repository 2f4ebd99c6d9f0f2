#include "model/torch/int8/cpu_features.h"

#include <stdexcept>
#include <string>

#include "model/cpu_level.h"

namespace flowqat::model {

bool has_vnni() { return FLOWQAT_HAS_VNNI_CODE && cpu_level() >= CpuLevel::avx512_vnni; }

void refuse_without_vnni(const char* function) {
  throw std::logic_error(std::string(function) + "() needs a processor with AVX-512 VNNI");
}

}  // namespace flowqat::model
