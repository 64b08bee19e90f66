// SPDX-License-Identifier: BSD-3-Clause
// An engine: a network that is open, its progress in a thread of its own, and streams on which the
// handlers of its procedures run as units. The first thing a program makes and the last it
// destroys. Any thread may call anything; destroying it is for one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include "cinnabar/bulk.hpp"
#include "cinnabar/handler.hpp"
#include "cinnabar/procedure.hpp"

namespace cinnabar {
inline namespace v1 {

struct EngineOptions {
    bool listen = true;                               // peers can call
    unsigned streams = 1;                             // OS threads for handlers
    PoolOptions pool = {};                            // of the pool that they drain
    Clock::duration drain = std::chrono::seconds(5);  // patience of the destructor
    bool auto_sm = false;                             // peers of the same host by shared memory too
    unsigned progress_ms = 50;                        // the longest sleep of the progress thread
};

class CINNABAR_API Engine {
public:
    // Opens the network that `info` names ("tcp://127.0.0.1:0", "na+sm", ...). The constructor
    // throws Failure where open() returns an error.
    explicit Engine(const std::string& info, const EngineOptions& options = {});
    static Result<Engine> open(const std::string& info, const EngineOptions& options = {});
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) = delete;
    // finalize() with the patience of the options.
    ~Engine();

    // Serves `name` with `function` from now on, as units of `pool`. Types are those of the
    // function's parameters and result, without references. A second definition replaces the
    // first; calls under way keep theirs.
    template <class Function>
    Result<void> define(const std::string& name, Function function) {
        return define_handler(name, detail::make_handler(std::move(function)), pool());
    }
    template <class Function>
    Result<void> define(const std::string& name, Function function, Pool pool) {
        return define_handler(name, detail::make_handler(std::move(function)), std::move(pool));
    }

    // A procedure to call. Costs a look-up: keep it.
    template <class Signature>
    Procedure<Signature> procedure(const std::string& name) {
        return Procedure<Signature>(procedure_core(name, Procedure<Signature>::signature));
    }

    // The peer of that address. Does not wait for it: that it is gone shows in a call.
    Result<Endpoint> lookup(const std::string& address);
    // This engine's own.
    Endpoint self() const;
    std::string address() const { return self().address(); }

    // Describes memory to peers and transfers.
    template <class T, std::size_t extent>
    Result<Region> expose(std::span<T, extent> memory, Access access) {
        static_assert(std::is_trivially_copyable_v<T>);
        static_assert(!std::is_const_v<T>, "use expose_const for memory that is only read");
        return expose_bytes(memory.data(), memory.size_bytes(), access);
    }
    template <class T, std::size_t extent>
    Result<Region> expose_const(std::span<const T, extent> memory) {
        static_assert(std::is_trivially_copyable_v<T>);
        return expose_bytes(const_cast<T*>(memory.data()), memory.size_bytes(), Access::read);
    }

    // The pool of its handlers.
    const Pool& pool() const;

    // Closes: new requests are refused from here on, those under way are waited for; calls of this
    // engine that have not ended after `patience` are canceled; then handlers are waited for as
    // long as it takes, since they use memory that would go. Afterwards every operation gives
    // Errc::closed. Errc::invalid when called by a unit of the engine's pool. The second time does
    // nothing.
    Result<void> finalize(Clock::duration patience);

private:
    explicit Engine(std::shared_ptr<detail::EngineCore> core) noexcept;
    Result<void> define_handler(const std::string& name, std::shared_ptr<detail::Handler> handler,
                                Pool pool);
    std::shared_ptr<const detail::ProcedureCore> procedure_core(const std::string& name,
                                                                std::uint64_t signature);
    Result<Region> expose_bytes(void* memory, std::size_t size, Access access);

    std::shared_ptr<detail::EngineCore> core_;
};

}  // namespace v1
}  // namespace cinnabar
