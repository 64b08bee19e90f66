// SPDX-License-Identifier: BSD-3-Clause
// The loop of a stream, and how units leave and come back.
#include "hl/ult/stream.hpp"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "hl/ult/coarse.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// Of the model that costs one instruction. The library may still be loaded late: such words are
// few.
[[gnu::tls_model("initial-exec")]] thread_local StreamCore* this_stream = nullptr;

// Where they are, what belongs to a stream's OS thread has to follow it from thread to thread.
#if defined(CINNABAR_UNITS_AS_THREADS)
constexpr bool units_are_threads = true;
#else
constexpr bool units_are_threads = false;
#endif

// Streams of this process that do not sleep.
std::atomic<int> awake{0};

int processors() noexcept {
    static const int count = [] {
        cpu_set_t allowed;
        return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    }();
    return count;
}

// Whether one that only polls may keep another one from running.
bool is_crowded() noexcept {
    const int count = awake.load(std::memory_order_relaxed);
    return count > 1 && count >= processors();
}

void begin_sleep(std::atomic<bool>& asleep) noexcept {
    awake.fetch_sub(1, std::memory_order_relaxed);
    asleep.store(true);
}

// True for the one that ends it, who counts the stream from then on.
bool end_sleep(std::atomic<bool>& asleep) noexcept {
    if (!asleep.exchange(false)) return false;
    awake.fetch_add(1, std::memory_order_relaxed);
    return true;
}

}  // namespace

// The start of the C++ runtime's record of a thread's exceptions, as the Itanium ABI has it.
struct Exceptions {
    void* caught;
    unsigned uncaught;
};

extern "C" Exceptions* cinnabar_exceptions() noexcept __asm__("__cxa_get_globals");

[[gnu::noinline]] StreamCore* StreamCore::current() noexcept {
    StreamCore* found = this_stream;
    __asm__ volatile("" : "+r"(found) : : "memory");
    return found;
}

Unit* StreamCore::current_unit() noexcept {
    const StreamCore* stream = current();
    return stream == nullptr ? nullptr : stream->unit_;
}

