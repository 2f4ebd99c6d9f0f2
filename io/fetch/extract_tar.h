/// Unpacks a tar archive while it comes, through libarchive.
#pragma once
#include <filesystem>

#include "io/fetch/download.h"

namespace flowqat::io {

/// Unpacks the archive (tar, compressed with gzip or not) that `read` gives into `folder`, which
/// must exist and be empty. Files and folders alone are made, inside it, with the permissions of
/// new files. Throws BadContent for an archive that is damaged, or has a member that is a link or
/// a device, is there twice, or whose name is absolute or leads out with ".."; Error when the disk
/// refuses; and what `read` throws. Some files are then in `folder`.
void extract_tar(const ReadBytes& read, const std::filesystem::path& folder);

}  // namespace flowqat::io
