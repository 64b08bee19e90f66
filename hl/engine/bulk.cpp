// SPDX-License-Identifier: BSD-3-Clause
// Transfers between regions. The caller waits until the C API has let go of the memory, after a
// deadline too.
#include "cinnabar/bulk.hpp"

#include <mercury_proc_bulk.h>

#include <algorithm>
#include <deque>

#include "hl/engine/core.hpp"
#include "hl/engine/watch.hpp"
#include "hl/ult/runtime.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// Lives on the stack of whoever waits, from start() to wait().
class Transfer final : public Listed, public Alarm {
public:
    static hg_return_t on_end(const hg_cb_info* info) {
        auto& transfer = *static_cast<Transfer*>(info->arg);
        {
            // Behind a cancel that has begun: the id is valid until this callback has run.
            const std::lock_guard lock(transfer.mutex_);
            transfer.done_ = true;
            transfer.ret_ = info->ret;
        }
        transfer.ended_.set();
        return HG_SUCCESS;
    }
    void ring() noexcept override {
        const std::lock_guard lock(mutex_);
        late_ = !done_;
        if (late_) (void)HG_Bulk_cancel(op);
    }
    // The engine is closing.
    void abandon() noexcept {
        const std::lock_guard lock(mutex_);
        if (done_) return;
        abandoned_ = !late_;
        (void)HG_Bulk_cancel(op);
    }
    Result<void> wait(EngineCore& engine, std::optional<TimePoint> deadline) {
        if (deadline) {
            const std::shared_ptr<Runtime> runtime = Runtime::get();
            runtime->timer.arm(*this, *deadline);
            (void)ended_.wait_as(Wait::transfer);
            runtime->timer.disarm(*this);
        } else {
            (void)ended_.wait_as(Wait::transfer);
        }
        engine.transfers.remove(*this);
        if (ret_ == HG_SUCCESS) return {};
        if (ret_ == HG_CANCELED && abandoned_)
            return Error{Errc::canceled, HG_CANCELED, "the engine is closing", false};
        Error error = error_of(ret_, "transfer");
        if (ret_ == HG_CANCELED) error.code = late_ ? Errc::timeout : Errc::peer_lost;
        return error;
    }

    hg_op_id_t op = HG_OP_ID_NULL;

private:
    std::mutex mutex_;
    bool done_ = false;
    bool late_ = false;
    bool abandoned_ = false;
    hg_return_t ret_ = HG_SUCCESS;
    Event ended_;
};

Error invalid(const char* text) {
    return {Errc::invalid, HG_INVALID_ARG, text, false};
}

// Both sides of a transfer, checked.
struct Route {
    EngineCore& engine;
    hg_bulk_op_t op;
    hg_addr_t owner;
    hg_bulk_t remote;
    std::size_t remote_offset;
    hg_bulk_t local;
    std::size_t local_offset;

    hg_return_t start(Transfer& moving, std::size_t at, std::size_t size) const {
        const hg_return_t ret =
            HG_Bulk_transfer(engine.context, Transfer::on_end, &moving, op, owner, remote,
                             remote_offset + at, local, local_offset + at, size, &moving.op);
        if (ret == HG_SUCCESS) engine.transfers.add(moving);
        return ret;
    }
};

bool within(hg_bulk_t bulk, std::size_t offset, std::size_t size) {
    const std::size_t whole = HG_Bulk_get_size(bulk);
    return offset <= whole && size <= whole - offset;
}

struct Side {
    const Region& region;
    std::size_t offset;
    std::size_t size;
};

// Runs `move(route)` with the engine kept open.
template <class Move>
Result<void> transfer(hg_bulk_op_t op, const Endpoint& owner, Side remote, const LocalRange& local,
                      Move move) {
    const auto& from = remote.region.core();
    const auto& to = local.region().core();
    if (from == nullptr || to == nullptr || owner.core() == nullptr) return invalid("no memory");
    EngineCore& engine = *to->engine;
    if (from->engine.get() != &engine || owner.core()->engine.get() != &engine)
        return invalid("the regions and the peer are of different engines");
    const Inside inside(engine);
    if (!inside) return closed_error();
    if (!within(from->bulk, remote.offset, remote.size) ||
        !within(to->bulk, local.offset(), local.size()))
        return invalid("the range is not within the region");
    if (remote.size > local.size()) return invalid("the local region is smaller");
    const Route route{engine,        op,       owner.core()->addr, from->bulk,
                      remote.offset, to->bulk, local.offset()};
    return watch_transfer(engine, *owner.core(), op == HG_BULK_PULL, remote.size,
                          [&] { return move(route); });
}

