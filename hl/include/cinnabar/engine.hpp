// SPDX-License-Identifier: BSD-3-Clause
// An engine: a network that is open, its progress, and streams on which the
// handlers of its procedures run as units. The first thing a program makes and the last it
// destroys. Any thread may call anything; destroying it is for one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "cinnabar/bulk.hpp"
#include "cinnabar/handler.hpp"
#include "cinnabar/monitor.hpp"
#include "cinnabar/procedure.hpp"

namespace cinnabar {
inline namespace v1 {

// Who makes progress: a stream of its own, which busy handlers cannot hold up; or the first of the
// streams that run the handlers, which saves a switch of threads in each call, but stands still
// while a handler computes on it.
enum class Progress { own_stream, shared };

// A stream of an engine, and the pools that it drains, those named first before those named later.
struct StreamOptions {
    std::string name;
    std::vector<std::string> pools;
};

enum class Checksum { none, headers, payload };

// What the layers below are told, under the names of the C API; 0 or empty: their default.
struct NetOptions {
    std::string ip_subnet;       // "10.1.0.0/16": chooses the interface
    std::string auth_key;        // of networks that have keys; printed with the configuration
    std::string sm_info_string;  // host part of the address for auto_sm
    std::size_t max_unexpected_size = 0;  // bytes of a request that is not split
    std::size_t max_expected_size = 0;    // the same of an answer
    std::uint32_t request_post_init = 0;  // requests held before any is served
    Checksum checksum_level = Checksum::none;
    bool no_bulk_eager = false;  // small bulk data does not travel with its descriptor
    bool stats = false;          // counters are printed at the close
};

struct EngineOptions {
    bool listen = true;                               // peers can call
    unsigned streams = 1;                             // OS threads for handlers
    PoolOptions pool = {};                            // of the pool that they drain
    Clock::duration drain = std::chrono::seconds(5);  // patience of the destructor
    bool auto_sm = false;                             // peers of the same host by shared memory too
    Progress progress = Progress::own_stream;
    bool busy = false;                      // the stream that makes progress never sleeps
    std::shared_ptr<Monitor> monitor = {};  // is told of each step of each call
    bool introspection = true;              // peers may ask what is served: see introspect()
    // If any, in place of `pool`: the first is for handlers that are given no other.
    std::vector<PoolOptions> pools = {};
    // If any, in place of `streams`, each of which drains all pools. The first makes progress if
    // that is shared.
    std::vector<StreamOptions> stream_list = {};
    NetOptions net = {};
};

// How one pool of a peer fares: how many units are in which state. Many that are ready, or one that
// has been parked for long, tell of a service that does not keep up.
struct PoolHealth {
    std::string name;
    std::uint64_t ready = 0;    // wait for a stream
    std::uint64_t running = 0;  // the asking handler among them, if it is served there
    std::uint64_t parked = 0;
    double longest_parked_seconds = 0;
};

// What a peer says of itself. One that is closing refuses to.
struct Introspection {
    std::vector<std::string> procedures;  // that it serves, those of providers as "name@id"
    double uptime_seconds = 0;            // since its engine was opened
    std::vector<PoolHealth> pools;        // of its engine
    std::string statistics;               // of its monitor if that is a Statistics: JSON
};

class Provider;
template <class T>
class Provided;

class CINNABAR_API Engine {
public:
    // Opens the network that `info` names ("tcp://127.0.0.1:0", "na+sm", ...). The constructor
    // throws Failure where open() returns an error.
    explicit Engine(const std::string& info, const EngineOptions& options = {});
    static Result<Engine> open(const std::string& info, const EngineOptions& options = {});
    // Opens what a JSON text describes; its keys are in docs/cpp-api.md. What it does not say is as
    // in `options`. An unknown key, a value of the wrong type and a pool that does not exist are
    // Errc::invalid, with the key in the text.
    static Result<Engine> from_json(const std::string& text, const EngineOptions& options = {});
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) = delete;
    // finalize() with the patience of the options.
    ~Engine();

    // Serves `name` with `function` from now on, as units of `pool`. Types are those of the
    // function's parameters and result, without references. A second definition replaces the
    // first; calls under way keep theirs.
    template <class Function>
    Result<void> define(const std::string& name, Function function) {
        return define_handler(name, 0, detail::make_handler(std::move(function)), pool());
    }
    template <class Function>
    Result<void> define(const std::string& name, Function function, Pool pool) {
        return define_handler(name, 0, detail::make_handler(std::move(function)), std::move(pool));
    }
    // Serves it no longer: further calls get Errc::unknown_procedure. Blocks until the calls under
    // way have ended; not to be called by its own handler.
    void withdraw(const std::string& name, std::uint16_t provider = 0);

    // Makes a T, which is derived from Provider, and serves its methods under that id until what is
    // returned is destroyed, which waits for calls under way: see provider.hpp. Units of `pool`.
    template <class T, class... Given>
    Provided<T> provide(std::uint16_t id, Given&&... given);
    template <class T, class... Given>
    Provided<T> provide_in(Pool pool, std::uint16_t id, Given&&... given);

    // A procedure to call; of a provider if an id other than 0 is given. Costs a look-up: keep it.
    template <class Signature>
    Procedure<Signature> procedure(const std::string& name, std::uint16_t provider = 0) {
        return Procedure<Signature>(
            procedure_core(name, provider, Procedure<Signature>::signature));
    }

    // Asks a peer what it serves and how it is; Errc::unknown_procedure if it does not tell.
    Result<Introspection> introspect(const Endpoint& peer, Clock::duration patience);

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
        return expose(std::vector<Segment>{{memory.data(), memory.size_bytes()}}, access);
    }
    template <class T, std::size_t extent>
    Result<Region> expose_const(std::span<const T, extent> memory) {
        static_assert(std::is_trivially_copyable_v<T>);
        return expose(std::vector<Segment>{{const_cast<T*>(memory.data()), memory.size_bytes()}},
                      Access::read);
    }

    // Several pieces as one region.
    Result<Region> expose(const std::vector<Segment>& segments, Access access);
    // A region with memory of the library's, which some networks reach faster; Region::memory().
    Result<Region> allocate(std::size_t size, Access access);

    // The pool of its handlers, and any of its pools by name.
    const Pool& pool() const;
    std::optional<Pool> find_pool(const std::string& name) const;
    // What units its pools have and where they are parked, as text: see Pool::dump(). Any thread,
    // while they run.
    std::string dump() const;
    // How it was opened, with all defaults, as JSON that opens the same again. A monitor is named
    // if it is a Statistics.
    std::string configuration() const;

    // Closes: new requests are refused from here on, those under way are waited for; calls and
    // transfers of this engine that have not ended after `patience` are canceled, answers that
    // have not left are dropped; then handlers are waited for as long as it takes, since they use
    // memory that would go. Afterwards every operation gives
    // Errc::closed. Errc::invalid when called by a unit of the engine's pool. The second time does
    // nothing.
    Result<void> finalize(Clock::duration patience);

private:
    friend class Provider;
    explicit Engine(std::shared_ptr<detail::EngineCore> core) noexcept;
    Result<void> define_handler(const std::string& name, std::uint16_t provider,
                                std::shared_ptr<detail::Handler> handler, Pool pool);
    std::shared_ptr<const detail::ProcedureCore> procedure_core(const std::string& name,
                                                                std::uint16_t provider,
                                                                std::uint64_t signature);
    void define_introspection();

    std::shared_ptr<detail::EngineCore> core_;
};

}  // namespace v1
}  // namespace cinnabar
