// SPDX-License-Identifier: BSD-3-Clause
// A call under way. It ends exactly once: with its result, with an error, by its deadline or by
// cancel(), whichever is first; what comes later is dropped. Deadlines end a call at their time
// even if the peer or the network never says anything more. Any thread may call anything.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "cinnabar/endpoint.hpp"
#include "cinnabar/error.hpp"
#include "cinnabar/pool.hpp"
#include "cinnabar/signature.hpp"

namespace cinnabar {
inline namespace v1 {

namespace detail {

class EngineCore;
class CallCore;

// Something that can be written; something that can be read.
class Writable {
public:
    virtual void write(Writer& writer) const = 0;

protected:
    ~Writable() = default;
};

class Readable {
public:
    virtual void read(Reader& reader) = 0;
    virtual ~Readable() = default;
};

template <class... T>
class WritableOf final : public Writable {
public:
    explicit WritableOf(const T&... values) : values_(values...) {}
    void write(Writer& writer) const override {
        std::apply([&](const T&... values) { writer(values...); }, values_);
    }

private:
    std::tuple<const T&...> values_;
};

// Where the result of a call goes.
template <class R>
struct Answer final : Readable {
    void read(Reader& reader) override { reader(value.emplace()); }
    std::optional<R> value;
};
template <>
struct Answer<void> final : Readable {
    void read(Reader&) override {}
};

struct ProcedureCore {
    std::shared_ptr<EngineCore> engine;
    std::string name;
    std::uint64_t id = 0;
    std::uint64_t one_way_id = 0;
    std::uint64_t signature = 0;
};

struct CallRequest {
    const ProcedureCore& procedure;
    const Endpoint& peer;
    const Writable& arguments;
    std::optional<TimePoint> deadline;
    bool one_way = false;
};

CINNABAR_API std::shared_ptr<CallCore> start_call(const CallRequest& request,
                                                  std::shared_ptr<Readable> answer);
CINNABAR_API bool wait_call(CallCore& call, std::optional<TimePoint> deadline);
CINNABAR_API void cancel_call(CallCore& call);
// Null when it succeeded; only when it has ended.
CINNABAR_API const Error* call_error(const CallCore& call);

}  // namespace detail

template <class R>
class [[nodiscard]] Call {
public:
    Call(std::shared_ptr<detail::CallCore> core, std::shared_ptr<detail::Answer<R>> answer)
        : core_(std::move(core)), answer_(std::move(answer)) {}

    // Blocks until the end and takes the result: to be called once.
    Result<R> wait() {
        (void)detail::wait_call(*core_, {});
        if (const Error* error = detail::call_error(*core_)) return *error;
        if constexpr (std::is_void_v<R>)
            return {};
        else
            return std::move(*answer_->value);
    }
    // Blocks until the end (true) or that time; the call goes on. Takes nothing.
    bool wait_until(TimePoint time) const { return detail::wait_call(*core_, time); }
    bool ready() const { return detail::wait_call(*core_, TimePoint::min()); }
    // Ends the call with Errc::canceled unless it has ended. The peer may have served it or do so
    // yet.
    void cancel() { detail::cancel_call(*core_); }
    // Runs `function(Result<R>)` as a unit of `pool` when the call has ended; takes the result.
    template <class Function>
    void then(Pool pool, Function function) {
        pool.post([call = *this, body = std::move(function)]() mutable { body(call.wait()); });
    }

private:
    std::shared_ptr<detail::CallCore> core_;
    std::shared_ptr<detail::Answer<R>> answer_;
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

}  // namespace v1
}  // namespace cinnabar
