// SPDX-License-Identifier: GPL-2.0-or-later
// A vector that only grows and never moves an element: pieces of a power of two of elements, so that an
// element is one shift, one mask and one load away. (`std::deque` divides, and of large elements it has one
// a piece.)
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/heap.h"
#include "core/base/prefetch.h"

namespace dyetrace {

template <class T>
class StableVector {
  public:
    StableVector() = default;
    StableVector(const StableVector& other) {
        pieces_.reserve(other.pieces_.size());
        for (const T& element : other)
            emplace_back(element);
    }
    StableVector(StableVector&&) noexcept = default;
    StableVector& operator=(const StableVector&) = delete;
    StableVector& operator=(StableVector&&) noexcept = default;
    ~StableVector() = default;

    [[nodiscard]] std::size_t size() const { return size_; }
    T& operator[](std::size_t index) { return pieces_[index / kPiece][index % kPiece]; }
    const T& operator[](std::size_t index) const { return pieces_[index / kPiece][index % kPiece]; }

    /// Asks the memory for what finding an element reads.
    void prefetch(std::size_t index) const { prefetch_line(pieces_.data() + index / kPiece); }

    template <class... Arguments>
    T& emplace_back(Arguments&&... arguments) {
        if (size_ % kPiece == 0) pieces_.emplace_back().reserve(kPiece);
        ++size_;
        return pieces_.back().emplace_back(std::forward<Arguments>(arguments)...);
    }

    /// For range-for.
    template <class Owner, class Element>
    class Iterator {
      public:
        Iterator(Owner* owner, std::size_t index) : owner_(owner), index_(index) {}
        Element& operator*() const { return (*owner_)[index_]; }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        bool operator==(const Iterator& other) const { return index_ == other.index_; }

      private:
        Owner* owner_;
        std::size_t index_;
    };
    auto begin() { return Iterator<StableVector, T>(this, 0); }
    auto end() { return Iterator<StableVector, T>(this, size_); }
    auto begin() const { return Iterator<const StableVector, const T>(this, 0); }
    auto end() const { return Iterator<const StableVector, const T>(this, size_); }

    /// Heap of one that has grown to so many elements.
    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t count) {
        const std::size_t pieces = (count + kPiece - 1) / kPiece;
        return heap::grown_vector<std::vector<T>>(pieces) + pieces * heap::vector<T>(kPiece);
    }

  private:
    static constexpr std::size_t kPiece = 16;

    std::vector<std::vector<T>> pieces_;
    std::size_t size_ = 0;
};

}  // namespace dyetrace
