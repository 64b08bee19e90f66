// SPDX-License-Identifier: BSD-3-Clause
// The inside of an engine: class, context, streams, procedures, and what must be given back before
// the class can close. It is what the stream that makes progress polls. Shared by all handles that
// users hold; after the close it is a husk that refuses everything. What is inside counts as busy:
// handlers, calls until the C API has let go of them, short operations; the close waits until
// nothing is.
#pragma once

#include <mercury.h>

#include <array>
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "cinnabar/engine.hpp"
#include "cinnabar/sync.hpp"
#include "hl/engine/answers.hpp"
#include "hl/engine/blocking.hpp"
#include "hl/engine/configuration.hpp"
#include "hl/engine/entry.hpp"
#include "hl/ult/stream.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

// Something of the C API that a user's handle holds.
class Resource {
public:
    explicit Resource(std::shared_ptr<EngineCore> engine);
    Resource(const Resource&) = delete;
    Resource& operator=(const Resource&) = delete;

    const std::shared_ptr<EngineCore> engine;

protected:
    friend class EngineCore;
    ~Resource() = default;
    // To be called by the destructor of what derives from it.
    void give_back() noexcept;
    // Frees it; called once, by the owner's end or by the close.
    virtual void release() noexcept = 0;
};

struct Address final : Resource {
    Address(std::shared_ptr<EngineCore> owner, hg_addr_t address, bool own, std::string text = {})
        : Resource(std::move(owner)), addr(address), self(own), name(std::move(text)) {}
    ~Address() { give_back(); }
    void release() noexcept override;

    hg_addr_t addr;
    const bool self;
    const std::string name;                // as it was looked up; empty for callers
    std::atomic<bool> has_handles{false};  // kept for further calls
};

// As it was looked up, or where it is.
std::string name_of(const Address& address);

struct RegionCore final : Resource {
    RegionCore(std::shared_ptr<EngineCore> owner, hg_bulk_t described)
        : Resource(std::move(owner)), bulk(described) {}
    ~RegionCore() { give_back(); }
    void release() noexcept override;

    hg_bulk_t bulk;
};

// A call or a transfer in one of the engine's lists.
struct Listed {
    Listed* next = nullptr;
    Listed* previous = nullptr;
};

class List {
public:
    void add(Listed& one) noexcept;
    void remove(Listed& one) noexcept;
    // None can go meanwhile.
    void visit(void (*visitor)(Listed& one));

private:
    Lock lock_;
    Listed* first_ = nullptr;
};

class EngineCore final : public std::enable_shared_from_this<EngineCore>, public Poller {
public:
    explicit EngineCore(const EngineOptions& given)
        : options(with_lists(given)),
          pools(make_pools(options)),
          pool(pools.front()),
          answers(*this, pool.core()->runtime) {}
    EngineCore(const EngineCore&) = delete;
    EngineCore& operator=(const EngineCore&) = delete;
    ~EngineCore() = default;

    Result<void> open(const std::string& info);
    Result<void> close(Clock::duration patience);

    // One more thing inside; false when closed, or for a request when closing.
    bool enter(bool request = false, unsigned times = 1) noexcept {
        return counts_here() ? enter_here(request, times) : enter_shared(request, times);
    }
    void leave(unsigned times = 1) noexcept {
        counts_here() ? leave_here(times) : leave_shared(times);
    }
    bool is_closing() const noexcept { return phase() != open_phase; }
    // Calls that the close must find.
    void list(Listed& call) noexcept;
    void unlist(Listed& call) noexcept;

    hg_id_t register_name(const std::string& name, bool one_way);
    Result<void> serve(const std::string& name, std::uint16_t provider, Served* served);
    // Serves it no longer, and waits for the requests under way.
    void withdraw(const std::string& name, std::uint16_t provider);
    Entry* entry(hg_id_t id) const noexcept {
        return static_cast<Entry*>(HG_Registered_data(cls, id));
    }
    std::vector<std::string> served_names();

    const Pool* find_pool(const std::string& name) const noexcept;

    bool poll() noexcept override;
    int descriptor() noexcept override;
    // Whether the caller is the stream that makes progress, in which all callbacks run.
    bool is_progress_here() const noexcept {
        const StreamCore* here = StreamCore::current();
        return here != nullptr && here->polls(*this);
    }

