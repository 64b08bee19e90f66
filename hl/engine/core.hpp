// SPDX-License-Identifier: BSD-3-Clause
// The inside of an engine: class, context, progress thread, streams, procedures, and what must be
// given back before the class can close. Shared by all handles that users hold; after the close it
// is a husk that refuses everything. What is inside counts as busy: handlers, calls until the C API
// has let go of them, short operations; the close waits until nothing is.
#pragma once

#include <mercury.h>

#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "cinnabar/engine.hpp"
#include "cinnabar/sync.hpp"

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
    Address(std::shared_ptr<EngineCore> owner, hg_addr_t address, bool own)
        : Resource(std::move(owner)), addr(address), self(own) {}
    ~Address() { give_back(); }
    void release() noexcept override;

    hg_addr_t addr;
    const bool self;
};

struct RegionCore final : Resource {
    RegionCore(std::shared_ptr<EngineCore> owner, hg_bulk_t described)
        : Resource(std::move(owner)), bulk(described) {}
    ~RegionCore() { give_back(); }
    void release() noexcept override;

    hg_bulk_t bulk;
};

// What a procedure's id leads to.
struct Served {
    std::shared_ptr<Handler> handler;
    Pool pool;
    bool one_way = false;
};

class EngineCore : public std::enable_shared_from_this<EngineCore> {
public:
    explicit EngineCore(const EngineOptions& given) : options(given), pool(given.pool) {}
    EngineCore(const EngineCore&) = delete;
    EngineCore& operator=(const EngineCore&) = delete;
    ~EngineCore() = default;

    Result<void> open(const std::string& info);
    Result<void> close(Clock::duration patience);

    // One more thing inside; false when closed, or for a request when closing.
    bool enter(bool request = false);
    bool enter(CallCore& call);
    void leave() noexcept;
    void leave(CallCore& call) noexcept;

    hg_id_t register_name(const std::string& name, bool one_way);
    Result<void> serve(const std::string& name, Served served);
    Served find(hg_id_t id);

    const EngineOptions options;
    const Pool pool;
    hg_class_t* cls = nullptr;
    hg_context_t* context = nullptr;
    std::shared_ptr<Address> self;

private:
    friend class Resource;
    enum class Phase { open, draining, closed };

    void make_progress();
    bool drained_before(TimePoint deadline);
    void cancel_calls();
    void close_network();

    std::mutex mutex_;
    Phase phase_ = Phase::closed;
    std::size_t busy_ = 0;
    WaitList idle_;
    std::unordered_set<CallCore*> calls_;
    std::unordered_map<hg_id_t, Served> served_;
    std::mutex resources_mutex_;
    std::unordered_set<Resource*> resources_;
    std::atomic<bool> stop_{false};
    std::thread progress_;
    std::vector<Stream> streams_;
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

// Serves a request; runs in the progress thread.
hg_return_t on_request(hg_handle_t handle) noexcept;

// Ends a call unless it has ended; see call.cpp.
void abandon_call(CallCore& call);

inline Error closed_error() {
    return {Errc::closed, HG_SUCCESS, "the engine is closed", false};
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
