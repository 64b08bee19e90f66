// SPDX-License-Identifier: BSD-3-Clause
// Handlers, at the side that serves: from any function to what the engine runs. A handler is a
// unit; it may block, or be a coroutine that returns a Task<R>. What it returns is the result, what
// it throws becomes Errc::handler_failed at the caller, with the text of a std::exception. It may
// take `const Caller&` as its first parameter.
#pragma once

#include <functional>

#include "cinnabar/call.hpp"
#include "cinnabar/task.hpp"

namespace cinnabar {
inline namespace v1 {

// Who calls, and how long they wait.
class Caller {
public:
    Caller(Endpoint endpoint, std::optional<TimePoint> deadline)
        : endpoint_(std::move(endpoint)), deadline_(deadline) {}
    const Endpoint& endpoint() const noexcept { return endpoint_; }
    // When the caller will have gone, by what it told: counted from when the request was read.
    std::optional<TimePoint> deadline() const noexcept { return deadline_; }

private:
    Endpoint endpoint_;
    std::optional<TimePoint> deadline_;
};

namespace detail {

// One request that is being served. An answer is given once, by answer() or fail().
class CINNABAR_API Exchange {
public:
    virtual Caller caller() = 0;
    // Reads the arguments; false when that failed, and the caller has been told.
    virtual bool read(std::uint64_t signature, Readable& arguments) = 0;
    virtual void answer(const Writable& result) = 0;
    virtual void fail(Errc code, const std::string& text) = 0;
    // The same exchange, to outlive its unit; this one is over.
    virtual std::unique_ptr<Exchange> detach() = 0;
    virtual ~Exchange() = default;
};

class Handler {
public:
    virtual void serve(Exchange& exchange) = 0;
    // Whether its arguments and its result are exactly these tuples.
    virtual bool takes(const std::type_info& arguments,
                       const std::type_info& result) const noexcept = 0;
    virtual ~Handler() = default;
};

template <class R>
void answer_with(Exchange& exchange, const R& result) {
    exchange.answer(WritableOf<R>(std::in_place, result));
}

template <class R>
struct TupleOf {
    using Type = std::tuple<R>;
};
template <>
struct TupleOf<void> {
    using Type = std::tuple<>;
};

inline constexpr const char* unknown_exception = "an exception of unknown type";

// Tells the caller what is thrown while `body()` runs.
template <class Body>
void guarded(Exchange& exchange, Body body) {
    std::string text;
    try {
        return body();
    } catch (const std::exception& error) {
        text = error.what();
    } catch (...) {
        text = unknown_exception;
    }
    exchange.fail(Errc::handler_failed, text);
}

template <class Function, bool wants_caller, class R, class... A>
class HandlerOf final : public Handler {
public:
    explicit HandlerOf(Function function) : function_(std::move(function)) {}

    void serve(Exchange& exchange) override {
        if constexpr (is_task<R>) {
            // Begun by the unit, ended by whichever unit comes to its end.
            std::unique_ptr<Exchange> own = exchange.detach();
            auto arguments = std::make_unique<Arguments>();
            if (own->read(digest, *arguments)) drive(*this, std::move(own), std::move(arguments));
        } else {
            Arguments arguments;
            if (!exchange.read(digest, arguments)) return;
            guarded(exchange, [&] {
                if constexpr (std::is_void_v<R>) {
                    call(exchange, arguments);
                    exchange.answer(WritableOf<>(std::in_place));
                } else {
                    answer_with<Value>(exchange, call(exchange, arguments));
                }
            });
        }
    }
    bool takes(const std::type_info& arguments,
               const std::type_info& result) const noexcept override {
        return arguments == typeid(Values) && result == typeid(typename TupleOf<Value>::Type);
    }

private:
    using Value = typename ResultOf<R>::Type;
    using Values = std::tuple<std::remove_cvref_t<A>...>;
    static constexpr std::uint64_t digest = signature<Value, std::remove_cvref_t<A>...>;

    struct Arguments final : Readable {
        void read(Reader& reader) override {
            std::apply([&](auto&... each) { reader(each...); }, values);
        }
        void take(const Writable& from) override {
            std::optional<Values> given;
            from.copy_to(&given);
            if (given) values = std::move(*given);
        }
        Values values;
    };

    R call(Exchange& exchange, Arguments& arguments) {
        return std::apply(
            [&](auto&... values) -> R {
                if constexpr (wants_caller)
                    return function_(exchange.caller(), static_cast<A&&>(values)...);
                else
                    return function_(static_cast<A&&>(values)...);
            },
            arguments.values);
    }

    static Detached drive(HandlerOf& handler, std::unique_ptr<Exchange> exchange,
                          std::unique_ptr<Arguments> arguments) {
        std::string text;
        try {
            // Parameters that are references refer to these while the task runs.
            std::optional<Caller> caller;
            R task = handler.begin(*exchange, *arguments, caller);
            if constexpr (std::is_void_v<Value>) {
                co_await task;
                exchange->answer(WritableOf<>(std::in_place));
            } else {
                Value result = co_await task;
                answer_with<Value>(*exchange, result);
            }
            co_return;
        } catch (const std::exception& error) {
            text = error.what();
        } catch (...) {
            text = unknown_exception;
        }
        exchange->fail(Errc::handler_failed, text);
    }
    R begin(Exchange& exchange, Arguments& arguments, std::optional<Caller>& caller) {
        return std::apply(
            [&](auto&... values) -> R {
                if constexpr (wants_caller)
                    return function_(caller.emplace(exchange.caller()),
                                     static_cast<A&&>(values)...);
                else
                    return function_(static_cast<A&&>(values)...);
            },
            arguments.values);
    }

    Function function_;
};

// The types of a function, from the guides of std::function.
template <class F>
struct HandlerFor;
template <class R, class... A>
struct HandlerFor<std::function<R(A...)>> {
    template <class Function>
    using Type = HandlerOf<Function, false, R, A...>;
};
template <class R, class... A>
struct HandlerFor<std::function<R(const Caller&, A...)>> {
    template <class Function>
    using Type = HandlerOf<Function, true, R, A...>;
};

template <class Function>
std::shared_ptr<Handler> make_handler(Function function) {
    using Types = HandlerFor<decltype(std::function(function))>;
    return std::make_shared<typename Types::template Type<Function>>(std::move(function));
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
