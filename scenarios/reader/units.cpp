// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/units.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "scenarios/reader/spelling.h"

namespace dyetrace::scenario {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t scale;  ///< of the quantity's smallest unit
};

struct Quantity {
    std::string_view what;      ///< "a duration"
    std::string_view example;   ///< "20ms"
    std::string_view smallest;  ///< "a nanosecond"
    std::string_view longest;   ///< "is longer than 292 years"
    std::span<const Unit> units;
};

constexpr Unit duration_units[] = {{"ns", 1},
                                   {"us", 1'000},
                                   {"ms", 1'000'000},
                                   {"s", 1'000'000'000},
                                   {"min", 60'000'000'000},
                                   {"h", 3'600'000'000'000},
                                   {"µs", 1'000},   // U+00B5 micro sign
                                   {"μs", 1'000}};  // U+03BC Greek mu
constexpr Unit rate_units[] = {
    {"bps", 1}, {"kbps", 1'000}, {"Mbps", 1'000'000}, {"Gbps", 1'000'000'000}, {"Tbps", 1'000'000'000'000}};
constexpr Unit size_units[] = {{"B", 1},         {"kB", 1'000},    {"MB", 1'000'000}, {"GB", 1'000'000'000},
                               {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

constexpr Quantity duration_quantity{"a duration", "20ms", "a nanosecond", "is longer than 292 years",
                                     duration_units};
constexpr Quantity rate_quantity{"a rate", "10Gbps", "a bit per second", "is more than 9e18 bits per second",
                                 rate_units};
constexpr Quantity size_quantity{"a size", "150kB", "a byte", "is more than 9e18 bytes", size_units};

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// A decimal number in two parts: digits without the point, and how many of them stood after it.
struct Decimal {
    bool negative = false;
    std::string digits;
    std::size_t decimals = 0;
};

/// Takes "-12.50" off the front of `text`; nothing where there is no such number.
std::optional<Decimal> take_decimal(std::string_view& text) {
    Decimal number;
    std::size_t at = 0;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) number.negative = text[at++] == '-';
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at]))
        number.digits += text[at++];
    if (at == first) return std::nullopt;
    if (at < text.size() && text[at] == '.') {
        const std::size_t point = at++;
        while (at < text.size() && is_digit(text[at]))
            number.digits += text[at++];
        number.decimals = at - point - 1;
        if (number.decimals == 0) return std::nullopt;
    }
    while (number.decimals > 0 && number.digits.back() == '0') {
        number.digits.pop_back();
        --number.decimals;
    }
    number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size() - 1));
    text.remove_prefix(at);
    return number;
}

enum class Inexact : std::uint8_t { TooFine, TooLarge };

/// number * scale as an integer, exactly.
Result<std::int64_t, Inexact> scaled(const Decimal& number, std::int64_t scale) {
    __extension__ using Wide = __int128;
    constexpr Wide most = std::numeric_limits<std::int64_t>::max();
    Wide divisor = 1;
    for (std::size_t i = 0; i < number.decimals; ++i) {
        // Nobody means more decimals than this, and what follows stays within 128 bits.
        if (i == 18) return Failure{Inexact::TooFine};
        divisor *= 10;
    }
    Wide value = 0;
    for (const char digit : number.digits) {
        value = value * 10 + (digit - '0');
        if (value / divisor > most) return Failure{Inexact::TooLarge};
    }
    const Wide whole = value / divisor;
    if (whole > most / scale) return Failure{Inexact::TooLarge};
    const Wide rest = value % divisor * scale;
    if (rest % divisor != 0) return Failure{Inexact::TooFine};
    const Wide result = whole * scale + rest / divisor;
    if (result > most) return Failure{Inexact::TooLarge};
    return static_cast<std::int64_t>(number.negative ? -result : result);
}

std::string names_of(std::span<const Unit> units) {
    std::string names;
    for (const Unit& unit : units) {
        if (static_cast<unsigned char>(unit.name.front()) >= 0x80) continue;  // other spellings of us
        if (!names.empty()) names += ", ";
        names += unit.name;
    }
    return names;
}

/// The unit that was most likely meant, for "10G", "10gbps", "150k".
std::string_view likely_unit(std::string_view written, std::span<const Unit> units) {
    for (const Unit& unit : units) {
        if (equal_but_case(unit.name, written)) return unit.name;
    }
    for (const Unit& unit : units) {
        if (!written.empty() && unit.name.starts_with(written)) return unit.name;
    }
    for (const Unit& unit : units) {
        if (!written.empty() && starts_with_but_case(unit.name, written)) return unit.name;
    }
    std::vector<std::string> names;
    for (const Unit& unit : units)
        names.emplace_back(unit.name);
    const auto near = nearest(written, names);
    for (const Unit& unit : units) {
        if (near && unit.name == *near) return unit.name;
    }
    return {};
}

Problem unknown_unit(std::string_view text, std::string_view number, std::string_view written,
                     const Quantity& quantity) {
    Problem problem;
    const std::string_view likely = likely_unit(written, quantity.units);
    if (written.empty()) {
        problem.message = fmt::format("\"{}\" has no unit; {} needs one of {}", text, quantity.what,
                                      names_of(quantity.units));
        problem.suggestion = fmt::format("for example \"{}\"", quantity.example);
    } else {
        problem.message = fmt::format("unknown unit \"{}\" in \"{}\"; {} has one of {}", written, text,
                                      quantity.what, names_of(quantity.units));
        if (!likely.empty()) problem.suggestion = fmt::format("did you mean \"{}{}\"?", number, likely);
    }
    return problem;
}

Result<std::int64_t, Problem> parse_quantity(std::string_view text, const Quantity& quantity) {
    std::string_view rest = text;
    const auto number = take_decimal(rest);
    if (!number) {
        return Failure{Problem{fmt::format("\"{}\" is not {}", text, quantity.what),
                               fmt::format("write a number and a unit, such as \"{}\"", quantity.example)}};
    }
    const std::string_view digits = text.substr(0, text.size() - rest.size());
    while (rest.starts_with(' '))
        rest.remove_prefix(1);
    const auto unit = std::find_if(quantity.units.begin(), quantity.units.end(),
                                   [&](const Unit& candidate) { return candidate.name == rest; });
    if (unit == quantity.units.end()) return Failure{unknown_unit(text, digits, rest, quantity)};
    const auto value = scaled(*number, unit->scale);
    if (value) return *value;
    if (value.error() == Inexact::TooFine) {
        return Failure{Problem{fmt::format("\"{}\" is finer than {}", text, quantity.smallest), ""}};
    }
    return Failure{Problem{fmt::format("\"{}\" {}", text, quantity.longest), ""}};
}

/// Not minutes and hours, of which nobody writes decimals.
bool is_decimal(std::uint64_t scale) {
    while (scale % 10 == 0)
        scale /= 10;
    return scale == 1;
}

/// The largest unit of which `value` is a whole or a short decimal number.
std::string format_quantity(std::uint64_t value, std::span<const Unit> units, std::size_t count) {
    const Unit* best = &units[0];
    for (const Unit& unit : units.first(count)) {
        const auto scale = static_cast<std::uint64_t>(unit.scale);
        // Three decimals keep "1.5s" and "2.5Gbps", and leave 1234567 ns as "1234567ns".
        const std::uint64_t grain = scale >= 1000 && is_decimal(scale) ? scale / 1000 : scale;
        if (value >= scale && value % grain == 0) best = &unit;
    }
    const auto scale = static_cast<std::uint64_t>(best->scale);
    std::string decimals;
    if (value % scale != 0) {
        decimals = fmt::format(".{:03}", value % scale / (scale / 1000));
        while (decimals.back() == '0')
            decimals.pop_back();
    }
    return fmt::format("{}{}{}", value / scale, decimals, best->name);
}

}  // namespace

Result<Duration, Problem> parse_duration(std::string_view text) {
    const auto ns = parse_quantity(text, duration_quantity);
    if (!ns) return Failure{ns.error()};
    return Duration{*ns};
}

Result<std::int64_t, Problem> parse_rate(std::string_view text) {
    return parse_quantity(text, rate_quantity);
}

Result<std::int64_t, Problem> parse_size(std::string_view text) {
    return parse_quantity(text, size_quantity);
}

Result<double, Problem> parse_fraction(std::string_view text) {
    std::string_view number = text;
    const bool percent = number.ends_with('%');
    if (percent) number.remove_suffix(1);
    while (percent && number.ends_with(' '))
        number.remove_suffix(1);
    // A percentage is read as "<number>e-2", so that 0.1% is exactly the double 0.001.
    const bool has_exponent = number.find_first_of("eE") != std::string_view::npos;
    const std::string shifted = percent && !has_exponent ? std::string(number) + "e-2" : std::string(number);
    double value = 0;
    const char* end = shifted.data() + shifted.size();
    const char* begin = shifted.starts_with('+') ? shifted.data() + 1 : shifted.data();
    const auto [stop, error] = std::from_chars(begin, end, value);
    const bool all_read = !number.empty() && (is_digit(number.back()) || number.back() == '.') && stop == end;
    if (error != std::errc() || !all_read || !std::isfinite(value)) {
        return Failure{Problem{fmt::format("\"{}\" is not a share", text), "write 0.01 or \"1%\""}};
    }
    return percent && has_exponent ? value / 100 : value;
}

std::string format_duration(Duration duration) {
    if (duration.ns == 0) return "0s";
    const bool negative = duration.ns < 0;
    const auto magnitude =
        negative ? ~static_cast<std::uint64_t>(duration.ns) + 1 : static_cast<std::uint64_t>(duration.ns);
    return (negative ? "-" : "") + format_quantity(magnitude, duration_units, 6);
}

std::string format_rate(std::uint64_t bits_per_second) {
    return format_quantity(bits_per_second, rate_units, 5);
}

std::string format_size(std::uint64_t bytes) {
    return format_quantity(bytes, size_units, 4);
}

std::string format_number(double number) {
    return fmt::format("{}", number);
}

}  // namespace dyetrace::scenario
