// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/output_file.h"

#include <string>
#include <system_error>
#include <utility>

#include "analysis/store/error.h"

namespace dyetrace::report {

void refuse_existing(const std::filesystem::path& path, bool force) {
    std::error_code error;
    const auto status = std::filesystem::symlink_status(path, error);
    if (!std::filesystem::exists(status)) return;
    if (!force) throw store::OutputExists(path.string() + " exists already");
    if (std::filesystem::is_directory(status))
        throw store::OutputExists(path.string() + " is a folder: not replaced");
}

OutputFile::OutputFile(std::filesystem::path path)
    : path_(std::move(path)),
      part_(std::filesystem::path(path_) += ".part"),
      stream_(part_, std::ios::binary) {
    if (!stream_) fail("cannot be created");
}

OutputFile::~OutputFile() {
    if (committed_) return;
    stream_.close();
    std::error_code error;
    std::filesystem::remove(part_, error);
}

void OutputFile::write(std::string_view text) {
    stream_.write(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream_) fail("cannot be written");
}

void OutputFile::commit() {
    stream_.close();
    if (!stream_) fail("cannot be written");
    std::error_code error;
    std::filesystem::rename(part_, path_, error);
    if (error) fail("cannot be replaced: " + error.message());
    committed_ = true;
}

void OutputFile::fail(std::string_view what) const {
    throw store::CannotWrite(path_.string() + " " + std::string(what));
}

}  // namespace dyetrace::report
