// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/types.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "scenarios/reader/spelling.h"
#include "scenarios/reader/units.h"

namespace dyetrace::scenario {
namespace {

constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

std::string quoted(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

std::vector<std::string> all_quoted(const std::vector<std::string>& texts) {
    std::vector<std::string> all;
    all.reserve(texts.size());
    for (const std::string& text : texts)
        all.push_back(quoted(text));
    return all;
}

/// An override's text, without the quotes that someone may have put around it.
std::string_view unquoted(std::string_view text) {
    const bool has_quotes =
        text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back();
    return has_quotes ? text.substr(1, text.size() - 2) : text;
}

/// The text of a text value, in a file or an override.
std::optional<std::string> text_of(const Node& node) {
    if (const auto* text = node.as<std::string>()) return *text;
    if (const auto* raw = node.as<RawText>()) return std::string(unquoted(raw->text));
    return std::nullopt;
}

Problem wrong_type(const Node& node, std::string_view wanted, std::string suggestion = {}) {
    return {fmt::format("this is {}, where {} belongs", node.type_name(), wanted), std::move(suggestion)};
}

Problem out_of_range(std::string_view value, std::string_view range) {
    return {fmt::format("{} is out of range: {}", value, range), ""};
}

/// Shared by rate and size: parse, then look at the range.
Result<std::uint64_t, Problem> in_range(const Result<std::int64_t, Problem>& value, const std::string& text,
                                        std::uint64_t least, std::uint64_t most, const std::string& range) {
    if (!value) return Failure{value.error()};
    if (*value < 0) return Failure{Problem{fmt::format("\"{}\" is negative; allowed: {}", text, range), ""}};
    const auto amount = static_cast<std::uint64_t>(*value);
    if (amount < least || amount > most) return Failure{out_of_range(quoted(text), range)};
    return amount;
}

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; !text.empty() && at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        parts.emplace_back(unquoted(text.substr(at, comma - at)));
        at = comma + 1;
    }
    return parts;
}

/// For a number where a quantity belongs: the number with the unit that it most likely has.
std::string with_unit(const Node& node, std::string_view unit) {
    if (const auto* integer = node.as<std::int64_t>())
        return fmt::format("give the unit, in quotes: \"{}{}\"", *integer, unit);
    if (const auto* number = node.as<double>())
        return fmt::format("give the unit, in quotes: \"{}{}\"", *number, unit);
    return "";
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Result<Duration, Problem> DurationType::read(const Node& node) const {
    const auto text = text_of(node);
    if (!text) return Failure{wrong_type(node, "a duration", with_unit(node, "s"))};
    auto value = parse_duration(*text);
    if (!value) return value;
    if (value->ns < 0 && least.ns >= 0) {
        return Failure{Problem{fmt::format("\"{}\" is negative; allowed: {}", *text, range()), ""}};
    }
    if (or_zero && *value == Duration{}) return value;
    if (*value < least || *value > most) return Failure{out_of_range(quoted(*text), range())};
    return value;
}

std::string DurationType::range() const {
    const std::string zero = or_zero ? format_duration({}) + ", or " : "";
    return fmt::format("{}{} to {}", zero, format_duration(least), format_duration(most));
}

std::string DurationType::show(Duration value) const {
    return quoted(format_duration(value));
}

Result<std::uint64_t, Problem> RateType::read(const Node& node) const {
    const auto text = text_of(node);
    if (!text) return Failure{wrong_type(node, "a rate", with_unit(node, "bps"))};
    return in_range(parse_rate(*text), *text, least, most, range());
}

std::string RateType::range() const {
    return fmt::format("{} to {}", format_rate(least), format_rate(most));
}

std::string RateType::show(std::uint64_t value) const {
    return quoted(format_rate(value));
}

Result<std::uint64_t, Problem> SizeType::read(const Node& node) const {
    const auto text = text_of(node);
    if (!text) return Failure{wrong_type(node, "a size", with_unit(node, "B"))};
    return in_range(parse_size(*text), *text, least, most, range());
}

std::string SizeType::range() const {
    return fmt::format("{} to {}", format_size(least), format_size(most));
}

std::string SizeType::show(std::uint64_t value) const {
    return quoted(format_size(value));
}

Result<double, Problem> ShareType::read(const Node& node) const {
    double value = 0;
    std::string written;
    if (const auto* integer = node.as<std::int64_t>()) {
        value = static_cast<double>(*integer);
        written = std::to_string(*integer);
    } else if (const auto* number = node.as<double>()) {
        value = *number;
        written = format_number(value);
    } else if (const auto text = text_of(node)) {
        auto parsed = parse_fraction(*text);
        if (!parsed) return parsed;
        value = *parsed;
        written = quoted(*text);
    } else {
        return Failure{wrong_type(node, "a share", "write 0.01 or \"1%\"")};
    }
    // Written so that NaN, which TOML has, is out of range too.
    const bool is_in_range = value >= least && value <= 1;
    if (is_in_range) return value == 0 ? 0.0 : value;
    Problem problem = out_of_range(written, range());
    if (value > 1 && value <= 100 && written.find('%') == std::string::npos) {
        problem.suggestion = fmt::format("did you mean \"{}%\"?", format_number(value));
    }
    return Failure{problem};
}

std::string ShareType::range() const {
    return fmt::format("{0:g} to 1, or \"{1:g}%\" to \"100%\"", least, least * 100);
}

std::string ShareType::show(double value) const {
    return format_number(value);
}

Result<std::int64_t, Problem> IntegerType::read(const Node& node) const {
    std::int64_t value = 0;
    if (const auto* integer = node.as<std::int64_t>()) {
        value = *integer;
    } else if (const auto* raw = node.as<RawText>()) {
        const char* end = raw->text.data() + raw->text.size();
        const auto [stop, error] = std::from_chars(raw->text.data(), end, value);
        if (error == std::errc::result_out_of_range && stop == end)
            return Failure{out_of_range(raw->text, range())};
        if (error != std::errc() || stop != end) {
            return Failure{Problem{fmt::format("\"{}\" is not an integer", raw->text), ""}};
        }
    } else if (node.as<std::string>() != nullptr) {
        return Failure{wrong_type(node, "an integer", "without quotes")};
    } else {
        return Failure{wrong_type(node, "an integer")};
    }
    if (value < least || value > most) return Failure{out_of_range(std::to_string(value), range())};
    if (even && value % 2 != 0) {
        const std::int64_t above = value + 1 <= most ? value + 1 : value - 1;
        return Failure{Problem{fmt::format("{} is odd; allowed: {}", value, range()),
                               fmt::format("for example {}", above)}};
    }
    return value;
}

std::string IntegerType::range() const {
    return fmt::format("{}{}{}", even ? "even, " : "", least,
                       most == greatest ? " or more" : fmt::format(" to {}", most));
}

Result<bool, Problem> BooleanType::read(const Node& node) const {
    if (const auto* value = node.as<bool>()) return *value;
    if (const auto* raw = node.as<RawText>()) {
        if (raw->text == "true") return true;
        if (raw->text == "false") return false;
        return Failure{Problem{fmt::format("\"{}\" is neither true nor false", raw->text), ""}};
    }
    const bool is_text = node.as<std::string>() != nullptr;
    return Failure{wrong_type(node, "true or false", is_text ? "without quotes" : "")};
}

Result<std::string, Problem> TextType::read(const Node& node) const {
    auto text = text_of(node);
    if (!text) return Failure{wrong_type(node, "a text")};
    if (text->empty()) return Failure{Problem{"this text is empty", ""}};
    if (has_control_character(*text)) return Failure{Problem{"this text has a control character in it", ""}};
    return *std::move(text);
}

std::string TextType::show(const std::string& value) const {
    return quoted(value);
}

Result<std::vector<std::string>, Problem> TextListType::read(const Node& node) const {
    std::vector<std::string> texts;
    const Array* array = node.as<Array>();
    Node parsed;
    if (const auto* raw = node.as<RawText>()) {
        if (raw->text.starts_with('[')) {
            parsed = parse_value(raw->text, node.place);
            array = parsed.as<Array>();
            if (array == nullptr)
                return Failure{
                    Problem{fmt::format("{} is not a TOML list", raw->text), "write [\"a\", \"b\"] or a,b"}};
        } else {
            texts = split_at_commas(raw->text);
        }
    } else if (array == nullptr) {
        const auto* text = node.as<std::string>();
        return Failure{
            wrong_type(node, "a list", text != nullptr ? fmt::format("in brackets: [\"{}\"]", *text) : "")};
    }
    if (array != nullptr) {
        for (const Node& element : *array) {
            auto text = TextType{what}.read(element);
            if (!text) return Failure{Problem{text.error().message, text.error().suggestion, element.place}};
            texts.push_back(*std::move(text));
        }
    }
    if (texts.size() > most)
        return Failure{Problem{fmt::format("{} entries; at most {} are allowed", texts.size(), most), ""}};
    return texts;
}

std::string TextListType::show(const std::vector<std::string>& value) const {
    return fmt::format("[{}]", fmt::join(all_quoted(value), ", "));
}

Result<std::vector<std::uint32_t>, Problem> IntegerListType::read(const Node& node) const {
    const Array* array = node.as<Array>();
    Array parts;
    if (const auto* raw = node.as<RawText>()) {
        std::string_view text = raw->text;
        if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
        for (const std::string& part : split_at_commas(text)) {
            const std::size_t begin = std::min(part.find_first_not_of(' '), part.size());
            parts.push_back(
                {node.place, RawText{part.substr(begin, part.find_last_not_of(' ') + 1 - begin)}});
        }
        array = &parts;
    } else if (array == nullptr) {
        const auto* number = node.as<std::int64_t>();
        return Failure{
            wrong_type(node, "a list", number != nullptr ? fmt::format("in brackets: [{}]", *number) : "")};
    }
    Value values;
    for (const Node& element : *array) {
        const auto value = IntegerType{least, greatest}.read(element);
        if (!value) return Failure{Problem{value.error().message, value.error().suggestion, element.place}};
        values.push_back(static_cast<std::uint32_t>(*value));
    }
    if (values.size() > most)
        return Failure{Problem{fmt::format("{} entries; at most {} are allowed", values.size(), most), ""}};
    return values;
}

std::string IntegerListType::range() const {
    return fmt::format("{}, each {} to {}", what, least, greatest);
}

std::string IntegerListType::show(const Value& value) const {
    return fmt::format("[{}]", fmt::join(value, ", "));
}

Result<SecretType::Value, Problem> SecretType::read(const Node& node) const {
    const auto text = text_of(node);
    if (!text) return Failure{wrong_type(node, "a key")};
    const auto digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    Value key{};
    if (text->size() != 2 * key.size()) {
        return Failure{
            Problem{fmt::format("a key has 64 hexadecimal digits; this has {} characters", text->size()),
                    "make one with: openssl rand -hex 32"}};
    }
    for (std::size_t i = 0; i < key.size(); ++i) {
        const int high = digit((*text)[2 * i]);
        const int low = digit((*text)[2 * i + 1]);
        if (high < 0 || low < 0) {
            return Failure{Problem{
                fmt::format("character {} of the key is not a hexadecimal digit", 2 * i + (high < 0 ? 1 : 2)),
                ""}};
        }
        key[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return key;
}

std::string SecretType::show(const Value& value) const {
    std::string digits;
    for (const std::uint8_t byte : value)
        digits += fmt::format("{:02x}", byte);
    return quoted(digits);
}

Result<std::size_t, Problem> read_word(const Node& node, const std::vector<std::string>& words) {
    const auto text = text_of(node);
    if (!text) return Failure{wrong_type(node, show_choices(words))};
    const auto found = std::find(words.begin(), words.end(), *text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    return Failure{
        Problem{fmt::format("\"{}\" is not {}", *text, show_choices(words)), did_you_mean(*text, words)}};
}

std::string show_choices(const std::vector<std::string>& words) {
    const std::vector<std::string> all = all_quoted(words);
    if (all.size() < 2) return fmt::format("{}", fmt::join(all, ""));
    return fmt::format("{} or {}", fmt::join(all.begin(), all.end() - 1, ", "), all.back());
}

}  // namespace dyetrace::scenario
