// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as arguments: basic types, raw bytes, strings, generated structures and regions, in an
// order that the input chooses. What was decoded is encoded, decoded and encoded again to the same
// bytes; nothing is leaked by a decoding that breaks off.
#include <vector>

#include "hg/core/class.hpp"
#include "mercury_macros.h"
#include "mercury_proc_string.h"
#include "tests/fuzz/property.hpp"
#include "tests/support/memory_plugin.hpp"

using namespace cinnabar::fuzz;

namespace {

MERCURY_GEN_PROC(record_t, ((hg_string_t)(first))((hg_uint32_t)(number))(
                               (hg_const_string_t)(second))((hg_bulk_t)(region))((hg_bool_t)(flag)))

struct Argument {
    std::uint8_t kind = 0;
    std::uint64_t number = 0;
    std::uint8_t raw[16] = {};
    hg_string_t string = nullptr;
    hg_const_string_t const_string = nullptr;
    hg_string_object_t object = {nullptr, false, false};
    hg_bulk_t region = HG_BULK_NULL;
    record_t record = {};
};
using Arguments = std::vector<Argument>;

hg_class* opened() {
    static hg_class* const cls = [] {
        HG_Set_log_level("none");
        cinnabar::test::register_memory_plugin();
        return HG_Init("na+mem://proc", HG_TRUE);
    }();
    require(cls != nullptr);
    return cls;
}

hg_return_t walk_saved(hg_proc_t proc, std::uint8_t* raw, hg_size_t size) {
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    void* place = hg_proc_save_ptr(proc, size);
    if (place == nullptr) return HG_OVERFLOW;
    if (hg_proc_get_op(proc) == HG_ENCODE)
        std::memcpy(place, raw, size);
    else
        std::memcpy(raw, place, size);
    return hg_proc_restore_ptr(proc, place, size);
}

hg_return_t walk(hg_proc_t proc, Argument& argument) {
    switch (argument.kind % 11) {
        case 0:
            return hg_proc_uint8_t(proc, &argument.number);
        case 1:
            return hg_proc_uint16_t(proc, &argument.number);
        case 2:
            return hg_proc_uint32_t(proc, &argument.number);
        case 3:
            return hg_proc_uint64_t(proc, &argument.number);
        case 4:
            return hg_proc_bytes(proc, argument.raw, argument.kind / 11 % 17);
        case 5:
            return hg_proc_hg_string_t(proc, &argument.string);
        case 6:
            return hg_proc_hg_const_string_t(proc, &argument.const_string);
        case 7:
            return hg_proc_hg_string_object_t(proc, &argument.object);
        case 8:
            return hg_proc_hg_bulk_t(proc, &argument.region);
        case 9:
            return hg_proc_record_t(proc, &argument.record);
        default:
            return walk_saved(proc, argument.raw, argument.kind / 11 % 17);
    }
}

class Proc {
public:
    Proc(void* buffer, std::size_t size, hg_proc_op_t op, hg_proc_hash_t hash) {
        require(hg_proc_create_set(opened(), buffer, size, op, hash, &proc_) == HG_SUCCESS);
    }
    ~Proc() { require(hg_proc_free(proc_) == HG_SUCCESS); }
    Proc(const Proc&) = delete;
    Proc& operator=(const Proc&) = delete;
    operator hg_proc_t() const { return proc_; }

private:
    hg_proc_t proc_ = HG_PROC_NULL;
};

struct Decoded {
    Arguments arguments;  // those that were decoded
    std::size_t used = 0;
};

void release(Arguments& arguments) {
    char nothing = 0;
    Proc proc(&nothing, 0, HG_FREE, HG_NOHASH);
    for (Argument& argument : arguments)
        require(walk(proc, argument) == HG_SUCCESS);
}

Decoded decode(std::vector<std::uint8_t> bytes, std::span<const std::uint8_t> kinds,
               hg_proc_hash_t hash) {
    bytes.shrink_to_fit();
    Decoded decoded;
    // No buffer at all is an error of the caller; one without bytes is not.
    std::uint8_t nothing = 0;
    Proc proc(bytes.empty() ? &nothing : bytes.data(), bytes.size(), HG_DECODE, hash);
    for (const std::uint8_t kind : kinds) {
        Argument argument;
        argument.kind = kind;
        if (walk(proc, argument) != HG_SUCCESS) {
            Arguments broken{argument};
            release(broken);
            break;
        }
        decoded.arguments.push_back(argument);
    }
    decoded.used = hg_proc_get_size_used(proc);
    require(decoded.used <= bytes.size());
    require(decoded.used + hg_proc_get_size_left(proc) == bytes.size());
    require(hg_proc_flush(proc) == HG_SUCCESS);
    return decoded;
}

std::vector<std::uint8_t> encode(Arguments& arguments, std::size_t room, hg_proc_hash_t hash) {
    std::vector<std::uint8_t> buffer(room + 1);
    Proc proc(buffer.data(), room, HG_ENCODE, hash);
    for (Argument& argument : arguments)
        require(walk(proc, argument) == HG_SUCCESS);
    require(hg_proc_flush(proc) == HG_SUCCESS);
    const std::size_t used = hg_proc_get_size_used(proc);
    const void* extra = hg_proc_get_extra_buf(proc);
    require(used <= room || extra != nullptr);
    const auto* from = static_cast<const std::uint8_t*>(extra != nullptr ? extra : buffer.data());
    return {from, from + used};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const auto hash = static_cast<hg_proc_hash_t>(input.take<std::uint8_t>() % 4);
    // How much of an encoding fits the first buffer.
    const std::size_t room = input.take<std::uint8_t>();
    const auto kinds = input.take_bytes(input.take<std::uint8_t>() % 16);
    const auto rest = input.rest();

    Decoded first = decode({rest.begin(), rest.end()}, kinds, hash);
    const auto known = kinds.first(first.arguments.size());
    const std::vector<std::uint8_t> bytes = encode(first.arguments, room, hash);
    release(first.arguments);

    Decoded second = decode(bytes, known, hash);
    require(second.arguments.size() == known.size() && second.used == bytes.size());
    require(encode(second.arguments, bytes.size() + 1, hash) == bytes);
    release(second.arguments);
    require(opened()->bulks.load() == 0 && opened()->addresses.load() == 0);
    return 0;
}
