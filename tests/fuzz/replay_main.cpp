// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a fuzz target over recorded inputs, every file below the folder given, and over seeded changes of
// them. What once crashed stays a test; the rest of a fuzzer's work is done by the fuzzer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::uint64_t kSeed = 1;

void change(Input& input, dyetrace::Random& random) {
    for (std::uint32_t n = 1 + random.below(8); n > 0 && !input.empty(); --n) {
        const std::size_t at = random.below(static_cast<std::uint32_t>(input.size()));
        const auto value = static_cast<std::uint8_t>(random.next());
        switch (random.below(4)) {
            case 0: input[at] = value; break;
            case 1: input[at] ^= static_cast<std::uint8_t>(1 << (value & 7)); break;
            case 2: input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), value); break;
            case 3: input.resize(at); break;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 3) {
        std::fprintf(stderr, "usage: %s FOLDER [CHANGES]\n", argv[0]);
        return 2;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<Input> inputs;
    for (const auto& path : files) {
        // Said before it runs, so that a crash names its input.
        std::printf("%s\n", path.c_str());
        std::fflush(stdout);
        std::ifstream file(path, std::ios::binary);
        // A block of exactly this size, so that the address sanitizer sees a read past its end.
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        LLVMFuzzerTestOneInput(inputs.back().data(), inputs.back().size());
    }
    if (inputs.empty()) return 1;
    const int changes = argc == 3 ? std::atoi(argv[2]) : 0;
    for (int i = 0; i < changes; ++i) {
        if (i % 100 == 0)
            std::printf("changes %d to %d, seed %d\n", i, i + 99, static_cast<int>(kSeed)),
                std::fflush(stdout);
        dyetrace::Random random(dyetrace::mix64(kSeed) + static_cast<std::uint64_t>(i));
        Input input = inputs[random.below(static_cast<std::uint32_t>(inputs.size()))];
        change(input, random);
        const Input exact(input);  // no spare capacity behind it
        LLVMFuzzerTestOneInput(exact.data(), exact.size());
    }
    std::printf("%zu inputs replayed, %d changed\n", inputs.size(), changes);
    return 0;
}
