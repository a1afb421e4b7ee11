// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever is done to a scenario's text and overrides, reading it ends, with a scenario or with errors that
// have places in it.
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scenarios/reader/reader.h"

namespace dyetrace::scenario {
namespace {

constexpr std::uint64_t seed = 20'100'830;
constexpr int rounds = 6'000;

/// xorshift64*: the same mutations everywhere.
class Random {
  public:
    explicit Random(std::uint64_t state) : state_(state) {}
    std::size_t below(std::size_t bound) {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<std::size_t>((state_ * 0x2545F4914F6CDD1DULL) >> 33) % bound;
    }

  private:
    std::uint64_t state_;
};

std::string demo() {
    std::stringstream text;
    text << std::ifstream(DYETRACE_SOURCE_DIR "/scenarios/gray-link.toml").rdbuf();
    return text.str();
}

const std::vector<std::string> pieces = {"\"",
                                         "'",
                                         "\"\"\"",
                                         "[",
                                         "]",
                                         "[[",
                                         "]]",
                                         "{",
                                         "}",
                                         "=",
                                         ".",
                                         ",",
                                         "#",
                                         "\n",
                                         "\r\n",
                                         "\\",
                                         "\\u0000",
                                         "\t",
                                         " ",
                                         "-",
                                         "-1",
                                         "1e999",
                                         "nan",
                                         "99999999999999999999",
                                         "0x",
                                         "1979-05-27",
                                         "true",
                                         "k = 5",
                                         "[fabric]",
                                         "[[fault]]",
                                         "fault = 3",
                                         "fabric.k = 8",
                                         "\xff",
                                         "\xc3",
                                         std::string(1, '\0'),
                                         "\xef\xbb\xbf",
                                         "µs",
                                         "%",
                                         "key",
                                         "\x1b[2J",
                                         "kind = \"leaf-spine\"",
                                         "kind = \"jellyfish\"",
                                         "kind = \"graphml\"",
                                         "file = \"alps\"",
                                         "file = \"/dev/zero\"",
                                         "degree = 3",
                                         "distribution = \"../../etc/passwd\"",
                                         "distribution = \"/dev/null\"",
                                         "pcap = [[[]]]"};

void mutate(std::string& text, Random& random) {
    const std::size_t at = random.below(text.size() + 1);
    const std::size_t length = 1 + random.below(20);
    switch (random.below(6)) {
        case 0: text.insert(at, pieces[random.below(pieces.size())]); break;
        case 1: text.erase(at, length); break;
        case 2:
            if (at < text.size()) text[at] = static_cast<char>(random.below(256));
            break;
        case 3: text.insert(at, text.substr(random.below(text.size() + 1), length)); break;
        case 4: text.resize(at); break;
        default: {
            const std::size_t line = text.find('\n', at);
            if (line != std::string::npos) text.erase(line, text.find('\n', line + 1) - line);
        }
    }
}

std::string mutated_override(Random& random) {
    static const std::vector<std::string> good = {"fault.0.from=agg-1-2", "tracking.rate=0.05",
                                                  "record.pcap=[\"a:b\"]", "run.drain=-"};
    std::string text = good[random.below(good.size())];
    for (std::size_t i = random.below(3); i > 0; --i)
        mutate(text, random);
    return text;
}

void expect_places_within(const Diagnostics& diagnostics, const std::string& text) {
    const auto lines = SourceText("f", text).line_count();
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        EXPECT_FALSE(diagnostic.message.empty());
        if (diagnostic.input == "mutated.toml") {
            EXPECT_LE(diagnostic.line, lines);
        }
        EXPECT_EQ(diagnostic.line == 0, diagnostic.column == 0);
    }
}

TEST(Mutation, NoTextMakesTheReaderFail) {
    const std::string original = demo();
    ASSERT_FALSE(original.empty());
    int read = 0;
    for (int round = 0; round < rounds; ++round) {
        Random random(seed + static_cast<std::uint64_t>(round) * 0x9e3779b97f4a7c15ULL);
        std::string text = original;
        for (std::size_t i = random.below(6); i > 0; --i)
            mutate(text, random);
        std::vector<std::string> overrides;
        for (std::size_t i = random.below(3); i > 0; --i)
            overrides.push_back(mutated_override(random));
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        Diagnostics diagnostics;
        const auto scenario = load_text("mutated.toml", text, overrides, diagnostics);
        ASSERT_EQ(scenario.has_value(), !diagnostics.has_errors());
        expect_places_within(diagnostics, text);
        EXPECT_EQ(diagnostics.all().empty(), diagnostics.to_text().empty());
        read += scenario ? 1 : 0;
    }
    // Some mutations land in comments; most break something.
    EXPECT_GT(read, rounds / 20);
    EXPECT_LT(read, rounds * 3 / 4);
}

}  // namespace
}  // namespace dyetrace::scenario
