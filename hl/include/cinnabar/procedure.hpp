// SPDX-License-Identifier: BSD-3-Clause
// Typed procedures, at the side that calls: `engine.procedure<int(int, int)>("sum").on(peer)(40,
// 2)`. Values, copied freely; they may outlive their engine, calls then give Errc::closed. Any
// thread.
#pragma once

#include "cinnabar/call.hpp"
#include "cinnabar/handler.hpp"

namespace cinnabar {
inline namespace v1 {

template <class Signature>
class Procedure;

template <class R, class... A>
class Procedure<R(A...)> {
public:
    using Value = std::remove_cvref_t<R>;

    // A procedure at a peer. Each call is made by one of the last three functions.
    class Bound {
    public:
        Bound(std::shared_ptr<const detail::ProcedureCore> core, Endpoint peer)
            : core_(std::move(core)), peer_(std::move(peer)) {}

        // The same with a deadline for each call, counted from its start, or at a point of time.
        Bound within(Clock::duration duration) const {
            Bound bound(*this);
            bound.duration_ = duration;
            return bound;
        }
        Bound before(TimePoint deadline) const {
            Bound bound(*this);
            bound.deadline_ = deadline;
            return bound;
        }

        // Calls and waits: a unit gives its stream away, a plain thread sleeps. The arguments may
        // be changed on return of any of these.
        Result<Value> operator()(const std::remove_cvref_t<A>&... arguments) const {
            if (deadline_ || duration_) return async(arguments...).wait();
            const Arguments all(std::in_place, arguments...);
            const detail::CallRequest request = describe<Value>(false, all);
            detail::Answer<Value> answer;
            std::optional<Error> error;
            if (!detail::call_in_unit(request, answer, error))
                return Call<Value>(detail::start_call(request)).wait();
            if (error) return *std::move(error);
            if constexpr (std::is_void_v<Value>)
                return {};
            else
                return *std::move(answer.value);
        }
        // Calls and does not wait. Dropping what is returned drops the result, not the call.
        Call<Value> async(const std::remove_cvref_t<A>&... arguments) const {
            return start<Value>(false, arguments...);
        }
        // Calls and asks for no answer. The end says that the network has taken the request.
        Result<void> one_way(const std::remove_cvref_t<A>&... arguments) const {
            return start<void>(true, arguments...).wait();
        }

    private:
        using Arguments = detail::WritableOf<std::remove_cvref_t<A>...>;

        template <class Answered>
        Call<Answered> start(bool one_way, const std::remove_cvref_t<A>&... arguments) const {
            const Arguments all(std::in_place, arguments...);
            return Call<Answered>(detail::start_call(describe<Answered>(one_way, all)));
        }
        template <class Answered>
        detail::CallRequest describe(bool one_way, const Arguments& all) const {
            using Answer = detail::Answer<Answered>;
            static_assert(alignof(Answer) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
            return {core_,          peer_,        all,
                    sizeof(Answer), Answer::make, typeid(typename detail::TupleOf<Value>::Type),
                    deadline(),     one_way};
        }
        std::optional<TimePoint> deadline() const {
            if (deadline_) return deadline_;
            if (duration_) return Clock::now() + *duration_;
            return {};
        }

        std::shared_ptr<const detail::ProcedureCore> core_;
        Endpoint peer_;
        std::optional<TimePoint> deadline_;
        std::optional<Clock::duration> duration_;
    };

    explicit Procedure(std::shared_ptr<const detail::ProcedureCore> core)
        : core_(std::move(core)) {}

    Bound on(Endpoint peer) const { return Bound(core_, std::move(peer)); }

    static constexpr std::uint64_t signature = detail::signature<Value, std::remove_cvref_t<A>...>;

private:
    std::shared_ptr<const detail::ProcedureCore> core_;
};

}  // namespace v1
}  // namespace cinnabar
