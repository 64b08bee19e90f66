// SPDX-License-Identifier: BSD-3-Clause
// Transfers between regions. The caller waits until the C API has let go of the memory, after a
// deadline too.
#include "cinnabar/bulk.hpp"

#include <mercury_proc_bulk.h>

#include "hl/engine/core.hpp"
#include "hl/ult/runtime.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// Lives on the stack of whoever waits.
class Transfer final : public Alarm {
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
    Result<void> wait(std::optional<TimePoint> deadline) {
        if (deadline) {
            const std::shared_ptr<Runtime> runtime = Runtime::get();
            runtime->timer.arm(*this, *deadline);
            ended_.wait();
            runtime->timer.disarm(*this);
        } else {
            ended_.wait();
        }
        if (ret_ == HG_SUCCESS) return {};
        Error error = error_of(ret_, "transfer");
        if (ret_ == HG_CANCELED) error.code = late_ ? Errc::timeout : Errc::peer_lost;
        return error;
    }

    hg_op_id_t op = HG_OP_ID_NULL;

private:
    std::mutex mutex_;
    bool done_ = false;
    bool late_ = false;
    hg_return_t ret_ = HG_SUCCESS;
    Event ended_;
};

Error invalid(const char* text) {
    return {Errc::invalid, HG_INVALID_ARG, text, false};
}

struct Side {
    const Region& region;
    std::size_t offset;
    std::size_t size;
};

Result<void> transfer(hg_bulk_op_t op, const Endpoint& owner, Side remote, const Region& local,
                      std::optional<TimePoint> deadline) {
    const auto& from = remote.region.core();
    const auto& to = local.core();
    if (from == nullptr || to == nullptr || owner.core() == nullptr) return invalid("no memory");
    EngineCore& engine = *to->engine;
    if (from->engine.get() != &engine || owner.core()->engine.get() != &engine)
        return invalid("the regions and the peer are of different engines");
    const Inside inside(engine);
    if (!inside) return closed_error();
    const std::size_t whole = HG_Bulk_get_size(from->bulk);
    if (remote.offset > whole || remote.size > whole - remote.offset)
        return invalid("the range is not within the region");
    if (remote.size > HG_Bulk_get_size(to->bulk)) return invalid("the local region is smaller");
    Transfer moving;
    if (const hg_return_t ret =
            HG_Bulk_transfer(engine.context, Transfer::on_end, &moving, op, owner.core()->addr,
                             from->bulk, remote.offset, to->bulk, 0, remote.size, &moving.op);
        ret != HG_SUCCESS)
        return error_of(ret, "transfer");
    return moving.wait(deadline);
}

}  // namespace
}  // namespace detail

std::size_t Region::size() const {
    if (core_ == nullptr) return 0;
    const detail::Inside inside(*core_->engine);
    return inside ? HG_Bulk_get_size(core_->bulk) : 0;
}

RemoteRegion Region::on(Endpoint owner) const {
    return {*this, std::move(owner), 0, size()};
}

RemoteRegion RemoteRegion::select(std::size_t offset, std::size_t size) const {
    // What is not within this one shall not be within the whole either.
    const bool within = offset <= size_ && size <= size_ - offset;
    return {region_, owner_, within ? offset_ + offset : SIZE_MAX, size};
}

Result<void> RemoteRegion::pull_into(const Region& local, std::optional<TimePoint> deadline) const {
    return detail::transfer(HG_BULK_PULL, owner_, {region_, offset_, size_}, local, deadline);
}

Result<void> RemoteRegion::push_from(const Region& local, std::optional<TimePoint> deadline) const {
    return detail::transfer(HG_BULK_PUSH, owner_, {region_, offset_, size_}, local, deadline);
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
