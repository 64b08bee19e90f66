// SPDX-License-Identifier: BSD-3-Clause
// Values to bytes and back, through hg_proc. A Writer and a Reader are called alike, so that one
// function serves both directions of a user's type T:
//
//     template <class Archive> void archive(Archive& a, T& value) { a(value.name, value.size); }
//
// found in the namespace of T. Aggregates of up to 16 members need none (without base classes and
// arrays of C); archive_std.hpp knows the standard library. Bytes from a peer are hostile: what
// does not fit makes the Reader fail, after which it reads nothing more; nothing is allocated for a
// length that the bytes at hand cannot fill. Numbers travel little-endian. Not thread-safe; an
// archive function must not block, since results are read in the thread that makes progress.
#pragma once

#include <mercury_proc.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "cinnabar/aggregate.hpp"

namespace cinnabar {
inline namespace v1 {

class Writer;
class Reader;

// How a type is written where neither a member nor a user's function says so; archive_std.hpp has
// specialisations with `static void write(Writer&, const T&)`, `static void read(Reader&, T&)`.
template <class T>
struct Codec;

namespace detail {

template <class T>
concept HasCodec = requires {
    sizeof(Codec<T>);
};

template <class T, class A>
concept HasArchive = requires(A& a, T& value) {
    archive(a, value);
};

// Whether a T is written as it lies in memory, which is what its members one by one would be:
// numbers, enums, and aggregates of these without gaps. A bool is not: not every byte is one.
template <class T>
struct Bitwise;

template <class T>
inline constexpr bool is_bitwise = Bitwise<std::remove_cv_t<T>>::value;

template <class T>
inline constexpr bool never = false;

}  // namespace detail

namespace detail {

template <class... Member>
struct BitwiseMembers {
    static constexpr bool value = (is_bitwise<Member> && ...);
    static constexpr std::size_t size = (sizeof(Member) + ... + 0);
};

template <class T>
struct Bitwise {
    static consteval bool find() {
        if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
            return !std::is_same_v<T, bool>;
        } else if constexpr (HasCodec<T> || !std::is_trivially_copyable_v<T> || !Aggregate<T>) {
            return false;
        } else if constexpr (HasArchive<T, Writer> || HasArchive<T, Reader>) {
            return false;
        } else {
            using Members = decltype(visit_members(std::declval<T&>(), [](auto&... members) {
                return BitwiseMembers<std::remove_cvref_t<decltype(members)>...>();
            }));
            return Members::value && Members::size == sizeof(T);
        }
    }
    static constexpr bool value = find();
};

}  // namespace detail

class Writer {
public:
    static constexpr bool writing = true;

    explicit Writer(hg_proc_t proc) noexcept : proc_(proc) {}

    template <class... T>
    Writer& operator()(const T&... values) {
        (one(values), ...);
        return *this;
    }
    void bytes(const void* data, std::size_t size) {
        if (status_ == HG_SUCCESS && size != 0)
            status_ = hg_proc_bytes(proc_, const_cast<void*>(data), size);
    }
    // Makes the whole encoding fail.
    void fail(hg_return_t why) noexcept {
        if (status_ == HG_SUCCESS) status_ = why;
    }
    hg_return_t status() const noexcept { return status_; }
    hg_proc_t proc() const noexcept { return proc_; }

private:
    template <class T>
    void one(const T& value) {
        if constexpr (detail::is_bitwise<T>) {
            bytes(&value, sizeof(T));
        } else if constexpr (std::is_same_v<T, bool>) {
            const std::uint8_t byte = value ? 1 : 0;
            bytes(&byte, 1);
        } else if constexpr (detail::HasCodec<T>) {
            Codec<T>::write(*this, value);
        } else if constexpr (detail::HasArchive<T, Writer>) {
            // The function is the same for reading, hence takes what it could change.
            archive(*this, const_cast<T&>(value));
        } else if constexpr (detail::Aggregate<T>) {
            detail::visit_members(value, [this](const auto&... members) { (*this)(members...); });
        } else {
            static_assert(detail::never<T>, "this type needs a function archive(Archive&, T&)");
        }
    }

    hg_proc_t proc_;
    hg_return_t status_ = HG_SUCCESS;
};

class Reader {
public:
    static constexpr bool writing = false;
    // Values within values within values; more is an attack on the stack.
    static constexpr int max_depth = 64;

    explicit Reader(hg_proc_t proc) noexcept : proc_(proc) {}

    template <class... T>
    Reader& operator()(T&... values) {
        (one(values), ...);
        return *this;
    }
    // Untouched when the bytes are not there.
    void bytes(void* data, std::size_t size) {
        if (status_ != HG_SUCCESS || size == 0) return;
        status_ = size > left() ? HG_OVERFLOW : hg_proc_bytes(proc_, data, size);
    }
    // Reads the number of elements of which each takes at least `each` bytes; 0 once failed.
    std::size_t length(std::size_t each) {
        std::uint64_t count = 0;
        bytes(&count, sizeof(count));
        if (status_ == HG_SUCCESS && count > left() / each) fail(HG_OVERFLOW);
        return ok() ? static_cast<std::size_t>(count) : 0;
    }
    std::size_t left() const noexcept { return hg_proc_get_size_left(proc_); }
    void fail(hg_return_t why = HG_PROTOCOL_ERROR) noexcept {
        if (status_ == HG_SUCCESS) status_ = why;
    }
    bool ok() const noexcept { return status_ == HG_SUCCESS; }
    hg_return_t status() const noexcept { return status_; }
    hg_proc_t proc() const noexcept { return proc_; }

private:
    template <class T>
    void one(T& value) {
        if (!ok()) return;
        if constexpr (detail::is_bitwise<T>) {
            bytes(&value, sizeof(T));
        } else if constexpr (std::is_same_v<T, bool>) {
            std::uint8_t byte = 0;
            bytes(&byte, 1);
            if (byte > 1) fail();
            value = byte == 1;
        } else {
            if (++depth_ > max_depth) fail();
            if (ok()) composite(value);
            --depth_;
        }
    }
    template <class T>
    void composite(T& value) {
        if constexpr (detail::HasCodec<T>) {
            Codec<T>::read(*this, value);
        } else if constexpr (detail::HasArchive<T, Reader>) {
            archive(*this, value);
        } else if constexpr (detail::Aggregate<T>) {
            detail::visit_members(value, [this](auto&... members) { (*this)(members...); });
        } else {
            static_assert(detail::never<T>, "this type needs a function archive(Archive&, T&)");
        }
    }

    hg_proc_t proc_;
    hg_return_t status_ = HG_SUCCESS;
    int depth_ = 0;
};

}  // namespace v1
}  // namespace cinnabar
