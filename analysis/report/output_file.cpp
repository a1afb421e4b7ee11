// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/output_file.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "analysis/store/error.h"

namespace dyetrace::report {
namespace {

// More than that many writers of one file, or leavings of killed ones, are a fault of their own.
constexpr int parts_max = 1000;

}  // namespace

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)) {
    for (int number = 1; !file_ && number <= parts_max; ++number) {
        part_ = path_;
        part_ += number == 1 ? ".part" : ".part" + std::to_string(number);
        file_.reset(std::fopen(part_.c_str(), "wxb"));
        if (!file_ && errno != EEXIST) break;
    }
    if (!file_) fail("cannot be created", errno);
}

OutputFile::~OutputFile() {
    if (committed_) return;
    file_.reset();
    std::error_code error;
    std::filesystem::remove(part_, error);
}

void OutputFile::write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size())
        fail("cannot be written", errno);
}

void OutputFile::close() {
    if (file_ && std::fclose(file_.release()) != 0) fail("cannot be written", errno);
}

void OutputFile::commit() {
    close();
    std::error_code error;
    std::filesystem::rename(part_, path_, error);
    if (error) fail("cannot be replaced", error.value());
    committed_ = true;
}

void OutputFile::fail(std::string_view what, int error) const {
    throw store::CannotWrite(path_.string() + " " + std::string(what) + ": " +
                             std::generic_category().message(error));
}

}  // namespace dyetrace::report
