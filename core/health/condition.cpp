// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/condition.h"

#include <algorithm>

#include "core/health/condition_text.h"

namespace dyetrace::health {
namespace {

Ternary ternary(bool value) {
    return value ? Ternary::True : Ternary::False;
}

Ternary negation(Ternary value) {
    return static_cast<Ternary>(2 - static_cast<int>(value));
}

}  // namespace

Ternary Condition::evaluate(const Figures& figures) const {
    // No more operands wait than there are steps, and the parser bounds those.
    std::array<Ternary, kStepsMost> stack{};
    std::size_t depth = 0;
    for (const Instruction& instruction : steps_) {
        if (instruction.step == Step::Not) {
            stack[depth - 1] = negation(stack[depth - 1]);
            continue;
        }
        if (instruction.step == Step::And || instruction.step == Step::Or) {
            const Ternary right = stack[--depth];
            const Ternary left = stack[depth - 1];
            stack[depth - 1] = instruction.step == Step::And ? std::min(left, right) : std::max(left, right);
            continue;
        }
        const std::optional<double>& figure = figures[instruction.figure];
        Ternary result = Ternary::Unknown;
        if (figure) {
            const double scale = unit_of(instruction.figure) == FigureUnit::Share ? 1e9 : 1.0;
            const double value = static_cast<double>(instruction.value) / scale;
            switch (instruction.step) {
                case Step::Greater: result = ternary(*figure > value); break;
                case Step::GreaterOrEqual: result = ternary(*figure >= value); break;
                case Step::Less: result = ternary(*figure < value); break;
                case Step::LessOrEqual: result = ternary(*figure <= value); break;
                case Step::And:
                case Step::Or:
                case Step::Not: DYETRACE_ASSERT(false);
            }
        }
        stack[depth++] = result;
    }
    return depth == 0 ? Ternary::False : stack[0];
}

std::string Condition::to_string() const {
    struct Text {
        std::string text;
        Step outermost;
    };
    std::vector<Text> stack;
    // "or" binds least, then "and", then "not".
    const auto bracketed = [](Text part, bool needed) {
        return needed ? '(' + std::move(part.text) + ')' : std::move(part.text);
    };
    for (const Instruction& instruction : steps_) {
        const auto is_pair = [](Step step) { return step == Step::And || step == Step::Or; };
        if (instruction.step == Step::Not) {
            Text part = std::move(stack.back());
            const bool needed = is_pair(part.outermost);
            stack.back() = {"not " + bracketed(std::move(part), needed), Step::Not};
        } else if (is_pair(instruction.step)) {
            Text right = std::move(stack.back());
            stack.pop_back();
            Text left = std::move(stack.back());
            // The parser reads a chain from the left, so a pair of the same kind on the right was in
            // brackets.
            const bool is_and = instruction.step == Step::And;
            const bool right_needed = is_pair(right.outermost) && (is_and || right.outermost == Step::Or);
            const bool left_needed = is_and && left.outermost == Step::Or;
            stack.back() = {bracketed(std::move(left), left_needed) + (is_and ? " and " : " or ") +
                                bracketed(std::move(right), right_needed),
                            instruction.step};
        } else {
            static constexpr std::array<std::string_view, 4> kSigns{" > ", " >= ", " < ", " <= "};
            stack.push_back({std::string(health::to_string(instruction.figure)) +
                                 std::string(kSigns[static_cast<std::size_t>(instruction.step)]) +
                                 value_text(instruction.value, unit_of(instruction.figure)),
                             instruction.step});
        }
    }
    if (stack.empty()) return {};
    std::string text = std::move(stack.front().text);
    if (hold_.ns > 0) text += " for " + value_text(hold_.ns, FigureUnit::Time);
    return text;
}

std::string_view to_string(Standing standing) {
    switch (standing) {
        case Standing::NotMeasured: return "not measured";
        case Standing::Outside: return "outside";
        case Standing::Inside: return "inside";
    }
    DYETRACE_ASSERT(false);
    return {};
}

bool ConditionTracker::update(Ternary holds, Duration hold, Time now) {
    const Standing wanted = static_cast<Standing>(holds == Ternary::Unknown ? 0
                                                  : holds == Ternary::False ? 1
                                                                            : 2);
    if (wanted != wanted_) {
        wanted_ = wanted;
        wanted_since_ = now;
    }
    if (wanted == standing_) return false;
    const bool of_trouble = wanted == Standing::Inside || standing_ == Standing::Inside;
    if (of_trouble && now - wanted_since_ < hold) return false;
    standing_ = wanted;
    since_ = now;
    return true;
}

}  // namespace dyetrace::health
