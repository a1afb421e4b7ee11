// SPDX-License-Identifier: GPL-2.0-or-later
// A file that is there completely or not at all.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace dyetrace::report {

/// Written beside `path` under a name that nothing has yet, and given its own by `commit()`. Without that
/// nothing stays behind and what was at `path` is untouched. Throws `store::CannotWrite` when the disk does
/// not take it.
class OutputFile {
  public:
    explicit OutputFile(std::filesystem::path path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    void write(std::string_view text);
    /// All is written: what still fails after this is a disk that lets no name be changed.
    void close();
    /// Closes, and replaces what is at the path.
    void commit();

  private:
    [[noreturn]] void fail(std::string_view what, int error) const;

    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::filesystem::path path_;
    std::filesystem::path part_;
    std::unique_ptr<std::FILE, Close> file_;
    bool committed_ = false;
};

}  // namespace dyetrace::report
