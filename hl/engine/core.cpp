// SPDX-License-Identifier: BSD-3-Clause
#include "hl/engine/core.hpp"

#include <mercury_bulk.h>

#include <algorithm>

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
    if (has_handles.load(std::memory_order_relaxed)) engine->blocking_calls.give_up_handles(this);
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

Result<void> EngineCore::open(const std::string& given) {
    info = given;
    hg_init_info init = init_info(options);
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
    state_.store(open_phase);
    start_streams();
    return {};
}

void EngineCore::start_streams() {
    Poller* poller = this;
    if (options.progress == Progress::own_stream)
        streams_.push_back(std::make_unique<StreamCore>(
            std::vector{progress_pool_.core()}, "progress", std::exchange(poller, nullptr)));
    for (const StreamOptions& stream : options.stream_list) {
        std::vector<std::shared_ptr<PoolCore>> drained;
        for (const std::string& name : stream.pools)
            drained.push_back(find_pool(name)->core());
        streams_.push_back(std::make_unique<StreamCore>(std::move(drained), stream.name,
                                                        std::exchange(poller, nullptr)));
    }
    if (options.progress == Progress::own_stream) return;
    owner_ = streams_.front().get();
    answers.set_owner(owner_);
    blocking_calls.set_owner(owner_);
}

const Pool* EngineCore::find_pool(const std::string& name) const noexcept {
    const auto found = std::find_if(pools.begin(), pools.end(),
                                    [&](const Pool& each) { return each.name() == name; });
    return found != pools.end() ? &*found : nullptr;
}

bool EngineCore::poll() noexcept {
    hg_return_t ret = HG_SUCCESS;
    if (armed_) {
        armed_ = false;
        (void)HG_Event_progress(context, nullptr);
    } else {
        ret = HG_Progress(context, 0);
    }
    if (ret != HG_SUCCESS) return false;
    unsigned count = 0;
    (void)HG_Trigger(context, 0, 64, &count);
    return count != 0;
}

int EngineCore::descriptor() noexcept {
    if (options.busy) return -1;
    const int descriptor = HG_Event_get_wait_fd(context);
    if (descriptor < 0) return -1;
    armed_ = true;
    return HG_Event_ready(context) ? -1 : descriptor;
}

// Who enters or leaves by the light count looks at the phase afterwards, and sees it.
void EngineCore::set_phase(Phase phase) noexcept {
    std::uint64_t state = state_.load();
    while (!state_.compare_exchange_weak(state, (state & ~std::uint64_t{phases}) | phase)) {
    }
    heavy_fence();
}

// From the end of the open phase on the light count only goes down: see inside().
bool EngineCore::enter_late(bool request, unsigned times) noexcept {
    const bool in = enter_shared(request, times);
    leave_here(times);
    return in;
}

bool EngineCore::enter_shared(bool request, unsigned times) noexcept {
    const auto was = static_cast<Phase>(state_.fetch_add(one * times) & phases);
    if (was == open_phase || (was == draining && !request)) return true;
    leave_shared(times);
    return false;
}

// While the engine is open nothing of it is touched after the count: whoever closes it may free it
// as soon as it is 0.
void EngineCore::leave_shared(unsigned times) noexcept {
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    while ((state & phases) == open_phase) {
        if (state_.compare_exchange_weak(state, state - one * times)) return;
    }
    leave_late(times);
}

void EngineCore::leave_late(unsigned times) noexcept {
    Waiter* waiters = nullptr;
    {
        const std::lock_guard lock(idle_lock_);
        state_.fetch_sub(one * times);
        if (inside() == 0) waiters = idle_.take_all();
    }
    WaitList::wake(waiters);
}

// What is light only goes down by now: if it is read first, whoever is inside and lets another one
// in before leaving is counted, perhaps twice.
std::int64_t EngineCore::inside() const noexcept {
    const std::int64_t light = here_.load(std::memory_order_acquire);
    return light + (static_cast<std::int64_t>(state_.load()) >> 2);
}

void List::add(Listed& one) noexcept {
    const std::lock_guard lock(lock_);
    one.previous = nullptr;
    one.next = first_;
    if (first_ != nullptr) first_->previous = &one;
    first_ = &one;
}

void List::remove(Listed& one) noexcept {
    const std::lock_guard lock(lock_);
    (one.previous != nullptr ? one.previous->next : first_) = one.next;
    if (one.next != nullptr) one.next->previous = one.previous;
}

void List::visit(void (*visitor)(Listed& one)) {
    const std::lock_guard lock(lock_);
    for (Listed* one = first_; one != nullptr; one = one->next)
        visitor(*one);
}

