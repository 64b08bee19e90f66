// SPDX-License-Identifier: BSD-3-Clause
// Handlers, at the side that serves: from any function to what the engine runs. A handler is a
// unit; it may block. What it returns is the result, what it throws becomes Errc::handler_failed at
// the caller, with the text of a std::exception. It may take `const Caller&` as its first
// parameter.
#pragma once

#include <functional>

#include "cinnabar/call.hpp"

namespace cinnabar {
inline namespace v1 {

// Who calls.
class Caller {
public:
    explicit Caller(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
    const Endpoint& endpoint() const noexcept { return endpoint_; }

private:
    Endpoint endpoint_;
};

namespace detail {

// One request that is being served. An answer is given once, by one of the last three.
class CINNABAR_API Exchange {
public:
    virtual Endpoint caller() = 0;
    // Reads the arguments; false when that failed, and the caller has been told.
    virtual bool read(std::uint64_t signature, Readable& arguments) = 0;
    virtual void answer(const Writable& result) = 0;
    virtual void fail(Errc code, const std::string& text) = 0;

protected:
    ~Exchange() = default;
};

class Handler {
public:
    virtual void serve(Exchange& exchange) = 0;
    virtual ~Handler() = default;
};

template <class Function, bool wants_caller, class R, class... A>
class HandlerOf final : public Handler {
public:
    explicit HandlerOf(Function function) : function_(std::move(function)) {}

    void serve(Exchange& exchange) override {
        Arguments arguments;
        if (!exchange.read(signature<std::remove_cvref_t<R>, std::remove_cvref_t<A>...>, arguments))
            return;
        std::string text = "an exception of unknown type";
        try {
            run(exchange, arguments);
            return;
        } catch (const std::exception& error) {
            text = error.what();
        } catch (...) {
        }
        exchange.fail(Errc::handler_failed, text);
    }

private:
    struct Arguments final : Readable {
        void read(Reader& reader) override {
            std::apply([&](auto&... each) { reader(each...); }, values);
        }
        std::tuple<std::remove_cvref_t<A>...> values;
    };

    void run(Exchange& exchange, Arguments& arguments) {
        const auto call = [&](auto&... values) -> R {
            if constexpr (wants_caller)
                return function_(Caller(exchange.caller()), static_cast<A&&>(values)...);
            else
                return function_(static_cast<A&&>(values)...);
        };
        if constexpr (std::is_void_v<R>) {
            std::apply(call, arguments.values);
            exchange.answer(WritableOf<>());
        } else {
            const std::remove_cvref_t<R> result = std::apply(call, arguments.values);
            exchange.answer(WritableOf<std::remove_cvref_t<R>>(result));
        }
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
