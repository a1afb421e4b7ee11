// SPDX-License-Identifier: GPL-2.0-or-later
// A value or the reason why there is none. Nothing in core throws.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

namespace dyetrace {

/// Stops the program where something impossible happened; stays on in release builds.
#define DYETRACE_ASSERT(condition)                                                           \
    do {                                                                                     \
        if (!(condition)) [[unlikely]] {                                                     \
            std::fprintf(stderr, "%s:%d: impossible: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                    \
        }                                                                                    \
    } while (false)

/// Marks the error of a `Result`: `return Failure{ParseError::Truncated};`
template <class E>
struct Failure {
    E error;
};
template <class E>
Failure(E) -> Failure<E>;

/// Either a `T` or an `E` that says why not. Reading the wrong one is an assertion.
template <class T, class E>
class [[nodiscard]] Result {
  public:
    constexpr Result(T value) : value_(std::in_place, std::move(value)) {}  // NOLINT: implicit
    // NOLINTNEXTLINE: implicit, for `return Failure{...};`
    constexpr Result(Failure<E> failure) : error_(std::move(failure.error)) {}

    [[nodiscard]] constexpr bool ok() const { return value_.has_value(); }
    constexpr explicit operator bool() const { return ok(); }
    constexpr T& value() & {
        DYETRACE_ASSERT(ok());
        return *value_;
    }
    constexpr const T& value() const& {
        DYETRACE_ASSERT(ok());
        return *value_;
    }
    constexpr T&& value() && {
        DYETRACE_ASSERT(ok());
        return *std::move(value_);
    }
    constexpr T& operator*() & { return value(); }
    constexpr const T& operator*() const& { return value(); }
    constexpr T* operator->() { return &value(); }
    constexpr const T* operator->() const { return &value(); }
    constexpr const E& error() const {
        DYETRACE_ASSERT(!ok());
        return error_;
    }

  private:
    // Not a variant: compilers see through this, so that a header that was parsed stays in registers.
    std::optional<T> value_;
    E error_{};
};

/// The value of a `Result` that carries nothing but success.
using Done = std::monostate;

}  // namespace dyetrace