    const EngineOptions options;
    const TimePoint opened = Clock::now();
    const std::vector<Pool> pools;
    const Pool pool;  // the first of them
    std::string info;
    hg_class_t* cls = nullptr;
    hg_context_t* context = nullptr;
    std::shared_ptr<Address> self;
    Answers answers;
    BlockingCalls blocking_calls;
    List transfers;

private:
    friend class Resource;
    enum Phase : std::uint64_t { open_phase = 0, draining = 1, closed = 2, phases = 3, one = 4 };
    Phase phase() const noexcept { return static_cast<Phase>(state_.load() & phases); }
    void set_phase(Phase phase) noexcept;
    bool counts_here() const noexcept { return light_ && is_progress_here(); }
    bool enter_here(bool request, unsigned times) noexcept {
        here_.store(here_.load(std::memory_order_relaxed) + times, std::memory_order_release);
        light_fence();
        return phase() == open_phase || enter_late(request, times);
    }
    void leave_here(unsigned times) noexcept {
        // The engine stays at least until this stream ends.
        here_.store(here_.load(std::memory_order_relaxed) - times, std::memory_order_release);
        light_fence();
        if (phase() != open_phase) leave_late(0);
    }
    bool enter_late(bool request, unsigned times) noexcept;
    bool enter_shared(bool request, unsigned times) noexcept;
    void leave_shared(unsigned times) noexcept;
    void leave_late(unsigned times) noexcept;
    // How many are inside. Exact when it says none, once the phase is not open.
    std::int64_t inside() const noexcept;
    List& list_of(const Listed& call) noexcept;
    void take_back_all();
    void start_streams();
    bool drained_before(TimePoint deadline);
    void for_calls(void (*visit)(Listed& call));
    void close_network();

    const bool light_ = has_heavy_fence();
    std::atomic<std::uint64_t> state_{closed};  // a phase, and how many are inside
    // The same for those who enter and leave in the stream that makes progress, and need no locked
    // instruction. Each may have entered by one and leave by the other: only the sum says
    // something.
    std::atomic<std::int64_t> here_{0};
    Lock idle_lock_;
    WaitList idle_;
    std::array<List, 8> calls_;
    std::mutex mutex_;  // registering
    std::map<hg_id_t, std::unique_ptr<Entry>> entries_;
    std::mutex resources_mutex_;
    std::unordered_set<Resource*> resources_;
    bool armed_ = false;  // to sleep; by the stream that polls
    Pool progress_pool_;
    std::vector<std::unique_ptr<StreamCore>> streams_;
    const StreamCore* owner_ = nullptr;  // the stream that makes progress, if it runs units too
};

// While it is true the engine does not close.
class Inside {
public:
    explicit Inside(EngineCore& engine) : engine_(engine), in_(engine.enter()) {}
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() {
        if (in_) engine_.leave();
    }
    explicit operator bool() const noexcept { return in_; }

private:
    EngineCore& engine_;
    bool in_;
};

// The one proc of all arguments and results: `data` is a Coder.
class Coder {
public:
    virtual hg_return_t encode(hg_proc_t) { return HG_OPNOTSUPPORTED; }
    virtual hg_return_t decode(hg_proc_t) { return HG_OPNOTSUPPORTED; }

protected:
    ~Coder() = default;
};
hg_return_t code(hg_proc_t proc, void* data) noexcept;

// What a procedure of a provider is called below. Provider 0 is no provider.
std::string full_name(const std::string& name, std::uint16_t provider);

// The first byte of an answer. A timed one goes on with the nanoseconds that the request was held.
inline constexpr std::uint8_t answer_is_good = 1;
inline constexpr std::uint8_t answer_is_timed = 2;
inline constexpr std::uint8_t answer_flags = answer_is_good | answer_is_timed;

// Serves a request; runs in the stream that makes progress.
hg_return_t on_request(hg_handle_t handle) noexcept;

// The close: ends a call unless it has ended; reads the result of one that nobody has waited for.
void abandon_call(Listed& call);
void settle_call(Listed& call);
// The same of a transfer: takes it back unless it has ended.
void abandon_transfer(Listed& transfer);

// Somebody here who called, as the handler's side sees it: see local.cpp.
class LocalCall {
public:
    // Ends the call; false when it has ended already.
    virtual bool answer(const Writable& result) = 0;
    virtual bool fail(Errc code, const std::string& text) = 0;
    virtual const Endpoint& peer() const = 0;
    virtual std::optional<TimePoint> deadline() const = 0;
    // The last that the handler's side does with it.
    virtual void leave() noexcept = 0;

protected:
    ~LocalCall() = default;
};
// Hands `arguments` to the procedure's handler in this engine, without bytes between. False if it
// has none of exactly these types; the call is then made over the network below.
bool serve_local(EngineCore& engine, hg_id_t id, const Writable& arguments,
                 const std::type_info& result, LocalCall& call);

inline Error closing_error() {
    return {Errc::canceled, HG_CANCELED, "the engine is closing", false};
}
inline Error closed_error() {
    return {Errc::closed, HG_SUCCESS, "the engine is closed", false};
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
