// SPDX-License-Identifier: BSD-3-Clause
// Pools and streams inside. A stream runs a loop on a stack of the cache; a unit that begins is
// called straight from the loop. If it blocks, the stack is the unit's from then on and the loop
// goes on on another; when a unit that has blocked ends, its stack, with the loop that once began
// it, is given back. So only blocking costs switches.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "cinnabar/lock.hpp"
#include "cinnabar/pool.hpp"
#include "hl/ult/biased_lock.hpp"
#include "hl/ult/runtime.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

// Units in order of arrival. No thread safety of its own.
class UnitQueue {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    // Whether its first came before that of `other`, both of a sticky pool.
    bool is_before(const UnitQueue& other) const noexcept;

protected:
    friend class PoolCore;
    Unit* first_ = nullptr;
    Unit* last_ = nullptr;
};

// Something that a stream moves while it has no unit to run, and now and then beside them: the
// progress of a network. Called by one stream, on its loop's stack.
class Poller {
public:
    // True if something happened.
    virtual bool poll() noexcept = 0;
    // Before a sleep: what becomes readable when there is something to do, or -1 if the stream must
    // poll on. The next poll() ends what it began.
    virtual int descriptor() noexcept = 0;

protected:
    ~Poller() = default;
};

// The units of one priority.
struct Level {
    UnitQueue fresh;
    UnitQueue resumed;
    unsigned resumed_in_a_row = 0;
};

// A stream at a sticky pool: the units that have begun there and have not ended, once they have
// blocked or yielded. Guarded by the pool's lock. See sticky.cpp.
struct Seat {
    explicit Seat(StreamCore& its_stream) : stream(its_stream) {}
    StreamCore& stream;
    std::size_t bound = 0;        // all of them
    std::size_t ready = 0;        // those that are in one of the queues
    std::array<Level, 3> levels;  // fresh: who yielded
};

// Its lock belongs to the stream that drains it, if there is exactly one. What others make ready is
// then left in an inbox, which that stream empties: so neither side meets the other at the lock.
class PoolCore : public std::enable_shared_from_this<PoolCore> {
public:
    enum class Where { fresh, resumed };

    PoolCore(PoolOptions pool_options, std::shared_ptr<Runtime> shared_runtime);
    PoolCore(const PoolCore&) = delete;
    PoolCore& operator=(const PoolCore&) = delete;
    ~PoolCore();

    static void adopt(const std::shared_ptr<PoolCore>& pool, Priority priority,
                      std::unique_ptr<Unit> unit) noexcept;
    // The same for a unit that keeps the pool by itself, for as long as it lives.
    void adopt_kept(Priority priority, std::unique_ptr<Unit> unit) noexcept;
    // Makes `unit` ready and wakes a stream that sleeps. It may run, and end, before this returns.
    void push(Unit& unit, Where where) noexcept;
    // The next unit, for that stream, or null: of the highest priority. Of these, units that have
    // run before go first, though not for ever.
    Unit* pop(StreamCore& stream) noexcept;
    std::size_t ready() const noexcept;
    bool seems_ready() const noexcept { return queued() != 0 || in_inbox() != 0; }
    // Whether pop() would give that stream one.
    bool ready_for(const StreamCore& stream) const noexcept;
    // The same, as a hint.
    bool seems_ready_for(const StreamCore& stream) const noexcept {
        return seems_ready() && (!options.sticky || ready_for(stream));
    }
    // Whether there are units that can go on there only.
    bool binds(const StreamCore& stream) const noexcept;
    // Wakes a sleeping stream if there is something to do.
    void share() noexcept;

    // Every unit is in a queue, in the list or running on a stream for the first time; between
    // these it goes under the lock, so that whoever looks finds it once.
    void list(Unit& unit, StreamCore& stream) noexcept;
    void unlist(Unit& unit) noexcept;
    std::vector<UnitInfo> units();

    void attach(StreamCore& stream);
    void detach(StreamCore& stream) noexcept;

    const PoolOptions options;
    const std::shared_ptr<Runtime> runtime;

private:
    struct Sight {
        const char* name;
        UnitState state;
        Wait waits_for;
        std::int64_t since;
    };

    struct Inbox {
        std::atomic<bool> open{false};  // while there is exactly one stream
        Lock lock;                      // taken after the pool's
        UnitQueue fresh;
        UnitQueue resumed;
        std::atomic<std::size_t> count{0};
    };

    bool leave_in_inbox(Unit& unit, Where where) noexcept;
    void empty_inbox() noexcept;
    void take_over_inbox() noexcept;
    std::size_t in_inbox() const noexcept { return inbox_.count.load(std::memory_order_relaxed); }
    void enqueue(Unit& unit, Where where) noexcept;
    void streams_changed() noexcept;
    static Unit* take(Level& level, UnitQueue& fresh) noexcept;
    Unit* take_sticky(const StreamCore& stream) noexcept;
    Seat& seat_of(const StreamCore& stream) const noexcept;
    bool has_fresh() const noexcept;
    bool for_anybody() const noexcept { return options.sticky ? has_fresh() : queued() != 0; }
    std::size_t queued() const noexcept { return count_.load(std::memory_order_relaxed); }
    std::size_t most_units() const noexcept;
    void look(std::vector<Sight>& seen) const;
    static void append(UnitQueue& queue, Unit& unit) noexcept;
    static Unit* take(UnitQueue& queue) noexcept;
    void wake_one() noexcept;

