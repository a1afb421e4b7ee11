// SPDX-License-Identifier: GPL-2.0-or-later
// A tenant's own health state: a condition over several figures, with for how long it has to hold.
//
//   loss > 0.5% and delay_p99 > 2ms for 3s
//   (ce > 10% or jitter > 500us) and not packets < 100 for 1s
//
//   condition  = any [ "for" time ]
//   any        = all { "or" all }
//   all        = one { "and" one }
//   one        = "not" one | "(" any ")" | figure ( ">" | ">=" | "<" | "<=" ) value
//   value      = number unit: "%" or "ppm" of a share, "ns", "us", "ms" or "s" of a time, none of a count
//
// Logic has three values (Kleene, "Introduction to Metamathematics", 1952, §64): a comparison with what was
// not measured is unknown, so `loss > 1%` without packets is neither true nor false, and `loss > 1% or ce >
// 5%` is true whenever one of the two is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/pair_figures.h"

namespace dyetrace::health {

enum class Ternary : std::uint8_t { False, Unknown, True };

/// Why a text is no condition. Lines and columns count from 1, columns in bytes.
struct ConditionError {
    std::size_t line = 1;
    std::size_t column = 1;
    std::string token;       ///< where reading stopped, printable; empty at the end of the text
    std::string message;     ///< names the token
    std::string suggestion;  ///< a sentence, or empty

    /// "1:6: \"los\" is no figure; did you mean \"loss\"?"
    [[nodiscard]] std::string to_string() const;
};

class Condition {
  public:
    static constexpr std::size_t kTextMost = 1024;  ///< bytes
    static constexpr std::size_t kStepsMost = 64;   ///< comparisons and words between them
    static constexpr std::size_t kDepthMost = 16;   ///< of brackets and "not" inside each other
    static constexpr Duration kHoldMost = Duration::seconds(86'400);

    /// Which is never true: what a default-constructed one says.
    Condition() = default;

    static Result<Condition, ConditionError> parse(std::string_view text);
    /// Reads back as the same condition, with no more brackets than it needs.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] Ternary evaluate(const Figures& figures) const;
    /// For how long it has to hold; zero: at once.
    [[nodiscard]] Duration hold() const { return hold_; }

    bool operator==(const Condition&) const = default;

  private:
    friend class ConditionParser;
    enum class Step : std::uint8_t { Greater, GreaterOrEqual, Less, LessOrEqual, And, Or, Not };
    /// In postfix order.
    struct Instruction {
        Step step = Step::And;
        Figure figure = Figure::Loss;
        std::int64_t value = 0;  ///< shares in parts of 10^9, times in ns, counts as they are
        bool operator==(const Instruction&) const = default;
    };

    std::vector<Instruction> steps_;
    Duration hold_;
};

/// How a pair stands to a condition.
enum class Standing : std::uint8_t { NotMeasured, Outside, Inside };
inline constexpr std::size_t kStandings = 3;
std::string_view to_string(Standing standing);

/// Follows one condition of one pair. Entering takes as long as the condition says, without a break, and so
/// does leaving, so a pair at the threshold does not flap; between "outside" and "not measured", where no
/// trouble is claimed, it goes at once.
class ConditionTracker {
  public:
    /// Takes what holds now. Returns whether the standing changed by it. `now` must not run backwards.
    bool update(Ternary holds, Duration hold, Time now);
    [[nodiscard]] Standing standing() const { return standing_; }
    [[nodiscard]] Time since() const { return since_; }  ///< when it changed last

  private:
    Standing standing_ = Standing::NotMeasured;
    Standing wanted_ = Standing::NotMeasured;
    Time wanted_since_;
    Time since_;
};

}  // namespace dyetrace::health
