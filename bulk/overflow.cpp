// SPDX-License-Identifier: BSD-3-Clause
// The seam that hg declares: payloads larger than a message, published as regions and fetched by
// transfers. What travels is u64 digest (XXH3) and the region's descriptor; the digest catches
// memory that was withdrawn, by a cancel, while it was being fetched.
#include "hg/core/overflow.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdlib>
#include <memory>

#include "bulk/descriptor.hpp"
#include "bulk/transfer.hpp"
#include "hg/core/context.hpp"
#include "hg/net/status.hpp"
#include "na/base/little_endian.hpp"
#include "na/base/local_atomic.hpp"

namespace cinnabar::hg {

struct Overflow {
    LocalAtomic<int> references{1};
    void* data = nullptr;  // malloc'ed
    std::size_t size = 0;
    hg_bulk* local = nullptr;
    // Of a fetch:
    hg_bulk* origin = nullptr;
    std::uint64_t digest = 0;
    // Null once the transfer has ended. The caller of overflow_cancel() keeps `done` from returning
    // meanwhile, and with it the transfer from being recycled.
    std::atomic<hg_op_id*> transfer{nullptr};
    void (*done)(void*, hg_return_t) noexcept = nullptr;
    void* arg = nullptr;
};

namespace {

constexpr std::size_t digest_size = sizeof(std::uint64_t);

hg_return_t describe(hg_class& cls, Overflow& overflow, std::uint8_t permissions) {
    void* base = overflow.data;
    const hg_size_t size = overflow.size;
    return bulk::create_region(cls, {1, &base, &size, permissions, {HG_MEM_TYPE_HOST, 0}},
                               &overflow.local);
}

void on_transferred(void* arg, hg_return_t ret) noexcept {
    auto& overflow = *static_cast<Overflow*>(arg);
    if (ret == HG_SUCCESS && XXH3_64bits(overflow.data, overflow.size) != overflow.digest)
        ret = fail(HG_CHECKSUM_ERROR, "hg_rpc",
                   "a payload of {} bytes changed while it was fetched", overflow.size);
    overflow.done(overflow.arg, ret);
}

hg_return_t prepare_fetch(const FetchRequest& request, Overflow& overflow) {
    hg_class& cls = *request.context->cls;
    if (request.descriptor.size < digest_size) return HG_PROTOCOL_ERROR;
    overflow.digest = load_le<std::uint64_t>(request.descriptor.data);
    if (const hg_return_t ret =
            bulk::read_descriptor(cls, request.descriptor.data + digest_size,
                                  request.descriptor.size - digest_size, &overflow.origin);
        ret != HG_SUCCESS)
        return ret;
    const std::uint64_t size = overflow.origin->length;
    if (size > cls.options.max_payload)
        return fail(HG_OVERFLOW, "hg_rpc", "a payload of {} bytes is above the limit of {}", size,
                    cls.options.max_payload);
    if (size == 0 || !overflow.origin->eager.empty() ||
        (overflow.origin->permissions & HG_BULK_READ_ONLY) == 0)
        return fail(HG_PROTOCOL_ERROR, "hg_rpc", "the descriptor of a payload claims {} bytes",
                    size);
    overflow.data = std::malloc(size);
    if (overflow.data == nullptr)
        return fail(HG_NOMEM, "hg_rpc", "no memory for a payload of {} bytes", size);
    overflow.size = size;
    return describe(cls, overflow, HG_BULK_WRITE_ONLY);
}

}  // namespace

hg_return_t overflow_publish(hg_class& cls, void* data, std::size_t size, Payload* descriptor,
                             Overflow** published) noexcept {
    Overflow* overflow = overflow_adopt(data, size);
    if (overflow == nullptr) return HG_NOMEM;
    if (size > cls.options.max_payload) {
        overflow_release(overflow);
        return fail(HG_OVERFLOW, "hg_rpc", "a payload of {} bytes is above the limit of {}", size,
                    cls.options.max_payload);
    }
    const hg_return_t ret = border("overflow_publish", [&] {
        if (const hg_return_t described = describe(cls, *overflow, HG_BULK_READ_ONLY);
            described != HG_SUCCESS)
            return described;
        const std::size_t needed = digest_size + bulk::descriptor_size(*overflow->local, false);
        if (needed > descriptor->size)
            return fail(HG_OVERFLOW, "hg_rpc",
                        "a message of {} bytes cannot hold a descriptor of {}", descriptor->size,
                        needed);
        store_le(descriptor->data, static_cast<std::uint64_t>(XXH3_64bits(data, size)));
        descriptor->size = needed;
        return bulk::write_descriptor(*overflow->local, false, descriptor->data + digest_size,
                                      needed - digest_size);
    });
    if (ret != HG_SUCCESS) {
        overflow_release(overflow);
        return ret;
    }
    *published = overflow;
    return HG_SUCCESS;
}

hg_return_t overflow_fetch(const FetchRequest& request, std::atomic<Overflow*>* fetching) noexcept {
    Overflow* overflow = new (std::nothrow) Overflow;
    if (overflow == nullptr) return HG_NOMEM;
    overflow->done = request.done;
    overflow->arg = request.arg;
    hg_return_t ret = border("overflow_fetch", [&] { return prepare_fetch(request, *overflow); });
    if (ret == HG_SUCCESS) {
        fetching->store(overflow);
        ret = border("overflow_fetch", [&] {
            hg_op_id& transfer = bulk::new_transfer(*request.context);
            transfer.request = {HG_BULK_PULL,    nullptr, request.from_id, overflow->origin, 0,
                                overflow->local, 0,       overflow->size};
            transfer.done = {nullptr, overflow, on_transferred, &overflow->transfer};
            bulk::start_transfer(transfer, request.from, nullptr);
            return HG_SUCCESS;
        });
        if (ret != HG_SUCCESS) fetching->store(nullptr);
    }
    if (ret != HG_SUCCESS) overflow_release(overflow);
    return ret;
}

void overflow_cancel(Overflow& overflow) noexcept {
    if (hg_op_id* transfer = overflow.transfer.load()) bulk::cancel_transfer(*transfer);
}

Overflow* overflow_adopt(void* data, std::size_t size) noexcept {
    auto* overflow = new (std::nothrow) Overflow;
    if (overflow == nullptr) {
        std::free(data);
        return nullptr;
    }
    overflow->data = data;
    overflow->size = size;
    return overflow;
}

Payload overflow_payload(const Overflow& overflow) noexcept {
    return {static_cast<char*>(overflow.data), overflow.size};
}

Overflow* overflow_share(Overflow* overflow) noexcept {
    if (overflow != nullptr) overflow->references.fetch_add(1, std::memory_order_relaxed);
    return overflow;
}

void overflow_release(Overflow* overflow) noexcept {
    if (overflow == nullptr || overflow->references.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    bulk::unref_region(overflow->local);
    bulk::unref_region(overflow->origin);
    std::free(overflow->data);
    delete overflow;
}

}  // namespace cinnabar::hg
