#pragma once
#include "model/model.h"
#include "tests/test_device/memory.h"

namespace flowqat::test_device {

/// On the device while it lives; what was refused or limited there is over behind it.
struct OnDevice {
  OnDevice() { model::engine().configure({.device = "testdevice:0", .threads = 1}); }
  ~OnDevice() {
    Memory::instance().refuse(0);
    Memory::instance().set_limit_bytes(0);
    model::engine().configure({.device = "cpu", .threads = 1});
  }
};

}  // namespace flowqat::test_device
