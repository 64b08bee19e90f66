// SPDX-License-Identifier: BSD-3-Clause
// The wire format of what is ours: the greetings on a control socket, and the header of the active
// messages. Encoding into and decoding from plain bytes, without sockets, so that it can be tested
// alone; README.md has the layouts. Decoders trust nothing: what they return lies inside the bytes
// given and inside the limits of options.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/ucx/options.hpp"

namespace cinnabar::ucx {

enum class Parse { complete, more, malformed };

enum class GreetingKind : std::uint8_t { connect = 1, accept = 2, reject = 3 };

inline constexpr std::uint32_t greeting_magic = 0x55424e43;  // "CNBU"
inline constexpr std::uint16_t wire_version = 2;
inline constexpr std::size_t greeting_fixed_size = 96;
inline constexpr std::size_t max_greeting_size =
    greeting_fixed_size + options::max_name_size + options::max_worker_address;

// What a message carries so that its receiver finds the connection: the receiver made it up.
struct Token {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    friend bool operator==(const Token&, const Token&) noexcept = default;
};

struct Greeting {
    GreetingKind kind = GreetingKind::connect;
    std::uint16_t version = wire_version;
    std::uint8_t source_id = 0;     // context of the sender
    std::uint8_t target_id = 0;     // context that is meant
    bool listening = false;         // the name can be connected to
    std::uint8_t code = 0;          // reject: why, an na_return_t
    std::uint64_t incarnation = 0;  // random, one for each opened class
    std::uint64_t attempt = 0;      // connect: its number; accept: attempts up to this one are void
    std::uint64_t host = 0;         // equal: both may share memory
    std::uint32_t process = 0;      // the process id
    std::uint64_t proof_at = 0;     // an address there,
    std::uint64_t proof = 0;        // and what is in that memory, so that it can be recognised
    std::uint32_t max_unexpected = 0;
    std::uint32_t max_expected = 0;
    Token token;            // to be put into messages for the sender
    std::string_view name;  // "tcp://host:port"; points into the bytes that were decoded
    std::span<const std::byte> worker;  // UCX's address of the sender; likewise
};

std::vector<std::byte> encode_greeting(const Greeting& greeting);
// `used` receives the size of a complete greeting. Another version is complete as far as the fixed
// part goes: the caller refuses it.
Parse decode_greeting(std::span<const std::byte> bytes, Greeting& greeting,
                      std::size_t& used) noexcept;

// --- active messages

enum class MessageType : unsigned {
    unexpected = 1,
    expected = 2,
    credit = 3,
    goodbye = 4,
    fetch = 5,    // get: the request
    fetched = 6,  // get: bytes
    store = 7,    // put: bytes
    ended = 8,    // of a put, or of one that is refused
    granted = 9,  // get: where the bytes are that may be read
    offer = 10,   // put: where they are to be read
    batch = 11    // several of the first two
};

inline constexpr std::size_t message_header_size = 16;

struct MessageHeader {
    Token token;
    std::uint32_t value = 0;  // the tag, or the bytes of credit
};

void encode_header(const MessageHeader& header, std::byte* to) noexcept;
MessageHeader decode_header(const std::byte* from) noexcept;

// --- what a batch consists of

inline constexpr std::size_t record_size = 12;  // in front of each message

struct Record {
    MessageType type = MessageType::unexpected;  // or expected
    std::uint32_t value = 0;                     // the tag
    std::uint32_t size = 0;                      // of the message, which follows
};

void encode_record(const Record& record, std::byte* to) noexcept;
// False if what comes first is not a whole message.
bool decode_record(std::span<const std::byte> from, Record& record) noexcept;

// A sum that tells a damaged form from a good one. No protection from one who means harm.
std::uint64_t checksum(std::span<const std::byte> bytes) noexcept;

}  // namespace cinnabar::ucx
