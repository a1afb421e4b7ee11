// SPDX-License-Identifier: GPL-2.0-or-later
// A file that is there completely or not at all.
#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

namespace dyetrace::report {

/// Throws `store::OutputExists` where something is at `path`, unless `force` and it is a regular file.
void refuse_existing(const std::filesystem::path& path, bool force);

/// Written under another name beside `path`, and given its name by `commit()`. Without that nothing stays
/// behind and what was at `path` is untouched. Throws `store::CannotWrite` when the disk does not take it.
class OutputFile {
  public:
    explicit OutputFile(std::filesystem::path path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    void write(std::string_view text);
    /// Replaces what is at the path.
    void commit();

  private:
    [[noreturn]] void fail(std::string_view what) const;

    std::filesystem::path path_;
    std::filesystem::path part_;
    std::ofstream stream_;
    bool committed_ = false;
};

}  // namespace dyetrace::report
