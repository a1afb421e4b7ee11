// SPDX-License-Identifier: GPL-2.0-or-later
// Run databases, which come from anywhere: a small run as the store writes it, damaged by a script of edits
// and cuts, and perhaps with a piece of a write-ahead log beside it. Every list is read to its end or refused
// by an error that names the file, whatever SQLite makes of the damage.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#include "analysis/store/error.h"
#include "analysis/store/run_reader.h"
#include "analysis/store/table_reader.h"
#include "analysis/store/truth_reader.h"
#include "core/base/result.h"
#include "tests/analysis/sample_run.h"
#include "tests/fuzz/script.h"

namespace {

namespace fs = std::filesystem;
using namespace dyetrace;
using Image = std::vector<std::uint8_t>;

/// SQLite's pages are of 4096 bytes; the first says what the file is, and has most of what can be wrong.
constexpr std::size_t kPage = 4096;

/// A folder for this process. On a file system in memory where there is one: each input writes a file.
const fs::path& folder() {
    static const fs::path path = [] {
        const fs::path memory = "/dev/shm";
        std::string pattern =
            ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "dyetrace-fuzz-XXXXXX")
                .string();
        DYETRACE_ASSERT(mkdtemp(pattern.data()) != nullptr);
        std::atexit([] {
            std::error_code ignored;
            fs::remove_all(folder(), ignored);
        });
        return fs::path(pattern);
    }();
    return path;
}

const Image& whole_run() {
    static const Image image = [] {
        const fs::path path = folder() / "whole.db";
        dyetrace::testing::write_sample_run(path, {.k = 4, .duration_ns = 40'000'000, .paths = 1});
        std::ifstream file(path, std::ios::binary);
        return Image(std::istreambuf_iterator<char>(file), {});
    }();
    return image;
}

/// Where an edit begins: anywhere, or in the first bytes of some page, where SQLite keeps its numbers.
std::size_t place(test::Script& script, const Image& image) {
    const std::size_t page = script.u16() % (image.size() / kPage + 1);
    const std::uint8_t kind = script.u8();
    const std::size_t offset = (kind & 1) != 0 ? script.u8() % 128 : script.u16() % kPage;
    return std::min(page * kPage + offset, image.size());
}

void overwrite(Image& image, std::size_t at, const std::vector<std::uint8_t>& bytes) {
    const std::size_t size = std::min(bytes.size(), image.size() - at);
    std::copy_n(bytes.begin(), size, image.begin() + static_cast<std::ptrdiff_t>(at));
}

void edit(test::Script& script, Image& image) {
    const std::size_t at = place(script, image);
    switch (script.u8() % 6) {
        case 0: overwrite(image, at, script.take(1 + script.u8() % 16)); break;
        case 1:
            if (at < image.size()) image[at] ^= static_cast<std::uint8_t>(1U << (script.u8() & 7));
            break;
        case 2: overwrite(image, at, std::vector<std::uint8_t>(script.u16() % kPage)); break;
        case 3: {  // what stands elsewhere, right in itself
            const std::size_t from = place(script, image);
            const std::size_t size = std::min<std::size_t>(script.u16() % kPage, image.size() - from);
            const auto begin = image.begin() + static_cast<std::ptrdiff_t>(from);
            overwrite(image, at, Image(begin, begin + static_cast<std::ptrdiff_t>(size)));
            break;
        }
        case 4: image.resize(at); break;
        case 5: image.resize(image.size() + script.u16() % kPage); break;
    }
}

void write_file(const fs::path& path, const Image& image) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    DYETRACE_ASSERT(file.good());
}

/// False where `action` was refused by an error that names the file; anything else that it throws is a
/// defect.
template <class Action>
bool succeeds(const fs::path& path, Action action) {
    try {
        action();
        return true;
    } catch (const store::Error& error) {
        DYETRACE_ASSERT(std::string(error.what()).find(path.string()) != std::string::npos);
        return false;
    }
}

/// Reads all that a reader has to give, each for itself: damage of one table hides no other.
bool read_everything(const fs::path& path, const store::RunReader& run) {
    const store::TruthReader truth(run);
    bool all = true;
    const auto read = [&](auto action) { all &= succeeds(path, action); };
    read([&] { (void)run.provenance(); });
    read([&] { (void)run.complete(); });
    read([&] { (void)run.nodes(); });
    read([&] { (void)run.links(); });
    read([&] {
        for (const auto& session : run.sessions())
            (void)run.path_records(session.id);
    });
    read([&] { (void)run.session_events(); });
    read([&] { (void)run.paths(); });
    read([&] { (void)run.updates(); });
    read([&] { (void)run.evidence(); });
    read([&] { (void)run.detections(); });
    read([&] { (void)run.incidents(); });
    read([&] { (void)run.incident_events(); });
    read([&] { (void)run.directives(); });
    read([&] { (void)run.suspects(); });
    read([&] { (void)run.final_suspects(); });
    read([&] { (void)run.counters(); });
    read([&] { run.for_each_path_record([](const auto&) {}); });
    read([&] { (void)run.path_records_between(0, 1'000'000'000); });
    read([&] { (void)run.last_path_records(); });
    read([&] { (void)run.update_summary(); });
    read([&] { (void)run.last_time_ns(); });
    read([&] { (void)truth.faults(); });
    read([&] { (void)truth.drops(); });
    read([&] { (void)truth.paths(); });
    for (const store::Table& table : store::tables())
        read([&] { store::TableReader(run).for_each_row(table, [](auto) {}); });
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    test::Script script(Bytes(data, size));
    Image image = whole_run();
    const std::uint8_t header = script.u8();
    for (int edits = header & 7; edits > 0 && !image.empty(); --edits)
        edit(script, image);
    const fs::path path = folder() / "run.db";
    // What an earlier input left beside it is none of this one's.
    for (const char* beside : {"-wal", "-shm", "-journal"})
        fs::remove(path.string() + beside);
    write_file(path, image);
    if ((header & 8) != 0)
        write_file(path.string() + ((header & 16) != 0 ? "-wal" : "-journal"), script.take(4096));
    bool is_whole = false;
    succeeds(path, [&] { is_whole = read_everything(path, store::RunReader(path)); });
    // Without damage nothing may be refused.
    DYETRACE_ASSERT(is_whole || image != whole_run() || (header & 8) != 0);
    return 0;
}
