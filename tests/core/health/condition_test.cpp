// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/condition.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/health/condition_text.h"

namespace dyetrace::health {
namespace {

Condition parsed(std::string_view text) {
    auto condition = Condition::parse(text);
    if (condition) return std::move(condition).value();
    ADD_FAILURE() << condition.error().to_string();
    return {};
}

std::string error_of(std::string_view text) {
    const auto condition = Condition::parse(text);
    return condition ? "none: " + condition.value().to_string() : condition.error().to_string();
}

Figures figures(std::optional<double> loss, std::optional<double> ce) {
    Figures out;
    out[Figure::Loss] = loss;
    out[Figure::Ce] = ce;
    return out;
}

TEST(ConditionText, ReadsBackInOneForm) {
    for (const auto& [text, form] : {
             std::pair<std::string_view, std::string_view>{"loss > 0.5% and delay_p99 > 2ms for 3s",
                                                           "loss > 0.5% and delay_p99 > 2ms for 3s"},
             {"(ce > 10% or jitter > 500us) for 1s", "ce > 10% or jitter > 500us for 1s"},
             {"loss>=5000ppm", "loss >= 0.5%"},
             {"((loss<1%))", "loss < 1%"},
             {"not (loss < 1% or ce < 2%)", "not (loss < 1% or ce < 2%)"},
             {"not not loss < 1%", "not not loss < 1%"},
             {"(loss > 1% or ce > 1%) and packets > 100", "(loss > 1% or ce > 1%) and packets > 100"},
             {"loss > 1% or ce > 1% and packets > 100", "loss > 1% or ce > 1% and packets > 100"},
             {"loss > 1% or (ce > 1% or packets > 100)", "loss > 1% or (ce > 1% or packets > 100)"},
             {"queueing > 1.5ms\n for 1500ms", "queueing > 1500us for 1500ms"},
             {"delay > .5us", "delay > 500ns"},
             {"jitter > 0ns", "jitter > 0ns"},
             {"loss > 0.0000001%", "loss > 0.0000001%"},
             {"loss > 100%", "loss > 100%"},
             {"delay < 1s for 0s", "delay < 1s"},
         }) {
        const Condition condition = parsed(text);
        EXPECT_EQ(condition.to_string(), form) << text;
        EXPECT_EQ(parsed(condition.to_string()), condition) << text;
    }
}

TEST(ConditionText, ErrorsHaveAPlaceNameTheTokenAndSuggest) {
    EXPECT_EQ(error_of("los > 1%"), R"(1:1: "los" is no figure; did you mean "loss"?)");
    EXPECT_EQ(error_of("loss > 1% and\n  delay_99 > 2ms"),
              R"(2:3: "delay_99" is no figure; did you mean "delay_p99"?)");
    EXPECT_EQ(error_of("dup > 1%"), R"(1:1: "dup" is no figure; did you mean "duplicated"?)");
    EXPECT_EQ(error_of("loss > 1"),
              R"(1:8: "1" stands where a share in % or ppm belongs; did you mean "1%"?)");
    EXPECT_EQ(error_of("loss > 2ms"), R"(1:8: "2ms" stands where a share in % or ppm belongs)");
    EXPECT_EQ(error_of("delay > 2m"), R"(1:9: "2m" stands where a time in ns, us, ms or s belongs)");
    EXPECT_EQ(error_of("packets > 2%"), R"(1:11: "2%" stands where a whole number belongs)");
    EXPECT_EQ(error_of("packets > 2.5"), R"(1:11: "2.5" is finer than what is told apart)");
    EXPECT_EQ(error_of("delay > 0.5ns"), R"(1:9: "0.5ns" is finer than what is told apart)");
    EXPECT_EQ(error_of("loss > 1.2.3%"), R"(1:8: "1.2.3%" has two points)");
    EXPECT_EQ(error_of("loss > 100.5%"), R"(1:8: "100.5%" is too large; the most is 100%)");
    EXPECT_EQ(error_of("delay > 99999999999999999999999s"),
              R"(1:9: "99999999999999999999999s" is too large; the most is 86400s)");
    EXPECT_EQ(
        error_of("loss = 1%"),
        R"(1:6: "=" stands where >, >=, < or <= belongs; measured figures are hardly ever equal to a value)");
    EXPECT_EQ(error_of("loss > 1% && ce > 1%"),
              R"(1:11: "&&" stands where "and", "or", "for" or the end belongs; did you mean "and"?)");
    EXPECT_EQ(error_of("loss > 1% fro 3s"),
              R"(1:11: "fro" stands where "and", "or", "for" or the end belongs; did you mean "for"?)");
    EXPECT_EQ(error_of("!loss > 1%"), R"(1:1: "!" is no word of a condition; did you mean "not"?)");
    EXPECT_EQ(error_of("(loss > 1%"), R"-(1:11: the end of the text stands where a ")" belongs)-");
    EXPECT_EQ(error_of("loss > 1%)"), R"-(1:10: ")" stands behind the end of the condition)-");
    EXPECT_EQ(error_of("loss > 1% for 3s for 4s"), R"(1:18: "for" stands behind the end of the condition)");
    EXPECT_EQ(error_of("loss > 1% for"),
              R"(1:14: the end of the text stands where a time in ns, us, ms or s belongs)");
}