Result<void> move_whole(const Route& route, std::size_t size, std::optional<TimePoint> deadline) {
    Transfer moving;
    if (const hg_return_t ret = route.start(moving, 0, size); ret != HG_SUCCESS)
        return error_of(ret, "transfer");
    return moving.wait(route.engine, deadline);
}

// The first error ends it; pieces under way are waited for, since they use the memory.
Result<void> move_pieces(const Route& route, std::size_t size, Pieces pieces,
                         const RemoteRegion::Arrived& arrived, std::optional<TimePoint> deadline) {
    struct Piece {
        Transfer transfer;
        std::size_t offset;
        std::size_t size;
    };
    const std::size_t step = std::max<std::size_t>(pieces.size, 1);
    std::deque<Piece> moving;
    Result<void> outcome;
    std::exception_ptr thrown;
    std::size_t at = 0;
    while (at < size || !moving.empty()) {
        const bool going = outcome.ok() && !thrown;
        if (going && at < size && moving.size() < std::max<std::size_t>(pieces.window, 1)) {
            Piece& piece = moving.emplace_back();
            piece.offset = at;
            piece.size = std::min(step, size - at);
            at += piece.size;
            if (const hg_return_t ret = route.start(piece.transfer, piece.offset, piece.size);
                ret != HG_SUCCESS) {
                outcome = error_of(ret, "transfer");
                moving.pop_back();
            }
            continue;
        }
        if (moving.empty()) break;
        Piece& oldest = moving.front();
        Result<void> ended = oldest.transfer.wait(route.engine, deadline);
        if (outcome.ok() && !ended.ok()) outcome = std::move(ended);
        try {
            if (outcome.ok() && !thrown && arrived) arrived(oldest.offset, oldest.size);
        } catch (...) {
            thrown = std::current_exception();
        }
        moving.pop_front();
    }
    if (thrown) std::rethrow_exception(thrown);
    return outcome;
}

std::uint8_t flags_of(Access access) {
    return access == Access::read    ? HG_BULK_READ_ONLY
           : access == Access::write ? HG_BULK_WRITE_ONLY
                                     : HG_BULK_READWRITE;
}

}  // namespace

void abandon_transfer(Listed& transfer) {
    static_cast<Transfer&>(transfer).abandon();
}

}  // namespace detail

Result<Region> Engine::expose(const std::vector<Segment>& segments, Access access) {
    const detail::Inside inside(*core_);
    if (!inside) return detail::closed_error();
    std::vector<void*> memory;
    std::vector<hg_size_t> sizes;
    for (const Segment& segment : segments) {
        memory.push_back(segment.data);
        sizes.push_back(segment.size);
    }
    hg_bulk_t bulk = HG_BULK_NULL;
    if (const hg_return_t ret =
            HG_Bulk_create(core_->cls, static_cast<hg_uint32_t>(segments.size()), memory.data(),
                           sizes.data(), detail::flags_of(access), &bulk);
        ret != HG_SUCCESS)
        return error_of(ret, "cannot expose memory");
    return Region(std::make_shared<detail::RegionCore>(core_, bulk));
}

Result<Region> Engine::allocate(std::size_t size, Access access) {
    const detail::Inside inside(*core_);
    if (!inside) return detail::closed_error();
    const hg_size_t bytes = size;
    hg_bulk_t bulk = HG_BULK_NULL;
    if (const hg_return_t ret =
            HG_Bulk_create(core_->cls, 1, nullptr, &bytes, detail::flags_of(access), &bulk);
        ret != HG_SUCCESS)
        return error_of(ret, "cannot allocate memory");
    return Region(std::make_shared<detail::RegionCore>(core_, bulk));
}

std::size_t Region::size() const {
    if (core_ == nullptr) return 0;
    const detail::Inside inside(*core_->engine);
    return inside ? HG_Bulk_get_size(core_->bulk) : 0;
}

