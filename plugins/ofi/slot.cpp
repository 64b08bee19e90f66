// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/slot.hpp"

#include "na/base/log.hpp"
#include "plugins/ofi/error_code.hpp"
#include "plugins/ofi/memory.hpp"

namespace cinnabar::ofi {

Status SlotPool::grow(const Fabric& fabric, SlotKind kind, std::size_t count, std::size_t size) {
    Block block;
    block.slots = std::make_unique<Slot[]>(count);
    block.count = count;
    void* descriptor = nullptr;
    if (size > 0) {
        block.bytes = std::make_unique<std::byte[]>(count * size);
        if (fabric.demands(FI_MR_LOCAL)) {
            auto made = register_bytes(fabric, block.bytes.get(), count * size, FI_SEND | FI_RECV);
            if (!made.ok()) return made.status();
            block.registration = std::move(made.value());
            descriptor = fi_mr_desc(block.registration.get());
        }
    }
    blocks_.reserve(blocks_.size() + 1);
    for (std::size_t i = 0; i < count; ++i) {
        Slot& slot = block.slots[i];
        slot.kind = kind;
        slot.bytes = size > 0 ? block.bytes.get() + i * size : nullptr;
        slot.descriptor = descriptor;
        give(slot);
    }
    size_ += count;
    blocks_.push_back(std::move(block));
    return NA_SUCCESS;
}

}  // namespace cinnabar::ofi
