// SPDX-License-Identifier: BSD-3-Clause
// Execution: units (user-level threads) wait in pools, streams (OS threads) drain pools. A unit
// that blocks in sync.hpp, in a call or in a transfer gives its stream to the next unit; whoever
// wakes it puts it straight back into its pool, from any thread. A unit may resume on another OS
// thread than the one it blocked on, unless its pool is sticky, so it must not hold a std::mutex or
// a reference to a thread_local across something that blocks. A unit that never blocks runs on the
// stack of its stream without a switch.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "cinnabar/export.hpp"

namespace cinnabar {
inline namespace v1 {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// The time so much later than now; the end of all time if that is beyond it.
inline TimePoint after(Clock::duration duration) {
    const TimePoint now = Clock::now();
    return duration < TimePoint::max() - now ? now + duration : TimePoint::max();
}

// Which of the units that are ready in a pool is taken first. Strictly so: while there are some of
// a higher one, the others of that pool wait, however long. It is no matter of streams (a stream
// looks into its pools in order, whatever is in them), of the units that run (none is
// interrupted) or of locks (who waits for a mutex lends its holder nothing).
enum class Priority : unsigned char { high, normal, low };

namespace detail {

class PoolCore;
class StreamCore;
class UnitQueue;
struct Seat;
struct Stack;

// What a parked unit waits for.
enum class Wait : unsigned char {
    event,
    eventual,
    mutex,
    condition,
    semaphore,
    barrier,
    sleep,
    any,
    all,
    call,
    transfer,
    close
};

// Whoever can wait: a unit or a plain thread. Each suspend() is ended by one wake().
class Actor {
public:
    virtual void wake() noexcept = 0;

protected:
    ~Actor() = default;
};

// One user-level thread. Made by Pool::post(), deleted by the stream on which it ends.
class CINNABAR_API Unit : public Actor {
public:
    Unit() = default;
    // `name` outlives all units: see lasting_name().
    explicit Unit(const char* name) noexcept : name_(name) {}
    Unit(const Unit&) = delete;
    Unit& operator=(const Unit&) = delete;
    virtual ~Unit();
    virtual void run() noexcept = 0;
    void wake() noexcept final;

    // Units come and go with every call: their memory is kept for the next ones.
    static void* operator new(std::size_t size);
    static void* operator new(std::size_t size, const std::nothrow_t&) noexcept;
    static void operator delete(void* memory) noexcept;
    static void operator delete(void* memory, const std::nothrow_t&) noexcept;

private:
    friend class PoolCore;
    friend class StreamCore;
    friend class UnitQueue;

    enum class State : int { running, parked, woken };

    Unit* next_ = nullptr;  // in its pool's queue
    std::atomic<State> state_{State::running};
    Stack* stack_ = nullptr;  // null until it has begun
    PoolCore* pool_ = nullptr;
    std::shared_ptr<PoolCore> keep_;  // of the pool, unless what derives from this keeps it
    Seat* seat_ = nullptr;            // where it must go on; none until it has blocked, or for ever
    std::uint64_t order_ = 0;         // of arrival in its queue, in a sticky pool
    void* caught_ = nullptr;          // the C++ runtime's exceptions in flight, which it
    unsigned uncaught_ = 0;           // keeps per OS thread
    // For who asks what there is. In the pool's list from the first time that it gives its stream
    // away: who never does costs nothing.
    const char* name_ = nullptr;
    Unit* listed_next_ = nullptr;
    Unit* listed_previous_ = nullptr;
    std::int64_t since_ = 0;  // when it parked, by a clock that is coarse and cheap
    Wait waits_for_ = Wait::event;
    Priority priority_ = Priority::normal;
    bool listed_ = false;
    bool queued_ = false;
};

// The same text for as long as the process lives. One copy of each is kept; for names of which
// there are few, as of procedures.
const char* lasting_name(const std::string& name);

}  // namespace detail

struct PoolOptions {
    std::string name = "pool";
    // Bytes of stack that each unit may use; rounded up to pages, a guard page comes on top. Only
    // pages that are touched cost memory.
    std::size_t stack_size = 256 * 1024;
    // Units, once begun, go on only on the stream on which they began, so on one OS thread: what is
    // of a thread (errno, thread_local, who locked a std::mutex) stays theirs. But other units of
    // that stream use the same thread meanwhile: they see the same thread_locals, and one that
    // takes a std::mutex which a blocked unit holds blocks the stream for good. A coroutine goes on
    // as a new unit, anywhere. While their stream is busy such units wait, however many others are
    // idle.
    bool sticky = false;
};

enum class UnitState { ready, running, parked };

// A unit as it was at one moment.
struct UnitInfo {
    std::string name;  // the procedure's, of a handler; else "unit"
    UnitState state = UnitState::ready;
    std::string waits_for;     // if it is parked: "mutex", "call", "sleep" and so on
    Clock::duration parked{};  // for how long, to a few milliseconds
};

// A queue of runnable units. A handle: copies refer to the same pool, which lives until the last of
// its handles, streams and units is gone. Units left without a stream wait until one is added. Any
// thread may call anything.
class CINNABAR_API Pool {
public:
    explicit Pool(const PoolOptions& options = {});

    // Runs `function()` as a new unit. It must not throw: that ends the program. Never blocks.
    template <class Function>
    void post(Function function) const {
        struct Of final : detail::Unit {
            explicit Of(Function&& given) : body(std::move(given)) {}
            void run() noexcept override { body(); }
            Function body;
        };
        static_assert(alignof(Of) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
        submit(std::make_unique<Of>(std::move(function)));
    }

    // The same pool; what is posted, spawned or served through the handle that is returned has
    // that priority. Units begin with that of the handle, and keep it.
    Pool with(Priority priority) const { return Pool(core_, priority); }
    Priority priority() const noexcept { return priority_; }

    const std::string& name() const noexcept;
    // Units that are ready to run at this moment.
    std::size_t ready() const;
    // All its units, those that are ready first, in the order in which they would run. Suspended
    // coroutines are no units. Holds up the pool for a moment for each.
    std::vector<UnitInfo> units() const;
    // The same as text: a line for the pool and one for each unit.
    std::string dump() const;
    // Whether the caller is a unit of this pool.
    bool current() const noexcept;
    // The pool of the unit that calls, with its priority; throws std::logic_error on a plain
    // thread.
    static Pool here();

    explicit Pool(std::shared_ptr<detail::PoolCore> core,
                  Priority priority = Priority::normal) noexcept
        : core_(std::move(core)), priority_(priority) {}
    const std::shared_ptr<detail::PoolCore>& core() const noexcept { return core_; }

private:
    void submit(std::unique_ptr<detail::Unit> unit) const;

    std::shared_ptr<detail::PoolCore> core_;
    Priority priority_ = Priority::normal;
};

// An OS thread that drains pools, those named first before those named later. It sleeps while they
// are empty. Destroying it waits for the unit that it runs to block or end; other units stay in
// their pools, but those of sticky pools that have begun on it: it runs these until they have
// ended, and is waited for. Not to be destroyed by a unit that runs on it.
class CINNABAR_API Stream {
public:
    // Throws std::invalid_argument without pools, std::system_error when the system has no thread.
    explicit Stream(const std::vector<Pool>& pools, const std::string& name = "stream");
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

private:
    std::unique_ptr<detail::StreamCore> core_;
};

// Whether the caller is a unit.
CINNABAR_API bool in_unit() noexcept;

// Lets other ready units of the pool run first, of the same priority and higher ones; on a plain
// thread std::this_thread::yield().
CINNABAR_API void yield();

// Blocks the caller, unit or thread, for at least that long.
CINNABAR_API void sleep_until(TimePoint time);
inline void sleep_for(Clock::duration duration) {
    sleep_until(after(duration));
}

}  // namespace v1
}  // namespace cinnabar