std::span<std::byte> Region::memory() const {
    if (core_ == nullptr) return {};
    const detail::Inside inside(*core_->engine);
    if (!inside || HG_Bulk_get_segment_count(core_->bulk) != 1) return {};
    void* memory = nullptr;
    hg_size_t size = 0;
    hg_uint32_t count = 0;
    if (HG_Bulk_access(core_->bulk, 0, HG_Bulk_get_size(core_->bulk), 0, 1, &memory, &size,
                       &count) != HG_SUCCESS ||
        count != 1)
        return {};
    return {static_cast<std::byte*>(memory), size};
}

RemoteRegion Region::on(Endpoint owner) const {
    return {*this, std::move(owner), 0, size()};
}

LocalRange Region::select(std::size_t offset, std::size_t size) const {
    return {*this, offset, size};
}

RemoteRegion RemoteRegion::select(std::size_t offset, std::size_t size) const {
    // What is not within this one shall not be within the whole either.
    const bool within = offset <= size_ && size <= size_ - offset;
    RemoteRegion part(*this);
    part.offset_ = within ? offset_ + offset : SIZE_MAX;
    part.size_ = size;
    return part;
}

RemoteRegion RemoteRegion::within(Clock::duration duration) const {
    RemoteRegion limited(*this);
    limited.duration_ = duration;
    return limited;
}

std::optional<TimePoint> RemoteRegion::until(std::optional<TimePoint> deadline) const {
    if (!deadline && duration_) return Clock::now() + *duration_;
    return deadline;
}

Result<void> RemoteRegion::pull_into(const LocalRange& local,
                                     std::optional<TimePoint> deadline) const {
    return detail::transfer(
        HG_BULK_PULL, owner_, {region_, offset_, size_}, local,
        [&](const auto& route) { return detail::move_whole(route, size_, until(deadline)); });
}

Result<void> RemoteRegion::push_from(const LocalRange& local,
                                     std::optional<TimePoint> deadline) const {
    return detail::transfer(
        HG_BULK_PUSH, owner_, {region_, offset_, size_}, local,
        [&](const auto& route) { return detail::move_whole(route, size_, until(deadline)); });
}

Result<void> RemoteRegion::pull_pieces(const LocalRange& local, Pieces pieces,
                                       const Arrived& arrived,
                                       std::optional<TimePoint> deadline) const {
    return detail::transfer(
        HG_BULK_PULL, owner_, {region_, offset_, size_}, local, [&](const auto& route) {
            return detail::move_pieces(route, size_, pieces, arrived, until(deadline));
        });
}

Result<void> RemoteRegion::push_pieces(const LocalRange& local, Pieces pieces, const Arrived& gone,
                                       std::optional<TimePoint> deadline) const {
    return detail::transfer(
        HG_BULK_PUSH, owner_, {region_, offset_, size_}, local, [&](const auto& route) {
            return detail::move_pieces(route, size_, pieces, gone, until(deadline));
        });
}

void Codec<Region>::write(Writer& writer, const Region& region) {
    if (region.core() == nullptr) return writer.fail(HG_INVALID_ARG);
    hg_bulk_t bulk = region.core()->bulk;
    if (writer.status() != HG_SUCCESS) return;
    if (const hg_return_t ret = hg_proc_hg_bulk_t(writer.proc(), &bulk); ret != HG_SUCCESS)
        writer.fail(ret);
}

void Codec<Region>::read(Reader& reader, Region& region) {
    if (!reader.ok()) return;
    hg_bulk_t bulk = HG_BULK_NULL;
    const hg_return_t ret = hg_proc_hg_bulk_t(reader.proc(), &bulk);
    if (ret != HG_SUCCESS || bulk == HG_BULK_NULL)
        return reader.fail(ret != HG_SUCCESS ? ret : HG_PROTOCOL_ERROR);
    auto* engine =
        static_cast<detail::EngineCore*>(HG_Class_get_data(hg_proc_get_class(reader.proc())));
    region = Region(std::make_shared<detail::RegionCore>(engine->shared_from_this(), bulk));
}

}  // namespace v1
}  // namespace cinnabar
