// SPDX-License-Identifier: BSD-3-Clause
// Pools: two queues, who sleeps, and the public handle.
#include "cinnabar/pool.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "hl/ult/recycle.hpp"
#include "hl/ult/stream.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// After that many units that ran before, one that has not begun gets its turn.
constexpr unsigned most_in_a_row = 16;

}  // namespace

std::shared_ptr<Runtime> Runtime::get() {
    static std::mutex mutex;
    static std::weak_ptr<Runtime> known;
    const std::lock_guard lock(mutex);
    std::shared_ptr<Runtime> runtime = known.lock();
    if (runtime == nullptr) {
        runtime = std::make_shared<Runtime>();
        known = runtime;
    }
    return runtime;
}

PoolCore::PoolCore(PoolOptions pool_options, std::shared_ptr<Runtime> shared_runtime)
    : options(std::move(pool_options)), runtime(std::move(shared_runtime)) {}

PoolCore::~PoolCore() = default;

void PoolCore::adopt(const std::shared_ptr<PoolCore>& pool, Priority priority,
                     std::unique_ptr<Unit> unit) noexcept {
    unit->keep_ = pool;
    pool->adopt_kept(priority, std::move(unit));
}

void PoolCore::adopt_kept(Priority priority, std::unique_ptr<Unit> unit) noexcept {
    unit->pool_ = this;
    unit->priority_ = priority;
    push(*unit.release(), Where::fresh);
}

void PoolCore::append(UnitQueue& queue, Unit& unit) noexcept {
    unit.next_ = nullptr;
    unit.queued_ = true;
    if (queue.last_ != nullptr)
        queue.last_->next_ = &unit;
    else
        queue.first_ = &unit;
    queue.last_ = &unit;
}

Unit* PoolCore::take(UnitQueue& queue) noexcept {
    Unit* unit = queue.first_;
    if (unit == nullptr) return nullptr;
    queue.first_ = unit->next_;
    if (queue.first_ == nullptr) queue.last_ = nullptr;
    unit->queued_ = false;
    return unit;
}

void PoolCore::enqueue(Unit& unit, Where where) noexcept {
    Seat* const seat = unit.seat_;
    Level& level =
        (seat != nullptr ? seat->levels : levels_)[static_cast<std::size_t>(unit.priority_)];
    if (options.sticky) unit.order_ = ++order_;
    append(where == Where::fresh ? level.fresh : level.resumed, unit);
    count_.store(queued() + 1, std::memory_order_relaxed);
    if (seat != nullptr) ++seat->ready;
}

void PoolCore::push(Unit& unit, Where where) noexcept {
    // The unit may end, and with it the last reference to the pool, as soon as the lock is open.
    const StreamCore* const here = StreamCore::current();
    const bool own = mutex_.owned_by(here);
    if (!own && inbox_.open.load(std::memory_order_relaxed) && leave_in_inbox(unit, where)) return;
    mutex_.lock_as(here);
    const std::lock_guard lock(mutex_, std::adopt_lock);
    empty_inbox();
    enqueue(unit, where);
    // The only stream is awake if it is the one that pushes.
    if (Seat* const seat = unit.seat_; seat != nullptr)
        (void)seat->stream.rouse();
    else if (!own)
        wake_one();
}

bool PoolCore::leave_in_inbox(Unit& unit, Where where) noexcept {
    const std::lock_guard lock(inbox_.lock);
    if (!inbox_.open.load(std::memory_order_relaxed)) return false;
    append(where == Where::fresh ? inbox_.fresh : inbox_.resumed, unit);
    inbox_.count.store(in_inbox() + 1, std::memory_order_relaxed);
    wake_one();
    return true;
}

// With the pool's lock held.
void PoolCore::empty_inbox() noexcept {
    if (in_inbox() == 0) return;
    const std::lock_guard lock(inbox_.lock);
    take_over_inbox();
}

// With both locks held.
void PoolCore::take_over_inbox() noexcept {
    while (Unit* unit = take(inbox_.resumed))
        enqueue(*unit, Where::resumed);
    while (Unit* unit = take(inbox_.fresh))
        enqueue(*unit, Where::fresh);
    inbox_.count.store(0, std::memory_order_relaxed);
}

Unit* PoolCore::take(Level& level, UnitQueue& fresh) noexcept {
    const bool turn = level.resumed_in_a_row >= most_in_a_row && !fresh.empty();
    Unit* unit = turn ? nullptr : take(level.resumed);
    level.resumed_in_a_row = unit != nullptr ? level.resumed_in_a_row + 1 : 0;
    return unit != nullptr ? unit : take(fresh);
}

