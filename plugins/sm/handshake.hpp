// SPDX-License-Identifier: BSD-3-Clause
// The greeting that two contexts exchange over a Unix socket before they share memory: who I am,
// which context is meant, what I can do, and descriptors of the memory. One packet each way;
// everything is checked before it is believed. Also the sockets themselves: abstract names, so that
// nothing is ever left in a file system. All calls are non-blocking.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "na/base/file_descriptor.hpp"
#include "na/base/result.hpp"
#include "plugins/sm/options.hpp"

namespace cinnabar::sm {

inline constexpr std::uint32_t greeting_magic = 0x6d736e63;
inline constexpr std::uint16_t greeting_version = 2;

enum class GreetingKind : std::uint16_t {
    connect = 1,       // descriptors: rings, doorbell page, eventfd
    accept = 2,        // descriptors: doorbell page, eventfd
    simultaneous = 3,  // refused: my own connection to you, already under way, is to be used
    refuse = 4         // refused with `code`
};

// Feature bits.
inline constexpr std::uint32_t feature_fences = 1;  // registered for membarrier

struct Greeting {
    std::uint32_t magic = greeting_magic;
    std::uint16_t version = greeting_version;
    GreetingKind kind = GreetingKind::connect;
    std::uint32_t features = 0;
    std::uint32_t code = 0;
    std::uint64_t incarnation = 0;     // random for each opened net: a restarted peer differs
    std::uint32_t bell_bit = 0;        // what to mark in the sender's doorbell page
    std::uint32_t region_size = 0;     // bytes of the ring memory
    std::uint32_t cross_memory = 0;    // process_vm_readv may be tried on the sender
    std::uint32_t max_unexpected = 0;  // bytes of a message that the sender takes
    std::uint32_t max_expected = 0;
    std::uint8_t target_id = 0;
    std::uint8_t sender_id = 0;
    std::uint8_t listening = 0;
    std::uint8_t name_length = 0;
    char name[max_name_length] = {};
    // Lets the peer try whether it can read this process: the address of a word and what it holds.
    std::uint64_t probe_address = 0;
    std::uint64_t probe_value = 0;

    std::string_view sender() const noexcept { return {name, name_length}; }
    void set_sender(std::string_view text) noexcept;
};
static_assert(std::is_trivially_copyable_v<Greeting>);

using GreetingFds = std::array<FileDescriptor, 3>;

struct Credentials {
    pid_t pid = 0;
    uid_t uid = 0;
};

// A name that may stand in an address: not empty, printable, no '/', not too long.
bool valid_name(std::string_view name) noexcept;

// A socket bound to the name of a net (never listened on: it holds the name) or of a context of it.
// NA_ADDRINUSE if the name is taken; the caller logs.
Result<FileDescriptor> bind_name(std::string_view name);
Result<FileDescriptor> listen_on(std::string_view name, std::uint8_t context_id);
// NA_AGAIN while the peer's queue is full, NA_HOSTUNREACH if nobody listens.
Result<FileDescriptor> connect_to(std::string_view name, std::uint8_t context_id);
Result<FileDescriptor> accept_from(int listener) noexcept;

// Who is at the other end; NA_PERMISSION unless it is the same user, or root.
Result<Credentials> check_credentials(int socket) noexcept;

Status send_greeting(int socket, const Greeting& greeting, const int* fds,
                     std::size_t count) noexcept;
// NA_AGAIN if none has come, NA_HOSTUNREACH at hang-up, NA_PROTOCOL_ERROR if it is not a greeting.
Status receive_greeting(int socket, Greeting& greeting, GreetingFds& fds) noexcept;

// Whether the other end is gone. One system call.
bool hung_up(int socket) noexcept;

}  // namespace cinnabar::sm
