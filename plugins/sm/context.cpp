// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/context.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "na/sdk/host.hpp"
#include "plugins/sm/watch_id.hpp"

namespace cinnabar::sm {
namespace {

Status watch_fd(int epoll, int fd, std::uint64_t id) noexcept {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return NA_SUCCESS;
    return log_error(code_of_errno(errno), log_name, "epoll_ctl: {}", std::strerror(errno));
}

}  // namespace

Status Context::open() {
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_)
        return log_error(code_of_errno(errno), log_name, "epoll_create1: {}", std::strerror(errno));
    CINNABAR_TRY(event_.open());
    CINNABAR_TRY(watch_fd(epoll_.get(), event_.get(), watch_event));
    Result<Region> bell = Region::create("cinnabar-bell", doorbell_size, bell_fd_);
    if (!bell.ok()) return bell.status();
    bell_ = std::move(*bell);
    CINNABAR_TRY(cls_.self(self_));
    hot_.reserve(hot_limit);

    identity_ = cls_.name();
    const std::size_t same = cls_.add(*this);
    member_ = true;
    if (same > 0) {
        // A second context of one id cannot be told from the first by peers: it is a peer of its
        // own.
        static std::atomic<std::uint32_t> next{1};
        identity_.append("~").append(std::to_string(next.fetch_add(1)));
        return NA_SUCCESS;
    }
    if (!cls_.listening()) return NA_SUCCESS;
    Result<FileDescriptor> listener = listen_on(cls_.name(), id_);
    if (!listener.ok())
        return log_error(listener.status().code(), log_name, "context {} cannot listen as sm://{}",
                         id_, cls_.name());
    listener_ = std::move(*listener);
    return watch_fd(epoll_.get(), listener_.get(), watch_listener);
}

Status Context::close() {
    if (!serial_.try_enter()) return NA_BUSY;
    if (active_ > 0) {
        serial_.leave(this);
        return NA_BUSY;
    }
    cls_.remove(*this);
    member_ = false;
    serial_.leave(this);
    return NA_SUCCESS;
}

Context::~Context() {
    if (member_) cls_.remove(*this);
    for (Stashed& stashed : stash_)
        na::sdk::unref(*stashed.source);
    links_.for_each([](Link& link) {
        if (link.peer != nullptr) na::sdk::unref(*link.peer);
        link.peer = nullptr;
    });
    clear_graveyard();
    for (Address* peer : forgotten_)
        na::sdk::unref(*peer);
    if (self_ != nullptr) na::sdk::unref(*self_);
}

}  // namespace cinnabar::sm
