// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/greeting.hpp"

#include <cstring>

#include "na/base/little_endian.hpp"
#include "na_types.h"

namespace cinnabar::ucx {

namespace {
constexpr std::size_t checksum_at = 84;
}

std::uint64_t checksum(std::span<const std::byte> bytes) noexcept {
    std::uint64_t sum = 0xcbf29ce484222325;  // FNV-1a
    for (const std::byte byte : bytes)
        sum = (sum ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
    return sum;
}

std::vector<std::byte> encode_greeting(const Greeting& greeting) {
    std::vector<std::byte> bytes(greeting_fixed_size + greeting.name.size() +
                                 greeting.worker.size());
    std::byte* p = bytes.data();
    store_le(p, greeting_magic);
    store_le(p + 4, greeting.version);
    store_le(p + 6, static_cast<std::uint8_t>(greeting.kind));
    store_le(p + 7, greeting.code);
    store_le(p + 8, greeting.source_id);
    store_le(p + 9, greeting.target_id);
    store_le(p + 10, static_cast<std::uint8_t>(greeting.listening ? 1 : 0));
    // 11: reserved.
    store_le(p + 12, greeting.process);
    store_le(p + 16, greeting.host);
    store_le(p + 24, greeting.incarnation);
    store_le(p + 32, greeting.attempt);
    store_le(p + 40, greeting.max_unexpected);
    store_le(p + 44, greeting.max_expected);
    store_le(p + 48, greeting.token.slot);
    store_le(p + 52, greeting.token.generation);
    store_le(p + 56, static_cast<std::uint16_t>(greeting.name.size()));
    // 58: reserved.
    store_le(p + 60, static_cast<std::uint32_t>(greeting.worker.size()));
    store_le(p + 64, greeting.proof_at);
    store_le(p + 72, greeting.proof);
    // 80: reserved, 84: the sum of what follows the fixed part, 92: reserved.
    std::byte* rest = p + greeting_fixed_size;
    if (!greeting.name.empty()) std::memcpy(rest, greeting.name.data(), greeting.name.size());
    if (!greeting.worker.empty())
        std::memcpy(rest + greeting.name.size(), greeting.worker.data(), greeting.worker.size());
    store_le(p + checksum_at, checksum({rest, bytes.size() - greeting_fixed_size}));
    return bytes;
}

Parse decode_greeting(std::span<const std::byte> bytes, Greeting& greeting,
                      std::size_t& used) noexcept {
    const std::byte* p = bytes.data();
    if (bytes.size() >= 4 && load_le<std::uint32_t>(p) != greeting_magic) return Parse::malformed;
    if (bytes.size() < greeting_fixed_size) return Parse::more;
    greeting.version = load_le<std::uint16_t>(p + 4);
    const auto kind = load_le<std::uint8_t>(p + 6);
    if (kind < 1 || kind > 3) return Parse::malformed;
    greeting.kind = static_cast<GreetingKind>(kind);
    greeting.code = load_le<std::uint8_t>(p + 7);
    if (greeting.code >= NA_RETURN_MAX) return Parse::malformed;
    greeting.source_id = load_le<std::uint8_t>(p + 8);
    greeting.target_id = load_le<std::uint8_t>(p + 9);
    greeting.listening = load_le<std::uint8_t>(p + 10) != 0;
    greeting.process = load_le<std::uint32_t>(p + 12);
    greeting.host = load_le<std::uint64_t>(p + 16);
    greeting.incarnation = load_le<std::uint64_t>(p + 24);
    greeting.attempt = load_le<std::uint64_t>(p + 32);
    greeting.max_unexpected = load_le<std::uint32_t>(p + 40);
    greeting.max_expected = load_le<std::uint32_t>(p + 44);
    greeting.token = {load_le<std::uint32_t>(p + 48), load_le<std::uint32_t>(p + 52)};
    greeting.proof_at = load_le<std::uint64_t>(p + 64);
    greeting.proof = load_le<std::uint64_t>(p + 72);
    used = greeting_fixed_size;
    if (greeting.version != wire_version) return Parse::complete;
    const std::size_t name_size = load_le<std::uint16_t>(p + 56);
    const std::size_t worker_size = load_le<std::uint32_t>(p + 60);
    if (name_size > options::max_name_size || worker_size > options::max_worker_address)
        return Parse::malformed;
    if (worker_size == 0 && greeting.kind != GreetingKind::reject) return Parse::malformed;
    used += name_size + worker_size;
    if (bytes.size() < used) return Parse::more;
    const std::byte* rest = p + greeting_fixed_size;
    if (load_le<std::uint64_t>(p + checksum_at) != checksum({rest, name_size + worker_size}))
        return Parse::malformed;
    greeting.name = {reinterpret_cast<const char*>(rest), name_size};
    greeting.worker = {rest + name_size, worker_size};
    for (const char c : greeting.name)
        if (c <= ' ' || c > '~') return Parse::malformed;
    return Parse::complete;
}

void encode_header(const MessageHeader& header, std::byte* to) noexcept {
    store_le(to, header.token.slot);
    store_le(to + 4, header.token.generation);
    store_le(to + 8, header.value);
    store_le(to + 12, std::uint32_t{0});
}

void encode_record(const Record& record, std::byte* to) noexcept {
    store_le(to, static_cast<std::uint32_t>(record.type));
    store_le(to + 4, record.value);
    store_le(to + 8, record.size);
}

bool decode_record(std::span<const std::byte> from, Record& record) noexcept {
    if (from.size() < record_size) return false;
    record.type = static_cast<MessageType>(load_le<std::uint32_t>(from.data()));
    record.value = load_le<std::uint32_t>(from.data() + 4);
    record.size = load_le<std::uint32_t>(from.data() + 8);
    return (record.type == MessageType::unexpected || record.type == MessageType::expected) &&
           record.size <= from.size() - record_size;
}

MessageHeader decode_header(const std::byte* from) noexcept {
    return {{load_le<std::uint32_t>(from), load_le<std::uint32_t>(from + 4)},
            load_le<std::uint32_t>(from + 8)};
}

}  // namespace cinnabar::ucx