StreamCore::StreamCore(std::vector<std::shared_ptr<PoolCore>> pools, const std::string& name,
                       Poller* poller)
    : pools_(std::move(pools)), poller_(poller) {
    if (pools_.empty()) throw std::invalid_argument("a stream needs a pool");
    if (poller_ != nullptr) {
        wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (wake_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    runtime_ = pools_.front()->runtime;
    for (const auto& pool : pools_) {
        stack_size_ = std::max(stack_size_, pool->options.stack_size);
        pool->attach(*this);
    }
    try {
        thread_ = std::thread([this] { run(); });
    } catch (...) {
        for (const auto& pool : pools_)
            pool->detach(*this);
        if (wake_fd_ >= 0) ::close(wake_fd_);
        throw;
    }
    // A name longer than the system takes is cut.
    (void)::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

StreamCore::~StreamCore() {
    stop_.store(true);
    (void)rouse();
    thread_.join();
    for (const auto& pool : pools_)
        pool->detach(*this);
    if (spare_ != nullptr) runtime_->stacks.release(spare_);
    if (wake_fd_ >= 0) ::close(wake_fd_);
}

bool StreamCore::rouse() noexcept {
    if (!asleep_.load()) return false;
    if (wake_fd_ >= 0) {
        if (!end_sleep(asleep_)) return false;
        const std::uint64_t one = 1;
        (void)!::write(wake_fd_, &one, sizeof one);
        return true;
    }
    const std::lock_guard lock(mutex_);
    if (!end_sleep(asleep_)) return false;
    roused_.notify_one();
    return true;
}

void StreamCore::run() {
    this_stream = this;
    exceptions_ = cinnabar_exceptions();
    awake.fetch_add(1, std::memory_order_relaxed);
    adopt_native(native_);
    while (!reserve())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    active_ = std::exchange(spare_, nullptr);
    prepare_stack(*active_, loop);
    settle(go_to(native_, *active_, {}));
    release_native(native_);
    awake.fetch_sub(1, std::memory_order_relaxed);
    this_stream = nullptr;
}

bool StreamCore::reserve() noexcept {
    if (spare_ == nullptr) spare_ = runtime_->stacks.acquire(stack_size_);
    return spare_ != nullptr;
}

Unit* StreamCore::look() noexcept {
    for (const auto& pool : pools_) {
        if (Unit* unit = pool->pop(*this)) return unit;
    }
    return nullptr;
}

bool StreamCore::must_stay_awake() const noexcept {
    return may_end() || std::any_of(pools_.begin(), pools_.end(),
                                    [this](const auto& pool) { return pool->ready_for(*this); });
}

bool StreamCore::may_end() const noexcept {
    return stop_.load() && std::none_of(pools_.begin(), pools_.end(),
                                        [this](const auto& pool) { return pool->binds(*this); });
}

// Announces the sleep, looks again, sleeps: who pushes does it first and looks for sleepers then.
void StreamCore::sleep() noexcept {
    begin_sleep(asleep_);
    const bool ready = must_stay_awake();
    std::unique_lock lock(mutex_);
    if (ready) (void)end_sleep(asleep_);
    roused_.wait(lock, [this] { return !asleep_.load(); });
}

void StreamCore::sleep_at(int descriptor) noexcept {
    begin_sleep(asleep_);
    if (!must_stay_awake()) {
        pollfd both[] = {{descriptor, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
        (void)::poll(both, 2, -1);
    }
    if (end_sleep(asleep_)) return;
    std::uint64_t count = 0;
    (void)!::read(wake_fd_, &count, sizeof count);
}

// True when there may be a unit. Waking up is dear, so a sleep is put off for a while.
bool StreamCore::poll_for_a_while() noexcept {
    constexpr auto patience = std::chrono::microseconds(50);
    constexpr int polls_per_clock_read = 32;
    TimePoint end{};
    for (;;) {
        for (int i = 0; i < polls_per_clock_read; ++i) {
            if (poller_->poll() || may_end()) return true;
            if (has_ready()) return true;
        }
        if (is_crowded()) std::this_thread::yield();
        const TimePoint now = Clock::now();
        if (end == TimePoint{})
            end = now + patience;
        else if (now >= end)
            return false;
    }
}

bool StreamCore::has_ready() const noexcept {
    return std::any_of(pools_.begin(), pools_.end(),
                       [this](const auto& pool) { return pool->seems_ready_for(*this); });
}

// What is polled runs as on the loop's stack, where there is no unit.
void StreamCore::poll_within(Unit& unit, const bool& done) noexcept {
    constexpr std::size_t enough_stack = 64 * 1024;
    constexpr int most_polls = 400;
    if (units_are_threads || unit.stack_->size < enough_stack) return;
    unit_ = nullptr;
    for (int i = 0; i < most_polls && !done; ++i) {
        if (has_ready() || stop_.load(std::memory_order_relaxed)) break;
        (void)poller_->poll();
    }
    unit_ = &unit;
    unpolled_ = 0;
}

Unit* StreamCore::wait() noexcept {
    if (poller_ == nullptr) {
        sleep();
        return look();
    }
    unpolled_ = 0;
    if (!poll_for_a_while()) {
        if (const int descriptor = poller_->descriptor(); descriptor >= 0)
            sleep_at(descriptor);
        else
            std::this_thread::yield();  // to whom the answer may have to come from
    }
    return look();
}

Unit* StreamCore::next() noexcept {
    constexpr unsigned units_per_poll = 32;
    bool waited = false;
    for (;;) {
        if (stop_.load()) {
            if (may_end()) return nullptr;
            // This may have been woken for a unit that it does not begin any more.
            for (const auto& pool : pools_)
                pool->share();
        }
        if (poller_ != nullptr && ++unpolled_ > units_per_poll) {
            unpolled_ = 0;
            (void)poller_->poll();
        }
        Unit* unit = look();
        if (unit == nullptr) {
            waited = true;
            unit = wait();
            if (unit == nullptr) continue;
        }
        // Whoever woke this stream for one unit may have seen no sleeper for the next.
        if (waited && pools_.size() > 1) {
            for (const auto& pool : pools_)
                pool->share();
        }
        if (unit->stack_ != nullptr || reserve()) return unit;
        // Without a stack for the loop the unit could not block: until one is given back it waits.
        announce(nullptr, nullptr);
        unit->pool_->push(*unit, PoolCore::Where::fresh);
        std::unique_lock lock(mutex_);
        (void)roused_.wait_for(lock, std::chrono::milliseconds(1));
    }
}

void StreamCore::settle(Errand errand) noexcept {
    switch (errand.kind) {
        case Errand::Kind::none:
            return;
        case Errand::Kind::recycle:
            runtime_->stacks.release(errand.stack);
            return;
        case Errand::Kind::yield:
            errand.unit->pool_->push(*errand.unit, PoolCore::Where::fresh);
            return;
        case Errand::Kind::park_alone:
            errand.unit->state_.store(State::parked, std::memory_order_release);
            return;
        case Errand::Kind::park:
            break;
    }
    // Only now, with the unit off its stack, may another stream resume it.
    State expected = State::running;
    if (errand.unit->state_.compare_exchange_strong(expected, State::parked,
                                                    std::memory_order_acq_rel))
        return;
    errand.unit->state_.store(State::running, std::memory_order_relaxed);
    errand.unit->pool_->push(*errand.unit, PoolCore::Where::resumed);
}

Errand StreamCore::go_to(Stack& from, Stack& to, Errand errand) {
    if constexpr (units_are_threads) errand.stream = current();
    const Errand brought = switch_stack(from, to, errand);
    if constexpr (units_are_threads) this_stream = brought.stream;
    return brought;
}

Departure StreamCore::leave(Stack& self) noexcept {
    Stack& to = loop_ != nullptr ? *std::exchange(loop_, nullptr) : native_;
    Errand errand{Errand::Kind::recycle, nullptr, &self, nullptr};
    if constexpr (units_are_threads) errand.stream = std::exchange(this_stream, nullptr);
    return {self, to, errand};
}

// Returns on another thread than it was called on if the unit has blocked.
[[gnu::noinline]] void StreamCore::run_fresh(Unit& unit, Stack& self) {
    unit.stack_ = &self;
    unit.run();
    const std::shared_ptr<PoolCore> keep = std::move(unit.keep_);
    delete &unit;
    StreamCore& stream = *current();
    stream.announce(nullptr, nullptr);
    stream.unit_ = nullptr;
}

Departure StreamCore::loop(Errand errand) {
    if constexpr (units_are_threads) this_stream = errand.stream;
    current()->settle(errand);
    Stack& self = *current()->active_;
    for (;;) {
        StreamCore& stream = *current();
        Unit* unit = stream.next();
        if (unit == nullptr) return stream.leave(self);
        stream.unit_ = unit;
        if (unit->stack_ != nullptr) {
            stream.loop_ = &self;
            const Errand brought = go_to(self, *unit->stack_, {});
            stream.unit_ = nullptr;
            stream.settle(brought);
            continue;
        }
        run_fresh(*unit, self);
        StreamCore& now = *current();
        // A loop waits here already: this stack has become that of the unit, which has ended.
        if (now.loop_ != nullptr) return now.leave(self);
    }
}

// Those of the thread that runs the stream's units; where units are threads, that of the unit.
Exceptions& StreamCore::exceptions_of(const StreamCore& stream) noexcept {
    return units_are_threads ? *cinnabar_exceptions() : *stream.exceptions_;
}

void StreamCore::switch_away(Unit& unit, Errand errand) {
    StreamCore& stream = *current();
    Exceptions& before = exceptions_of(stream);
    unit.caught_ = std::exchange(before.caught, nullptr);
    unit.uncaught_ = std::exchange(before.uncaught, 0U);
    if (!unit.listed_) unit.pool_->list(unit, stream);
    stream.unit_ = nullptr;
    Stack* to = std::exchange(stream.loop_, nullptr);
    if (to == nullptr) {
        to = std::exchange(stream.spare_, nullptr);
        stream.active_ = to;
        prepare_stack(*to, loop);
    }
    (void)go_to(*unit.stack_, *to, errand);
    Exceptions& after = exceptions_of(*current());
    after.caught = unit.caught_;
    after.uncaught = unit.uncaught_;
}

void StreamCore::suspend(Unit& unit, Wait what) {
    // Once woken nobody else touches the state.
    if (unit.state_.load(std::memory_order_acquire) == State::woken)
        return unit.state_.store(State::running, std::memory_order_relaxed);
    unit.waits_for_ = what;
    unit.since_ = coarse_now();
    switch_away(unit, {Errand::Kind::park, &unit, nullptr, nullptr});
}

void StreamCore::suspend_alone(Unit& unit, Wait what) {
    unit.waits_for_ = what;
    unit.since_ = coarse_now();
    switch_away(unit, {Errand::Kind::park_alone, &unit, nullptr, nullptr});
}

void StreamCore::yield(Unit& unit) {
    switch_away(unit, {Errand::Kind::yield, &unit, nullptr, nullptr});
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
