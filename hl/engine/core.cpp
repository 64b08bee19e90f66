// SPDX-License-Identifier: BSD-3-Clause
#include "hl/engine/core.hpp"

#include <mercury_bulk.h>

namespace cinnabar {
inline namespace v1 {
namespace detail {

Resource::Resource(std::shared_ptr<EngineCore> owner) : engine(std::move(owner)) {
    const std::lock_guard lock(engine->resources_mutex_);
    engine->resources_.insert(this);
}

void Resource::give_back() noexcept {
    const std::lock_guard lock(engine->resources_mutex_);
    if (engine->resources_.erase(this) != 0) release();
}

void Address::release() noexcept {
    (void)HG_Addr_free(engine->cls, addr);
    addr = HG_ADDR_NULL;
}

void RegionCore::release() noexcept {
    (void)HG_Bulk_free(bulk);
    bulk = HG_BULK_NULL;
}

hg_return_t code(hg_proc_t proc, void* data) noexcept {
    auto& coder = *static_cast<Coder*>(data);
    try {
        switch (hg_proc_get_op(proc)) {
            case HG_ENCODE:
                return coder.encode(proc);
            case HG_DECODE:
                return coder.decode(proc);
            case HG_FREE:
                return HG_SUCCESS;
        }
    } catch (const std::bad_alloc&) {
        return HG_NOMEM;
    } catch (...) {
        return HG_OTHER_ERROR;
    }
    return HG_INVALID_ARG;
}

Result<void> EngineCore::open(const std::string& info) {
    hg_init_info init = HG_INIT_INFO_INITIALIZER;
    init.auto_sm = options.auto_sm ? 1 : 0;
    cls = HG_Init_opt2(info.c_str(), options.listen ? 1 : 0,
                       HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR), &init);
    if (cls == nullptr) return Error{Errc::other, HG_OTHER_ERROR, "cannot open " + info, false};
    (void)HG_Class_set_data(cls, this, nullptr);
    context = HG_Context_create(cls);
    hg_addr_t own = HG_ADDR_NULL;
    const hg_return_t ret = context != nullptr ? HG_Addr_self(cls, &own) : HG_OTHER_ERROR;
    if (ret != HG_SUCCESS) {
        if (context != nullptr) (void)HG_Context_destroy(context);
        (void)HG_Finalize(cls);
        return error_of(ret, "cannot create a context of " + info);
    }
    self = std::make_shared<Address>(shared_from_this(), own, true);
    (void)HG_Context_set_data(context, this, nullptr);
    phase_ = Phase::open;
    progress_ = std::thread([this] { make_progress(); });
    for (unsigned i = 0; i < options.streams; ++i)
        streams_.emplace_back(std::vector<Pool>{pool});
    return {};
}

void EngineCore::make_progress() {
    while (!stop_.load()) {
        unsigned count = 0;
        do
            (void)HG_Trigger(context, 0, 64, &count);
        while (count != 0 && !stop_.load());
        const hg_return_t ret = HG_Progress(context, options.progress_ms);
        if (ret != HG_SUCCESS && ret != HG_TIMEOUT)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

bool EngineCore::enter(bool request) {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::closed || (request && phase_ != Phase::open)) return false;
    ++busy_;
    return true;
}

bool EngineCore::enter(CallCore& call) {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::closed) return false;
    calls_.insert(&call);
    ++busy_;
    return true;
}

void EngineCore::leave() noexcept {
    Waiter* waiters = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (--busy_ == 0) waiters = idle_.take_all();
    }
    WaitList::wake(waiters);
}

void EngineCore::leave(CallCore& call) noexcept {
    {
        const std::lock_guard lock(mutex_);
        calls_.erase(&call);
    }
    leave();
}

hg_id_t EngineCore::register_name(const std::string& name, bool one_way) {
    // What is asked for without an answer is a procedure of its own to the layer below.
    const std::string known = one_way ? name + "#one_way" : name;
    const hg_id_t id = HG_Register_name(cls, known.c_str(), code, code, on_request);
    if (id != 0 && one_way) (void)HG_Registered_disable_response(cls, id, 1);
    return id;
}

Result<void> EngineCore::serve(const std::string& name, Served served) {
    const Inside inside(*this);
    if (!inside) return closed_error();
    for (const bool one_way : {false, true}) {
        served.one_way = one_way;
        const hg_id_t id = register_name(name, one_way);
        if (id == 0) return error_of(HG_OTHER_ERROR, "cannot register " + name);
        const std::lock_guard lock(mutex_);
        served_.insert_or_assign(id, served);
    }
    return {};
}

Served EngineCore::find(hg_id_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = served_.find(id);
    return found != served_.end() ? found->second : Served{nullptr, pool};
}

bool EngineCore::drained_before(TimePoint deadline) {
    std::unique_lock lock(mutex_);
    while (busy_ != 0) {
        if (!idle_.wait(lock, deadline)) return busy_ == 0;
    }
    return true;
}

void EngineCore::cancel_calls() {
    // A call ends and leaves only after this lock: it cannot go while it is canceled.
    const std::lock_guard lock(mutex_);
    for (CallCore* call : calls_)
        abandon_call(*call);
}

Result<void> EngineCore::close(Clock::duration patience) {
    if (pool.current())
        return Error{Errc::invalid, HG_SUCCESS, "a handler cannot close its engine", false};
    {
        const std::lock_guard lock(mutex_);
        if (phase_ != Phase::open) return {};
        phase_ = Phase::draining;
    }
    if (!drained_before(Clock::now() + patience)) {
        // Handlers may begin new calls as long as they run.
        do
            cancel_calls();
        while (!drained_before(Clock::now() + std::chrono::milliseconds(100)));
    }
    {
        const std::lock_guard lock(mutex_);
        phase_ = Phase::closed;
    }
    streams_.clear();
    close_network();
    served_.clear();
    return {};
}

void EngineCore::close_network() {
    if (options.listen) (void)HG_Context_unpost(context);
    stop_.store(true);
    progress_.join();
    {
        const std::lock_guard lock(resources_mutex_);
        for (Resource* resource : resources_)
            resource->release();
        resources_.clear();
    }
    self.reset();
    // What was answered last leaves with further progress.
    hg_return_t ret = HG_SUCCESS;
    for (int i = 0; i < 100; ++i) {
        unsigned count = 0;
        (void)HG_Trigger(context, 0, 64, &count);
        ret = HG_Progress(context, 0);
        if (ret == HG_TIMEOUT && count == 0 && i > 3) break;
    }
    (void)HG_Context_destroy(context);
    (void)HG_Finalize(cls);
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