TEST(ConditionText, NamesTheEndOfTheText) {
    for (const std::string_view text : {"", " \n", "loss", "loss >", "loss > 1% and", "not", "("}) {
        const auto condition = Condition::parse(text);
        ASSERT_FALSE(condition.ok()) << text;
        EXPECT_TRUE(condition.error().token.empty()) << text;
        EXPECT_NE(condition.error().message.find("the end of the text"), std::string::npos) << text;
    }
}

TEST(ConditionText, WhatATerminalWouldActUponIsSpeltOut) {
    EXPECT_NE(error_of("\x1b[31m").find(R"("\x1b")"), std::string::npos);
    EXPECT_NE(error_of("loss > 1% \xc3").find(R"("\xc3")"), std::string::npos);
}

TEST(ConditionText, EveryBoundRefusesOneMore) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "ce>1%" + std::string(depth, ')');
    };
    EXPECT_TRUE(Condition::parse(nested(Condition::kDepthMost - 1)).ok());
    EXPECT_NE(error_of(nested(Condition::kDepthMost)).find("deeper than the 16 levels"), std::string::npos);
    std::string nots;
    for (std::size_t i = 0; i < Condition::kDepthMost; ++i)
        nots += "not ";
    EXPECT_NE(error_of(nots + "ce>1%").find("deeper"), std::string::npos);

    // 32 comparisons and the 31 words between them are 63 steps.
    std::string chain = "ce>1%";
    for (int i = 0; i < 31; ++i)
        chain += " or ce>1%";
    EXPECT_TRUE(Condition::parse(chain).ok());
    EXPECT_NE(error_of(chain + " or ce>1%").find("beyond the 64 steps"), std::string::npos);

    EXPECT_TRUE(Condition::parse("ce>1%" + std::string(Condition::kTextMost - 5, ' ')).ok());
    EXPECT_NE(error_of("ce>1%" + std::string(Condition::kTextMost - 4, ' ')).find("longer than the 1024"),
              std::string::npos);
}

TEST(Condition, ComparesExactlyAtTheThreshold) {
    EXPECT_EQ(parsed("loss > 0.5%").evaluate(figures(5.0 / 1000, {})), Ternary::False);
    EXPECT_EQ(parsed("loss >= 0.5%").evaluate(figures(5.0 / 1000, {})), Ternary::True);
    EXPECT_EQ(parsed("loss < 0.5%").evaluate(figures(5.0 / 1000, {})), Ternary::False);
    EXPECT_EQ(parsed("loss <= 0.5%").evaluate(figures(5.0 / 1000, {})), Ternary::True);
    EXPECT_EQ(parsed("loss > 0.5%").evaluate(figures(6.0 / 1000, {})), Ternary::True);
}

TEST(Condition, LogicHasThreeValues) {
    const std::optional<double> values[] = {0.0, std::nullopt, 1.0};
    const Condition both = parsed("loss > 50% and ce > 50%");
    const Condition either = parsed("loss > 50% or ce > 50%");
    const Condition neither = parsed("not (loss > 50% or ce > 50%)");
    for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) {
            const Figures at = figures(values[i], values[j]);
            EXPECT_EQ(both.evaluate(at), static_cast<Ternary>(std::min(i, j)));
            EXPECT_EQ(either.evaluate(at), static_cast<Ternary>(std::max(i, j)));
            EXPECT_EQ(neither.evaluate(at), static_cast<Ternary>(2 - std::max(i, j)));
        }
    }
}

TEST(Condition, AndBindsCloserThanOr) {
    const Condition condition = parsed("loss > 50% or ce > 50% and packets > 10");
    Figures at = figures(1.0, 0.0);
    at[Figure::Packets] = 0;
    EXPECT_EQ(condition.evaluate(at), Ternary::True);
    EXPECT_EQ(parsed("(loss > 50% or ce > 50%) and packets > 10").evaluate(at), Ternary::False);
}

TEST(Condition, DefaultOneIsNeverTrue) {
    EXPECT_EQ(Condition{}.evaluate(figures(1.0, 1.0)), Ternary::False);
}

