// SPDX-License-Identifier: BSD-3-Clause
// Poll and sleep. A poll looks at the rings of the few peers that are active and at one word for
// all others; it looks at the sockets, which costs a system call, about once in a millisecond, or
// while a handshake is under way, or when it was woken.
#include <sys/epoll.h>

#include <algorithm>

#include "na/base/clock.hpp"
#include "plugins/sm/context.hpp"
#include "plugins/sm/watch_id.hpp"

namespace cinnabar::sm {
namespace {

constexpr std::uint32_t longest_interval = 64;  // polls between looks at the clock

}  // namespace

Status Context::poll(unsigned& count) {
    count = 0;
    if (!serial_.try_enter()) return NA_SUCCESS;
    const unsigned before = completed_;
    if (graveyard_ != nullptr) clear_graveyard();
    const bool woken = sleeping_;
    if (woken) disarm();
    if (has_news_.load(std::memory_order_relaxed)) take_news();
    poll_rings();
    if (!moving_.empty()) move_all();
    if (woken || control_due()) control();
    if (!attention_.empty()) look_at_attention();
    serial_.run_pending(this);
    count = completed_ - before;
    serial_.leave(this);
    return NA_SUCCESS;
}

void Context::poll_rings() noexcept {
    for (std::size_t i = 0; i < hot_.size();) {
        Link* link = hot_[i];
        if (!link->paused && link->in.ready()) drain(*link);
        if (i < hot_.size() && hot_[i] == link) ++i;
    }
    take_marks(bell(), [this](std::uint32_t bit) {
        links_.at_bit(bit, [this](Link& link) { attend(link); });
    });
    if (!attention_.empty()) look_at_attention();
    if (++polls_ % cooling_polls == 0) cool_down();
}

void Context::look_at_attention() noexcept {
    // Looking may ask for another look, which is for the next poll.
    for (std::size_t left = attention_.size(); left > 0 && !attention_.empty(); --left) {
        Link* link = attention_.front();
        attention_.erase(attention_.begin());
        link->attention = false;
        look_at(*link);
    }
}

void Context::look_at(Link& link) noexcept {
    if (link.state != LinkState::established) return;
    const std::uint64_t before = link.received;
    drain(link);
    if (link.state == LinkState::established && link.blocked) flush(link);
    if (link.state != LinkState::established || link.hot || link.received == before ||
        hot_.size() >= hot_limit)
        return;
    link.hot = true;
    hot_.push_back(&link);
    link.in.set_watched(true);
}

// Links that were silent for a while are left to the doorbell.
void Context::cool_down() noexcept {
    Link* cooled[hot_limit];
    std::size_t count = 0;
    std::erase_if(hot_, [&](Link* link) {
        const bool silent = link->received == link->received_before;
        link->received_before = link->received;
        if (!silent) return false;
        link->hot = false;
        link->in.set_watched(false);
        cooled[count++] = link;
        return true;
    });
    if (count == 0) return;
    // A message written before its producer could see the flag was not announced.
    heavy_fence();
    for (std::size_t i = 0; i < count; ++i)
        if (cooled[i]->in.ready()) attend(*cooled[i]);
}

bool Context::control_due() noexcept {
    if (handshakes_ > 0 && eager_looks_ > 0) {
        --eager_looks_;
        return true;
    }
    if (--control_countdown_ > 0) return false;
    const std::int64_t now = coarse_now_ns();
    const std::int64_t elapsed = now - control_time_ns_;
    // Polls that come slowly look at the clock every time, quick ones every 64th.
    if (elapsed < control_period_ns)
        control_interval_ = std::min(control_interval_ * 2, longest_interval);
    else if (elapsed > 16 * control_period_ns)
        control_interval_ = std::max(control_interval_ / 4, 1u);
    control_countdown_ = control_interval_;
    return elapsed >= control_period_ns;
}

void Context::control() noexcept {
    control_time_ns_ = coarse_now_ns();
    if (!retrying_.empty()) retry_connects();
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, 0);
    for (int i = 0; i < count; ++i) {
        const std::uint64_t watch = events[i].data.u64;
        if (watch == watch_event)
            event_.drain();
        else if (watch == watch_listener)
            accept_all();
        else if (Link* link = links_.at_watch(watch); link != nullptr)
            on_socket(*link);
    }
}

bool Context::anything_ready() noexcept {
    if (!attention_.empty() || !moving_.empty() || !retrying_.empty() ||
        has_news_.load(std::memory_order_acquire) ||
        bell().summary.load(std::memory_order_acquire) != 0)
        return true;
    return std::any_of(hot_.begin(), hot_.end(),
                       [](const Link* link) { return !link->paused && link->in.ready(); });
}

bool Context::try_wait() {
    if (!cls_.options().blocking || !serial_.try_enter()) return false;
    bool may_sleep = !anything_ready();
    if (may_sleep) {
        std::atomic<std::uint32_t>& epoch = bell().sleep_epoch;
        if (!sleeping_)
            epoch.store(epoch.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        sleeping_ = true;
        woken_ = false;
        heavy_fence();
        may_sleep = !anything_ready();
        if (!may_sleep) disarm();
    }
    serial_.leave(this);
    return may_sleep;
}

void Context::disarm() noexcept {
    std::atomic<std::uint32_t>& epoch = bell().sleep_epoch;
    epoch.store(epoch.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    sleeping_ = false;
}

}  // namespace cinnabar::sm
