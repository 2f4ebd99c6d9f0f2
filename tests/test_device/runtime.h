#pragma once

namespace flowqat::test_device {

/// Whether copies from there need not wait.
bool is_pinned(const void* place);

}  // namespace flowqat::test_device
