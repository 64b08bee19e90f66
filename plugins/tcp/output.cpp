// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/tcp/output.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "plugins/tcp/options.hpp"

namespace cinnabar::tcp {

namespace {
constexpr std::array<std::byte, 4096> zeros{};
// At least: with larger ones less is lent than could be.
constexpr std::size_t page_size = 4096;
}  // namespace

std::byte* Output::make_room(std::size_t size) noexcept {
    if (data_ == nullptr && size <= pool_.size()) {
        data_ = pool_.take();
        capacity_ = data_ == nullptr ? 0 : pool_.size();
        begin_ = split_ = end_ = 0;
    }
    if (capacity_ - end_ >= size) return data_ + end_;
    const std::size_t used = end_ - begin_;
    if (capacity_ - used >= size && begin_ >= capacity_ / 2) {
        std::memmove(data_, data_ + begin_, used);
    } else {
        const std::size_t grown = std::max(capacity_ * 2, used + size);
        auto* larger = static_cast<std::byte*>(std::malloc(grown));
        if (larger == nullptr) return nullptr;
        if (used > 0) std::memcpy(larger, data_ + begin_, used);
        const std::size_t shift = begin_;
        const std::size_t split = split_;
        release();
        data_ = larger;
        capacity_ = grown;
        begin_ = shift;
        split_ = split;
    }
    split_ -= std::min(split_, begin_);
    begin_ = 0;
    end_ = used;
    return data_ + end_;
}

void Output::set_payload(Payload&& payload) noexcept {
    payload_ = std::move(payload);
    has_payload_ = true;
    split_ = end_;
}

std::size_t Output::gather(std::span<iovec> to, std::size_t& used) noexcept {
    std::size_t total = 0;
    const auto add = [&](const std::byte* from, std::size_t size) {
        if (size == 0 || used == to.size()) return;
        to[used++] = {const_cast<std::byte*>(from), size};
        total += size;
    };
    add(data_ + begin_, split_ - begin_);
    std::size_t covered = 0;
    if (payload_.retired) {
        while (covered < payload_.remaining && used < to.size()) {
            const std::size_t part = std::min(zeros.size(), payload_.remaining - covered);
            add(zeros.data(), part);
            covered += part;
        }
    } else if (payload_.region != nullptr) {
        std::size_t count = 0;
        covered = payload_.region->vectors(payload_.offset, payload_.remaining,
                                           to.subspan(used, to.size() - used - 1), count);
        used += count;
        total += covered;
    } else {
        add(payload_.flat, payload_.remaining);
        covered = payload_.remaining;
    }
    if (covered == payload_.remaining) add(data_ + split_, end_ - split_);
    return total;
}

void Output::consume(std::size_t count) noexcept {
    const std::size_t before = std::min(count, split_ - begin_);
    begin_ += before;
    count -= before;
    const std::size_t part = std::min(count, payload_.remaining);
    payload_.remaining -= part;
    payload_.offset += part;
    if (payload_.flat != nullptr) payload_.flat += part;
    begin_ += count - part;
    if (begin_ > split_) split_ = begin_;
    if (begin_ == end_) release();
}

// Copies what is gathered around the payload into the socket: one system call.
ssize_t Output::send(int fd, std::size_t& wanted) noexcept {
    std::array<iovec, options::max_iovecs> vectors;
    std::size_t used = 0;
    wanted = gather(vectors, used);
    if (used == 1) return ::send(fd, vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL);
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = used;
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Lends the payload if it is one piece. The bytes before it and those before its first whole page
// are copied, announced as the beginning of more: then the kernel's packets are full by size, and
// not by their number of pages, which Linux 6 makes slow.
ssize_t Output::lend(int fd, std::size_t& wanted) noexcept {
    std::array<iovec, 2> vectors;
    std::size_t used = 0;
    (void)payload_.region->vectors(payload_.offset, payload_.remaining, vectors, used);
    if (used != 1) {
        payload_.lend = false;
        return send(fd, wanted);
    }
    const iovec piece = vectors[0];
    const std::size_t into_page = reinterpret_cast<std::uintptr_t>(piece.iov_base) % page_size;
    const std::size_t ahead = into_page == 0 ? 0 : page_size - into_page;
    const std::size_t before = split_ - begin_;
    if (before + ahead > 0) {
        vectors[0] = {data_ + begin_, before};
        vectors[1] = {piece.iov_base, std::min(ahead, piece.iov_len)};
        wanted = before + vectors[1].iov_len;
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = vectors.size();
        return ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_MORE);
    }
    bool refused = false;
    const ssize_t given = lender_.send(fd, std::span(&piece, 1), refused);
    if (given < 0) payload_.lend = false;  // the rest is copied
    if (refused) return send(fd, wanted);
    wanted = 0;  // how much the socket would have taken is not known
    return given;
}

Output::Wrote Output::failure(int error) noexcept {
    if (error == EINTR) return Wrote::some;
    return error == EAGAIN || error == EWOULDBLOCK ? Wrote::blocked : Wrote::failed;
}

Output::Wrote Output::write(int fd, std::size_t& written) noexcept {
    written = 0;
    if (has_payload_) return write_payload(fd, written);
    const ssize_t sent = ::send(fd, data_ + begin_, end_ - begin_, MSG_NOSIGNAL);
    if (sent < 0) return failure(errno);
    written = static_cast<std::size_t>(sent);
    begin_ += written;
    if (begin_ != end_) return Wrote::blocked;
    release();
    return Wrote::all;
}

Output::Wrote Output::write_payload(int fd, std::size_t& written) noexcept {
    Region* pinned = nullptr;
    if (payload_.pinned && !payload_.retired) {
        if (payload_.region->pin())
            pinned = payload_.region.get();
        else
            payload_.retired = true;
    }
    std::size_t wanted = 0;
    const bool lends = payload_.lend && !payload_.retired;
    const ssize_t sent = lends ? lend(fd, wanted) : send(fd, wanted);
    const int error = errno;
    if (pinned != nullptr) pinned->unpin();
    errno = error;
    if (sent < 0) return failure(error);
    written = static_cast<std::size_t>(sent);
    consume(written);
    if (payload_.remaining == 0) return Wrote::payload_done;
    return written < wanted ? Wrote::blocked : Wrote::some;
}

Payload Output::take_payload() noexcept {
    has_payload_ = false;
    return std::move(payload_);
}

void Output::release() noexcept {
    if (capacity_ == pool_.size())
        pool_.give(data_);
    else
        std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
    begin_ = split_ = end_ = 0;
}

void Output::clear() noexcept {
    has_payload_ = false;
    payload_ = Payload{};
    release();
}

}  // namespace cinnabar::tcp
