// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/output_path.h"

#include <fstream>
#include <system_error>

#include "analysis/store/error.h"

namespace dyetrace::store {

void refuse_existing(const std::filesystem::path& path, bool force, const OutputKind& kind) {
    std::error_code error;
    const auto status = std::filesystem::symlink_status(path, error);
    if (!std::filesystem::exists(status)) return;
    // A link would be replaced and not what it leads to: nobody means that of /dev/stdout.
    if (std::filesystem::is_symlink(status))
        throw NotReplaced(path.string() + " is a symbolic link: not replaced");
    const bool regular = std::filesystem::is_regular_file(status);
    if (!regular || (!std::filesystem::is_empty(path, error) && !kind.is_one(path)))
        throw NotReplaced(path.string() + " exists and is not " + kind.name + ": not replaced");
    if (!force) throw OutputExists(path.string() + " exists already");
}

std::string first_bytes(const std::filesystem::path& path, std::size_t count) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes(count, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(count));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
}

}  // namespace dyetrace::store
