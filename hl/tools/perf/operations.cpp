// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/operations.hpp"

#include <algorithm>
#include <cstring>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/pattern.hpp"

namespace cinnabar::perf {
namespace {

std::uint64_t parts_of(const TransferShape& shape) {
    return std::clamp<std::uint64_t>(largest_area / shape.part.bytes, 1, shape.in_flight);
}

Shape whole(const TransferShape& shape) {
    const std::uint64_t parts = parts_of(shape);
    const std::uint64_t segments =
        std::min<std::uint64_t>(shape.part.segments * parts, most_segments);
    return {shape.part.bytes * parts, static_cast<std::uint32_t>(segments),
            shape.part.from_library};
}

}  // namespace

Handles::Handles(Caller& caller, hg_id_t id, std::size_t count) : handles_(count, HG_HANDLE_NULL) {
    for (hg_handle_t& handle : handles_)
        check(HG_Create(caller.net().context(), caller.server(), id, &handle), "HG_Create");
}

Handles::~Handles() {
    for (hg_handle_t handle : handles_)
        check(HG_Destroy(handle), "HG_Destroy");
}

SumCall::SumCall(Caller& caller, std::size_t in_flight)
    : handles_(caller, caller.net().sum(), in_flight) {}

void SumCall::start(Place& slot) {
    SumIn in{static_cast<std::int32_t>(slot.number), 3};
    check(HG_Forward(handles_[slot.number], on_answer, &slot, &in), "HG_Forward");
}

hg_return_t SumCall::on_answer(const hg_cb_info* info) {
    check(info->ret, "a call");
    Place& slot = *static_cast<Place*>(info->arg);
    take_sum(info->info.forward.handle, static_cast<std::int32_t>(slot.number) + 3);
    slot.end();
    return HG_SUCCESS;
}

EchoCall::EchoCall(Caller& caller, std::size_t in_flight, std::uint32_t size)
    : handles_(caller, caller.ids().echo, in_flight), sent_(size), received_(size) {
    write_pattern(sent_.data(), size);
}

void EchoCall::start(Place& slot) {
    const auto size = static_cast<std::uint32_t>(sent_.size());
    Echo in{size, sent_.data(), size};
    // The answer's callback finds its operation through the handle.
    check(HG_Set_data(handles_[slot.number], this, nullptr), "HG_Set_data");
    check(HG_Forward(handles_[slot.number], on_answer, &slot, &in), "HG_Forward");
}

hg_return_t EchoCall::on_answer(const hg_cb_info* info) {
    check(info->ret, "a call");
    hg_handle_t handle = info->info.forward.handle;
    auto& self = *static_cast<EchoCall*>(HG_Get_data(handle));
    Echo out{0, self.received_.data(), static_cast<std::uint32_t>(self.received_.size())};
    check(HG_Get_output(handle, &out), "HG_Get_output");
    if (out.size != self.sent_.size() ||
        (out.size > 0 && self.received_[out.size - 1] != self.sent_[out.size - 1]))
        fail("other bytes came back than were sent");
    check(HG_Free_output(handle, &out), "HG_Free_output");
    static_cast<Place*>(info->arg)->end();
    return HG_SUCCESS;
}

Transfer::Transfer(Caller& caller, const TransferShape& shape)
    : caller_(caller),
      shape_(shape),
      parts_(parts_of(shape)),
      area_(caller.net().hg_class(), whole(shape)) {
    const Described described = caller.describe(whole(shape));
    number_ = described.number;
    check(HG_Bulk_deserialize(caller.net().hg_class(), &remote_, described.description.data(),
                              described.description.size()),
          "HG_Bulk_deserialize");
    if (shape.op == HG_BULK_PULL)
        area_.clear();
    else
        area_.fill_with_pattern();
}

Transfer::~Transfer() {
    check(HG_Bulk_free(remote_), "HG_Bulk_free");
    caller_.forget(number_);
}

void Transfer::start(Place& slot) {
    const std::uint64_t offset = slot.number % parts_ * shape_.part.bytes;
    check(HG_Bulk_transfer(caller_.net().context(), on_end, &slot, shape_.op, caller_.server(),
                           remote_, offset, area_.region(), offset, shape_.part.bytes,
                           HG_OP_ID_IGNORE),
          "HG_Bulk_transfer");
}

void Transfer::check_bytes() const {
    if (!area_.has_pattern(shape_.part.bytes * parts_)) fail("a transfer brought other bytes");
}

hg_return_t Transfer::on_end(const hg_cb_info* info) {
    check(info->ret, "a transfer");
    static_cast<Place*>(info->arg)->end();
    return HG_SUCCESS;
}

}  // namespace cinnabar::perf