List& EngineCore::list_of(const Listed& call) noexcept {
    return calls_[reinterpret_cast<std::uintptr_t>(&call) / 256 % calls_.size()];
}

void EngineCore::list(Listed& call) noexcept {
    list_of(call).add(call);
}

void EngineCore::unlist(Listed& call) noexcept {
    list_of(call).remove(call);
}

void EngineCore::for_calls(void (*visit)(Listed& call)) {
    for (List& calls : calls_)
        calls.visit(visit);
}

void EngineCore::take_back_all() {
    for_calls(abandon_call);
    blocking_calls.take_back_all();
    transfers.visit(abandon_transfer);
    answers.take_back_all();
}

std::string full_name(const std::string& name, std::uint16_t provider) {
    return provider == 0 ? name : name + "@" + std::to_string(provider);
}

hg_id_t EngineCore::register_name(const std::string& name, bool one_way) {
    // What is asked for without an answer is a procedure of its own to the layer below.
    const std::string known = one_way ? name + "#one_way" : name;
    const std::lock_guard lock(mutex_);
    const hg_id_t id = HG_Register_name(cls, known.c_str(), code, code, on_request);
    if (id == 0) return 0;
    if (one_way) (void)HG_Registered_disable_response(cls, id, 1);
    std::unique_ptr<Entry>& entry = entries_[id];
    if (entry == nullptr) {
        entry = std::make_unique<Entry>(name, one_way, owner_);
        (void)HG_Register_data(cls, id, entry.get(), nullptr);
    }
    return id;
}

Result<void> EngineCore::serve(const std::string& name, std::uint16_t provider, Served* served) {
    const std::shared_ptr<Served> shared(served);
    const Inside inside(*this);
    if (!inside) return closed_error();
    const std::string full = full_name(name, provider);
    for (const bool one_way : {false, true}) {
        const hg_id_t id = register_name(full, one_way);
        if (id == 0) return error_of(HG_OTHER_ERROR, "cannot register " + full);
        (void)entry(id)->exchange(shared);
    }
    return {};
}

void EngineCore::withdraw(const std::string& name, std::uint16_t provider) {
    const std::string full = full_name(name, provider);
    std::shared_ptr<Event> gone;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [id, entry] : entries_) {
            if (entry->name != full) continue;
            if (std::shared_ptr<Served> served = entry->exchange(nullptr)) gone = served->gone;
        }
    }
    if (gone != nullptr) gone->wait();
}

std::vector<std::string> EngineCore::served_names() {
    std::vector<std::string> names;
    const std::lock_guard lock(mutex_);
    for (auto& [id, entry] : entries_)
        if (!entry->one_way && entry->load() != nullptr) names.push_back(entry->name);
    std::sort(names.begin(), names.end());
    return names;
}

bool EngineCore::drained_before(TimePoint deadline) {
    std::unique_lock lock(idle_lock_);
    while (inside() != 0)
        if (!idle_.wait(lock, Wait::close, deadline)) return inside() == 0;
    return true;
}

Result<void> EngineCore::close(Clock::duration patience) {
    constexpr auto settling = std::chrono::milliseconds(20);
    if (pool.current())
        return Error{Errc::invalid, HG_SUCCESS, "a handler cannot close its engine", false};
    {
        const std::lock_guard lock(mutex_);
        if (phase() != open_phase) return {};
        set_phase(draining);
    }
    TimePoint deadline = Clock::now() + patience;
    for (const Phase next : {draining, closed}) {
        set_phase(next);
        while (!drained_before(std::min(deadline, Clock::now() + settling))) {
            // Answers that nobody waits for; those that came as the phase changed.
            for_calls(settle_call);
            if (Clock::now() < deadline) continue;
            // Handlers may begin new ones as long as they run.
            take_back_all();
            deadline = Clock::now() + std::chrono::milliseconds(100);
        }
    }
    close_network();
    return {};
}

void EngineCore::close_network() {
    answers.close();
    if (options.listen) (void)HG_Context_unpost(context);
    streams_.clear();
    std::vector<std::shared_ptr<Served>> ended;
    for (auto& [id, entry] : entries_)
        ended.push_back(entry->exchange(nullptr));
    ended.clear();
    blocking_calls.give_up_handles();
    {
        const std::lock_guard lock(resources_mutex_);
        for (Resource* resource : resources_)
            resource->release();
        resources_.clear();
    }
    self.reset();
    // What was answered last leaves with further progress.
    for (int i = 0; i < 100; ++i)
        if (!poll() && i > 3) break;
    (void)HG_Context_destroy(context);
    (void)HG_Finalize(cls);
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