/// A random condition as text, with every bracket written.
std::string random_text(Random& random, int depth) {
    static constexpr std::string_view kOnes[] = {"loss > 1%",        "ce >= 0.25%",   "jitter < 3us",
                                                 "delay_p99 <= 7ms", "packets > 100", "loss < 50%"};
    switch (depth == 0 ? 0 : random.below(4)) {
        case 1: return '(' + random_text(random, depth - 1) + " and " + random_text(random, depth - 1) + ')';
        case 2: return '(' + random_text(random, depth - 1) + " or " + random_text(random, depth - 1) + ')';
        case 3: return "not (" + random_text(random, depth - 1) + ')';
        default: return std::string(kOnes[random.below(6)]);
    }
}

TEST(Condition, RandomOnesReadBackAndSayTheSame) {
    Random random(20261127);
    for (int round = 0; round < 2000; ++round) {
        const std::string text = random_text(random, 4);
        const auto condition = Condition::parse(text);
        ASSERT_TRUE(condition.ok()) << text << ": " << condition.error().to_string();
        const auto again = Condition::parse(condition->to_string());
        ASSERT_TRUE(again.ok()) << condition->to_string();
        ASSERT_EQ(again.value(), condition.value()) << text << " as " << condition->to_string();
    }
}

TEST(ConditionTracker, EntersWhenItHasHeldLongEnough) {
    const Duration hold = Duration::seconds(3);
    ConditionTracker tracker;
    EXPECT_FALSE(tracker.update(Ternary::True, hold, Time{0}));
    EXPECT_FALSE(tracker.update(Ternary::True, hold, Time{2'999'999'999}));
    EXPECT_TRUE(tracker.update(Ternary::True, hold, Time{3'000'000'000}));
    EXPECT_EQ(tracker.standing(), Standing::Inside);
    EXPECT_EQ(tracker.since(), Time{3'000'000'000});
}

TEST(ConditionTracker, ABreakBeginsAnew) {
    const Duration hold = Duration::seconds(3);
    for (const Ternary other : {Ternary::False, Ternary::Unknown}) {
        ConditionTracker tracker;
        tracker.update(Ternary::True, hold, Time{0});
        tracker.update(other, hold, Time{2'000'000'000});
        tracker.update(Ternary::True, hold, Time{2'100'000'000});
        EXPECT_FALSE(tracker.update(Ternary::True, hold, Time{5'000'000'000}));
        EXPECT_TRUE(tracker.update(Ternary::True, hold, Time{5'100'000'000}));
    }
}

TEST(ConditionTracker, LeavesAsSlowlyAsItEntered) {
    const Duration hold = Duration::seconds(1);
    ConditionTracker tracker;
    tracker.update(Ternary::True, hold, Time{0});
    tracker.update(Ternary::True, hold, Time{1'000'000'000});
    ASSERT_EQ(tracker.standing(), Standing::Inside);
    // One look above and one below in turn is no leaving.
    for (int i = 0; i < 40; ++i)
        EXPECT_FALSE(tracker.update(i % 2 == 0 ? Ternary::False : Ternary::True, hold,
                                    Time{1'000'000'000 + (i + 1) * 100'000'000LL}));
    EXPECT_FALSE(tracker.update(Ternary::False, hold, Time{6'000'000'000}));
    EXPECT_TRUE(tracker.update(Ternary::False, hold, Time{7'000'000'000}));
    EXPECT_EQ(tracker.standing(), Standing::Outside);
}

TEST(ConditionTracker, ClaimsNoTroubleBetweenOutsideAndNotMeasured) {
    const Duration hold = Duration::seconds(10);
    ConditionTracker tracker;
    EXPECT_TRUE(tracker.update(Ternary::False, hold, Time{0}));
    EXPECT_EQ(tracker.standing(), Standing::Outside);
    EXPECT_TRUE(tracker.update(Ternary::Unknown, hold, Time{1}));
    EXPECT_EQ(tracker.standing(), Standing::NotMeasured);
}

TEST(ConditionTracker, SilenceLongerThanTheHoldIsNotMeasured) {
    const Duration hold = Duration::seconds(1);
    ConditionTracker tracker;
    tracker.update(Ternary::True, Duration{}, Time{0});
    ASSERT_EQ(tracker.standing(), Standing::Inside);
    EXPECT_FALSE(tracker.update(Ternary::Unknown, hold, Time{1}));
    EXPECT_TRUE(tracker.update(Ternary::Unknown, hold, Time{1'000'000'001}));
    EXPECT_EQ(tracker.standing(), Standing::NotMeasured);
}

}  // namespace
}  // namespace dyetrace::health