    mutable BiasedLock mutex_{true};
    mutable Inbox inbox_;
    std::atomic<std::size_t> count_{0};
    std::array<Level, 3> levels_;               // by priority; nobody is resumed if they are sticky
    std::vector<StreamCore*> streams_;          // changed under both locks
    std::vector<std::unique_ptr<Seat>> seats_;  // of these, if sticky
    std::uint64_t order_ = 0;
    Unit* listed_ = nullptr;
    std::size_t listed_count_ = 0;
};

struct Exceptions;

class StreamCore {
public:
    // Borrows the poller, which may be null.
    StreamCore(std::vector<std::shared_ptr<PoolCore>> pools, const std::string& name,
               Poller* poller = nullptr);
    StreamCore(const StreamCore&) = delete;
    StreamCore& operator=(const StreamCore&) = delete;
    ~StreamCore();

    // The stream that the calling thread is, or null; never cached across a switch.
    static StreamCore* current() noexcept;
    static Unit* current_unit() noexcept;
    static PoolCore& pool_of(const Unit& unit) noexcept { return *unit.pool_; }
    static Priority priority_of(const Unit& unit) noexcept { return unit.priority_; }

    // Blocks the calling unit until it is woken; one wake() ends one suspension, and may come
    // first.
    static void suspend(Unit& unit, Wait what);
    // The same where only the thread that calls this can wake the unit, later.
    static void suspend_alone(Unit& unit, Wait what);
    static void yield(Unit& unit);

    // That it runs a unit which is in no list; a null pool if it does not.
    void announce(const PoolCore* pool, const char* name) noexcept {
        running_of_.store(pool, std::memory_order_relaxed);
        running_name_.store(name, std::memory_order_release);
    }
    // Whether it runs such a unit of `pool`, whose lock is held, and its name.
    bool runs_for(const PoolCore& pool, const char*& name) const noexcept {
        if (running_of_.load(std::memory_order_relaxed) != &pool) return false;
        name = running_name_.load(std::memory_order_acquire);
        // The name may be that of a unit of another pool, which came after.
        return running_of_.load(std::memory_order_relaxed) == &pool;
    }

    // For a unit that it runs, instead of a suspension: moves what it polls until `done`, which
    // that sets, or for as long as a unit may well keep it from sleeping; not while others are
    // ready.
    void poll_within(Unit& unit, const bool& done) noexcept;
    bool polls(const Poller& poller) const noexcept { return poller_ == &poller; }

    // Ends the sleep if the stream sleeps; true if it did.
    bool rouse() noexcept;
    // It is to end, and begins no more units of sticky pools.
    bool stopping() const noexcept { return stop_.load(); }

private:
    using State = Unit::State;

    void run();
    Unit* next() noexcept;
    Unit* look() noexcept;
    Unit* wait() noexcept;
    bool poll_for_a_while() noexcept;
    void sleep() noexcept;
    void sleep_at(int descriptor) noexcept;
    bool must_stay_awake() const noexcept;
    bool has_ready() const noexcept;
    bool may_end() const noexcept;
    bool reserve() noexcept;
    Departure leave(Stack& self) noexcept;
    void settle(Errand errand) noexcept;
    static Errand go_to(Stack& from, Stack& to, Errand errand);
    static Departure loop(Errand errand);
    static void run_fresh(Unit& unit, Stack& self);
    static void switch_away(Unit& unit, Errand errand);
    static Exceptions& exceptions_of(const StreamCore& stream) noexcept;

    std::vector<std::shared_ptr<PoolCore>> pools_;
    Poller* const poller_;
    int wake_fd_ = -1;       // with a poller
    unsigned unpolled_ = 0;  // units run since the last poll
    std::shared_ptr<Runtime> runtime_;
    std::size_t stack_size_ = 0;
    Stack native_;
    Stack* active_ = nullptr;           // that the loop began on, while it is on its way there
    Stack* loop_ = nullptr;             // the loop that waits for a unit that it has resumed
    Stack* spare_ = nullptr;            // for the loop, should the unit that begins block
    Unit* unit_ = nullptr;              // that runs
    Exceptions* exceptions_ = nullptr;  // in flight, of its thread
    std::atomic<const PoolCore*> running_of_{nullptr};
    std::atomic<const char*> running_name_{nullptr};
    std::atomic<bool> stop_{false};
    std::atomic<bool> asleep_{false};
    std::mutex mutex_;
    std::condition_variable roused_;
    std::thread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
