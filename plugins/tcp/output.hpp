// SPDX-License-Identifier: BSD-3-Clause
// What a connection has to write: a buffer of frames copied together, and at most one payload that
// is written from where it lies, at a given place among the buffered bytes. Used inside the
// context's serial.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "plugins/tcp/buffer_pool.hpp"
#include "plugins/tcp/lender.hpp"
#include "plugins/tcp/memory.hpp"

namespace cinnabar::tcp {

struct Op;

// Bytes that are not copied: of a message (flat) or of a region.
struct Payload {
    const std::byte* flat = nullptr;
    std::shared_ptr<Region> region;
    std::uint64_t offset = 0;
    std::size_t remaining = 0;
    bool pinned = false;   // a peer asked for them: pin the region while they are read
    bool lend = false;     // not copied if the system can do without
    bool retired = false;  // it was deregistered meanwhile: zeros are sent in place of the rest
    Op* op = nullptr;      // the local operation, if there is one
    std::uint64_t peer_op = 0;  // else the operation of the peer that is served
};

class Output {
public:
    Output(BufferPool& pool, Lender& lender) noexcept : pool_(pool), lender_(lender) {}
    ~Output() { clear(); }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    // Room for `size` more bytes; nullptr when out of memory. Then commit() what was used.
    std::byte* reserve(std::size_t size) noexcept {
        return capacity_ - end_ >= size && size > 0 ? data_ + end_ : make_room(size);
    }
    void commit(std::size_t size) noexcept { end_ += size; }
    // Puts a payload behind everything committed so far. Only when none is active.
    void set_payload(Payload&& payload) noexcept;

    std::size_t buffered() const noexcept { return end_ - begin_; }
    bool has_payload() const noexcept { return has_payload_; }
    const Payload& payload() const noexcept { return payload_; }
    bool empty() const noexcept { return begin_ == end_ && !has_payload_; }

    enum class Wrote { all, payload_done, some, blocked, failed };
    // One attempt to send. `written` receives the bytes; `failed` leaves errno. On payload_done the
    // caller takes the payload away with take_payload() before the next call.
    Wrote write(int fd, std::size_t& written) noexcept;
    Payload take_payload() noexcept;
    void clear() noexcept;

private:
    std::byte* make_room(std::size_t size) noexcept;
    Wrote write_payload(int fd, std::size_t& written) noexcept;
    static Wrote failure(int error) noexcept;
    ssize_t send(int fd, std::size_t& wanted) noexcept;
    ssize_t lend(int fd, std::size_t& wanted) noexcept;
    std::size_t gather(std::span<iovec> to, std::size_t& used) noexcept;
    void consume(std::size_t count) noexcept;
    void release() noexcept;

    BufferPool& pool_;
    Lender& lender_;
    std::byte* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t split_ = 0;  // the payload stands here among the buffered bytes
    std::size_t end_ = 0;
    bool has_payload_ = false;
    Payload payload_;
};

}  // namespace cinnabar::tcp