Unit* PoolCore::pop(StreamCore& stream) noexcept {
    // Only a hint: who goes to sleep looks again with ready_for().
    if (!seems_ready()) return nullptr;
    mutex_.lock_as(&stream);
    const std::lock_guard lock(mutex_, std::adopt_lock);
    empty_inbox();
    Unit* unit = nullptr;
    if (options.sticky) {
        unit = take_sticky(stream);
    } else {
        for (Level& level : levels_) {
            if (level.resumed.empty() && level.fresh.empty()) continue;
            unit = take(level, level.fresh);
            break;
        }
    }
    if (unit == nullptr) return nullptr;
    count_.store(queued() - 1, std::memory_order_relaxed);
    if (!unit->listed_) stream.announce(this, unit->name_);
    return unit;
}

std::size_t PoolCore::ready() const noexcept {
    const std::lock_guard lock(mutex_);
    const std::lock_guard inbox(inbox_.lock);
    return queued() + in_inbox();
}

void PoolCore::share() noexcept {
    const std::lock_guard lock(mutex_);
    empty_inbox();
    if (for_anybody()) wake_one();
}

// With either lock held.
void PoolCore::wake_one() noexcept {
    for (StreamCore* stream : streams_) {
        if (stream->rouse()) return;
    }
}

// With both locks held. A sticky pool belongs to nobody: its units know their streams.
void PoolCore::streams_changed() noexcept {
    const bool one = streams_.size() == 1 && !options.sticky;
    inbox_.open.store(one, std::memory_order_relaxed);
    mutex_.assign(one ? streams_.front() : nullptr);
}

void PoolCore::attach(StreamCore& stream) {
    std::unique_ptr<Seat> seat = options.sticky ? std::make_unique<Seat>(stream) : nullptr;
    mutex_.lock_fully();
    const std::lock_guard lock(mutex_, std::adopt_lock);
    const std::lock_guard inbox(inbox_.lock);
    take_over_inbox();
    streams_.reserve(streams_.size() + 1);
    if (seat != nullptr) seats_.push_back(std::move(seat));
    streams_.push_back(&stream);
    streams_changed();
}

void PoolCore::detach(StreamCore& stream) noexcept {
    mutex_.lock_fully();
    const std::lock_guard lock(mutex_, std::adopt_lock);
    const std::lock_guard inbox(inbox_.lock);
    take_over_inbox();
    streams_.erase(std::remove(streams_.begin(), streams_.end(), &stream), streams_.end());
    std::erase_if(seats_, [&](const auto& seat) { return &seat->stream == &stream; });
    streams_changed();
    // Another may have relied on the one that goes.
    if (for_anybody()) wake_one();
}

void* Unit::operator new(std::size_t size) {
    return recycled_new(size);
}

void* Unit::operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return recycled_new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void Unit::operator delete(void* memory) noexcept {
    recycled_delete(memory);
}

void Unit::operator delete(void* memory, const std::nothrow_t&) noexcept {
    recycled_delete(memory);
}

void Unit::wake() noexcept {
    // Once it is parked nobody but who owes it the wake touches the state.
    if (state_.load(std::memory_order_acquire) != State::parked &&
        state_.exchange(State::woken, std::memory_order_acq_rel) != State::parked)
        return;
    state_.store(State::running, std::memory_order_relaxed);
    pool_->push(*this, PoolCore::Where::resumed);
}

}  // namespace detail

Pool::Pool(const PoolOptions& options)
    : core_(std::make_shared<detail::PoolCore>(options, detail::Runtime::get())) {}

void Pool::submit(std::unique_ptr<detail::Unit> unit) const {
    detail::PoolCore::adopt(core_, priority_, std::move(unit));
}

const std::string& Pool::name() const noexcept {
    return core_->options.name;
}

std::size_t Pool::ready() const {
    return core_->ready();
}

bool Pool::current() const noexcept {
    const detail::Unit* unit = detail::StreamCore::current_unit();
    return unit != nullptr && &detail::StreamCore::pool_of(*unit) == core_.get();
}

Pool Pool::here() {
    const detail::Unit* unit = detail::StreamCore::current_unit();
    if (unit == nullptr) throw std::logic_error("the caller is no unit");
    return Pool(detail::StreamCore::pool_of(*unit).shared_from_this(),
                detail::StreamCore::priority_of(*unit));
}

Stream::Stream(const std::vector<Pool>& pools, const std::string& name) {
    std::vector<std::shared_ptr<detail::PoolCore>> cores;
    for (const Pool& pool : pools)
        cores.push_back(pool.core());
    core_ = std::make_unique<detail::StreamCore>(std::move(cores), name);
}

Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

}  // namespace v1
}  // namespace cinnabar
