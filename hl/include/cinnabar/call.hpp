// SPDX-License-Identifier: BSD-3-Clause
// A call under way. It ends exactly once: with its result, with an error, by its deadline or by
// cancel(), whichever is first; what comes later is dropped. Deadlines end a call at their time
// even if the peer or the network never says anything more. Results are decoded by whoever waits
// for them. Any thread may call anything.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "cinnabar/endpoint.hpp"
#include "cinnabar/error.hpp"
#include "cinnabar/resume.hpp"
#include "cinnabar/sync.hpp"
#include "cinnabar/values.hpp"

namespace cinnabar {
inline namespace v1 {

namespace detail {

class EngineCore;
class CallCore;

// Where the result of a call goes.
template <class R>
struct Answer final : Readable {
    static Readable* make(void* memory) { return new (memory) Answer; }
    void read(Reader& reader) override { reader(value.emplace()); }
    void take(const Writable& from) override {
        std::optional<std::tuple<R>> result;
        from.copy_to(&result);
        if (result) value.emplace(std::get<0>(std::move(*result)));
    }
    std::optional<R> value;
};
template <>
struct Answer<void> final : Readable {
    static Readable* make(void* memory) { return new (memory) Answer; }
    void read(Reader&) override {}
    void take(const Writable&) override {}
};

struct ProcedureCore {
    std::shared_ptr<EngineCore> engine;
    std::string name;
    std::uint64_t id = 0;
    std::uint64_t one_way_id = 0;
    std::uint64_t signature = 0;
};

struct CallRequest {
    const std::shared_ptr<const ProcedureCore>& procedure;
    const Endpoint& peer;
    const Writable& arguments;
    // The answer is made at the end of the call's own memory.
    std::size_t answer_size;
    Readable* (*make_answer)(void* memory);
    const std::type_info& result;  // a tuple of it
    std::optional<TimePoint> deadline;
    bool one_way = false;
};

// One of the references that keep a call.
class CINNABAR_API CallRef {
public:
    explicit CallRef(CallCore* taken) noexcept : core_(taken) {}
    CallRef(const CallRef& other) noexcept;
    CallRef(CallRef&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    CallRef& operator=(CallRef other) noexcept {
        std::swap(core_, other.core_);
        return *this;
    }
    ~CallRef();
    CallCore& operator*() const noexcept { return *core_; }

private:
    CallCore* core_;
};

CINNABAR_API CallRef start_call(const CallRequest& request);
// The whole of a call, by a unit that waits for nothing else: puts the answer or the error where
// they belong. False, and nothing done, where it is no such call.
CINNABAR_API bool call_in_unit(const CallRequest& request, Readable& answer,
                               std::optional<Error>& error);
CINNABAR_API void cancel_call(CallCore& call);
CINNABAR_API Event& call_event(CallCore& call) noexcept;
CINNABAR_API Readable& call_answer(CallCore& call) noexcept;
// When it has ended: reads the answer, which is there if this gives null.
CINNABAR_API const Error* collect_call(CallCore& call);

}  // namespace detail

template <class R>
class [[nodiscard]] Call {
public:
    explicit Call(detail::CallRef core) : core_(std::move(core)) {}

    // Blocks until the end and takes the result: to be called once, this or co_await.
    Result<R> wait() {
        (void)event().wait_as(detail::Wait::call);
        return take();
    }
    // Blocks until the end (true) or that time; the call goes on. Takes nothing.
    bool wait_until(TimePoint time) const { return event().wait_as(detail::Wait::call, time); }
    bool wait_for(Clock::duration duration) const { return wait_until(after(duration)); }
    bool ready() const { return event().is_set(); }
    // Ends the call with Errc::canceled unless it has ended. The peer may have served it or do so
    // yet.
    void cancel() { detail::cancel_call(*core_); }
    // Runs `function(Result<R>)` as a unit of `pool` when the call has ended; takes the result.
    template <class Function>
    void then(Pool pool, Function function) {
        detail::when_set(
            event(), std::move(pool),
            [call = *this, body = std::move(function)]() mutable { body(call.wait()); });
    }
    // Set at the end; lives as long as this.
    Event& event() const noexcept { return detail::call_event(*core_); }

    // In a coroutine: suspends it until the end, and gives the Result.
    auto operator co_await() const {
        struct Awaiter : detail::EventAwaiter {
            explicit Awaiter(const Call& awaited)
                : detail::EventAwaiter(awaited.event()), call(awaited) {}
            Result<R> await_resume() { return call.take(); }
            Call call;
        };
        return Awaiter(*this);
    }

private:
    Result<R> take() {
        if (const Error* error = detail::collect_call(*core_)) return *error;
        if constexpr (std::is_void_v<R>)
            return {};
        else
            return std::move(*static_cast<detail::Answer<R>&>(detail::call_answer(*core_)).value);
    }

    detail::CallRef core_;
};

// Blocks until all have ended; takes their results, in order.
template <class R>
std::vector<Result<R>> wait_all(std::vector<Call<R>>& calls) {
    std::vector<Result<R>> results;
    results.reserve(calls.size());
    for (Call<R>& call : calls)
        results.push_back(call.wait());
    return results;
}

// The same with a deadline; nothing when that came first: the calls go on then, and no result has
// been taken.
template <class R>
std::optional<std::vector<Result<R>>> wait_all(std::vector<Call<R>>& calls, TimePoint deadline) {
    for (const Call<R>& call : calls)
        if (!call.wait_until(deadline)) return {};
    return wait_all(calls);
}
template <class R>
std::optional<std::vector<Result<R>>> wait_all(std::vector<Call<R>>& calls,
                                               Clock::duration duration) {
    return wait_all(calls, after(duration));
}

// Blocks until one has ended, and gives its index; nothing when the deadline came first.
template <class R>
std::optional<std::size_t> wait_any(const std::vector<Call<R>>& calls,
                                    std::optional<TimePoint> deadline = {}) {
    std::vector<Event*> events;
    events.reserve(calls.size());
    for (const Call<R>& call : calls)
        events.push_back(&call.event());
    return wait_any(std::span<Event* const>(events), deadline);
}
template <class R>
std::optional<std::size_t> wait_any(const std::vector<Call<R>>& calls, Clock::duration duration) {
    return wait_any(calls, after(duration));
}

}  // namespace v1
}  // namespace cinnabar
