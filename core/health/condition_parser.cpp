// SPDX-License-Identifier: GPL-2.0-or-later
// Reads conditions by recursive descent, no deeper than Condition::kDepthMost.
#include <algorithm>
#include <limits>
#include <optional>

#include "core/health/condition.h"
#include "core/health/condition_text.h"

namespace dyetrace::health {
namespace {

constexpr std::array<std::string_view, 4> kWords{"and", "or", "not", "for"};

/// Of a token, quoted, with nothing in it that a terminal would act upon.
std::string printable(std::string_view text) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    constexpr std::size_t kShown = 40;
    std::string out;
    for (const char c : text.substr(0, kShown)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
        }
    }
    if (text.size() > kShown) out += "...";
    return out;
}

std::string did_you_mean(std::string_view word) {
    return "did you mean \"" + std::string(word) + "\"?";
}

struct Unit {
    std::string_view name;
    FigureUnit of;
    std::int64_t size;
};
constexpr std::array<Unit, 7> kUnits{{{"%", FigureUnit::Share, 10'000'000},
                                      {"ppm", FigureUnit::Share, 1'000},
                                      {"ns", FigureUnit::Time, 1},
                                      {"us", FigureUnit::Time, 1'000},
                                      {"ms", FigureUnit::Time, 1'000'000},
                                      {"s", FigureUnit::Time, 1'000'000'000},
                                      {"", FigureUnit::Count, 1}}};

std::int64_t most_of(FigureUnit unit) {
    switch (unit) {
        case FigureUnit::Share: return 1'000'000'000;
        case FigureUnit::Time: return Condition::kHoldMost.ns;
        case FigureUnit::Count: return 1'000'000'000'000;
    }
    DYETRACE_ASSERT(false);
    return 0;
}

std::string_view units_text(FigureUnit unit) {
    switch (unit) {
        case FigureUnit::Share: return "a share in % or ppm";
        case FigureUnit::Time: return "a time in ns, us, ms or s";
        case FigureUnit::Count: return "a whole number";
    }
    DYETRACE_ASSERT(false);
    return {};
}

}  // namespace

std::string ConditionError::to_string() const {
    std::string text = std::to_string(line) + ':' + std::to_string(column) + ": " + message;
    if (!suggestion.empty()) text += "; " + suggestion;
    return text;
}

class ConditionParser {
  public:
    explicit ConditionParser(std::string_view text) : lexer_(text) { advance(); }

    Result<Condition, ConditionError> run() {
        if (!read_any(0) || !read_hold() || !expect_end()) return Failure{std::move(*error_)};
        return std::move(condition_);
    }

  private:
    using Kind = ConditionToken::Kind;
    using Step = Condition::Step;

    void advance() { token_ = lexer_.next(); }
    [[nodiscard]] bool is_word(std::string_view word) const {
        return token_.kind == Kind::Word && token_.text == word;
    }

    /// The first error is the one that is told. Returns false.
    bool fail(const std::string& what, std::string suggestion = {}) {
        if (error_) return false;
        ConditionError error;
        error.line = token_.line;
        error.column = token_.column;
        error.token = printable(token_.text);
        error.message = (token_.kind == Kind::End ? "the end of the text" : '"' + error.token + '"') + what;
        error.suggestion = std::move(suggestion);
        error_ = std::move(error);
        return false;
    }

    bool emit(Step step, Figure figure = Figure::Loss, std::int64_t value = 0) {
        if (condition_.steps_.size() >= Condition::kStepsMost)
            return fail(" is beyond the " + std::to_string(Condition::kStepsMost) +
                        " steps that a condition may have");
        condition_.steps_.push_back({step, figure, value});
        return true;
    }

    bool read_any(std::size_t depth) {
        if (!read_all(depth)) return false;
        while (is_word("or")) {
            advance();
            if (!read_all(depth) || !emit(Step::Or)) return false;
        }
        return true;
    }

    bool read_all(std::size_t depth) {
        if (!read_one(depth)) return false;
        while (is_word("and")) {
            advance();
            if (!read_one(depth) || !emit(Step::And)) return false;
        }
        return true;
    }

    bool read_one(std::size_t depth) {
        if (depth >= Condition::kDepthMost)
            return fail(" is deeper than the " + std::to_string(Condition::kDepthMost) +
                        " levels that may be");
        if (is_word("not")) {
            advance();
            return read_one(depth + 1) && emit(Step::Not);
        }
        if (token_.kind != Kind::Open) return read_comparison();
        advance();
        if (!read_any(depth + 1)) return false;
        if (token_.kind != Kind::Close) return fail_after_comparison(" stands where a \")\" belongs");
        advance();
        return true;
    }

    bool read_comparison() {
        if (token_.kind == Kind::End)
            return fail(" stands where a figure belongs", "figures are " + all_figures());
        if (token_.kind == Kind::Sign && token_.text == "!")
            return fail(" is no word of a condition", did_you_mean("not"));
        if (token_.kind != Kind::Word || is_any_word())
            return fail(" stands where a figure belongs", "figures are " + all_figures());
        const auto figure = figure_of(token_.text);
        if (!figure) {
            const std::string_view near = nearest_word(token_.text, figure_names());
            return fail(" is no figure", near.empty() ? "figures are " + all_figures() : did_you_mean(near));
        }
        advance();
        const auto step = read_sign();
        if (!step) return false;
        const auto value = read_value(unit_of(*figure));
        return value && emit(*step, *figure, *value) && (advance(), true);
    }

    std::optional<Step> read_sign() {
        static constexpr std::array<std::string_view, 4> kSigns{">", ">=", "<", "<="};
        if (token_.kind == Kind::Sign) {
            const auto* const it = std::find(kSigns.begin(), kSigns.end(), token_.text);
            if (it != kSigns.end()) {
                advance();
                return static_cast<Step>(it - kSigns.begin());
            }
        }
        fail(" stands where >, >=, < or <= belongs",
             token_.kind == Kind::Sign ? "measured figures are hardly ever equal to a value" : "");
        return std::nullopt;
    }

    /// Leaves the token where it is.
    std::optional<std::int64_t> read_value(FigureUnit unit) {
        const std::string wanted(units_text(unit));
        if (token_.kind != Kind::Number) {
            fail(" stands where " + wanted + " belongs");
            return std::nullopt;
        }
        const std::size_t end = std::min(token_.text.find_first_not_of("0123456789."), token_.text.size());
        const std::string_view digits = token_.text.substr(0, end);
        const std::string_view name = token_.text.substr(end);
        const auto* const it = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& known) {
            return known.name == name && known.of == unit;
        });
        if (it == kUnits.end()) {
            const bool bare_share = name.empty() && unit == FigureUnit::Share;
            fail(" stands where " + wanted + " belongs",
                 bare_share ? did_you_mean(std::string(digits) + '%') : std::string{});
            return std::nullopt;
        }
        return scale(digits, it->size, most_of(unit));
    }

    /// Exactly, in fixed point: what a text says reads back as it was.
    std::optional<std::int64_t> scale(std::string_view digits, std::int64_t size, std::int64_t most) {
        const std::size_t dot = std::min(digits.find('.'), digits.size());
        std::string_view fraction = digits.substr(std::min(dot + 1, digits.size()));
        if (fraction.find('.') != std::string_view::npos) {
            fail(" has two points");
            return std::nullopt;
        }
        std::int64_t value = 0;
        for (const char digit : digits.substr(0, dot)) {
            value = value * 10 + (digit - '0');
            if (value > most / size) break;
        }
        if (value > most / size) {
            fail(" is too large", "the most is " + value_text(most, unit_for(most)));
            return std::nullopt;
        }
        value *= size;
        while (!fraction.empty() && fraction.back() == '0')
            fraction.remove_suffix(1);
        for (const char digit : fraction) {
            if (size % 10 != 0) {
                fail(" is finer than what is told apart");
                return std::nullopt;
            }
            size /= 10;
            value += size * (digit - '0');
        }
        if (value > most) {
            fail(" is too large", "the most is " + value_text(most, unit_for(most)));
            return std::nullopt;
        }
        return value;
    }
    static FigureUnit unit_for(std::int64_t most) {
        for (const FigureUnit unit : {FigureUnit::Share, FigureUnit::Time}) {
            if (most == most_of(unit)) return unit;
        }
        return FigureUnit::Count;
    }

    bool read_hold() {
        if (!is_word("for")) return true;
        advance();
        const auto value = read_value(FigureUnit::Time);
        if (!value) return false;
        condition_.hold_ = Duration::nanoseconds(*value);
        advance();
        return true;
    }

    bool expect_end() {
        if (token_.kind == Kind::End) return true;
        if (condition_.hold_.ns > 0 || token_.kind == Kind::Close || token_.kind == Kind::Number)
            return fail(" stands behind the end of the condition");
        return fail_after_comparison(" stands where \"and\", \"or\", \"for\" or the end belongs");
    }

    bool fail_after_comparison(const std::string& what) {
        if (token_.text.starts_with('&')) return fail(what, did_you_mean("and"));
        if (token_.text.starts_with('|')) return fail(what, did_you_mean("or"));
        const std::string_view near =
            token_.kind == Kind::Word ? nearest_word(token_.text, kWords) : std::string_view{};
        return fail(what, near.empty() || near == token_.text ? std::string{} : did_you_mean(near));
    }

    [[nodiscard]] bool is_any_word() const {
        return std::find(kWords.begin(), kWords.end(), token_.text) != kWords.end();
    }

    static std::string all_figures() {
        std::string text;
        for (const std::string_view name : figure_names())
            text += (text.empty() ? "" : ", ") + std::string(name);
        return text;
    }

    ConditionLexer lexer_;
    ConditionToken token_;
    Condition condition_;
    std::optional<ConditionError> error_;
};

Result<Condition, ConditionError> Condition::parse(std::string_view text) {
    if (text.size() > kTextMost) {
        ConditionError error;
        error.message = "a condition of " + std::to_string(text.size()) + " bytes is longer than the " +
                        std::to_string(kTextMost) + " that may be";
        return Failure{std::move(error)};
    }
    return ConditionParser(text).run();
}

}  // namespace dyetrace::health
