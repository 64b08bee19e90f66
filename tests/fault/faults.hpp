// SPDX-License-Identifier: BSD-3-Clause
// A transport for tests that wraps another one and makes it fail on demand: "na+fault_tcp://...",
// "na+fault_sm://", "na+fault_mem://". What shall go wrong is a Plan, which a test puts into force
// before it opens a net; afterwards the Report says what was called, what went wrong and what was
// left. Everything is determined by the plan: no clock, no other randomness. One plan at a time for
// the process; the wrapper itself may be used by any thread, as every plugin.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "na_types.h"

namespace cinnabar::fault {

// The functions of a plugin that can fail by being called.
enum class Slot {
    class_open,
    context_open,
    context_close,
    op_open,
    lookup,
    self,
    to_string,
    addr_serialize,
    addr_deserialize,
    buf_alloc,
    init_unexpected,
    init_expected,
    send_unexpected,
    recv_unexpected,
    send_expected,
    recv_expected,
    mem_alloc,
    mem_create,
    mem_register,
    mem_deregister,
    mem_serialize,
    mem_deserialize,
    put,
    get,
    poll,
    cancel,
    count
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Slot::count)> slot_names{
    "class_open",
    "context_open",
    "context_close",
    "op_open",
    "lookup",
    "self",
    "to_string",
    "addr_serialize",
    "addr_deserialize",
    "buf_alloc",
    "init_unexpected",
    "init_expected",
    "send_unexpected",
    "recv_unexpected",
    "send_expected",
    "recv_expected",
    "mem_alloc",
    "mem_create",
    "mem_register",
    "mem_deregister",
    "mem_serialize",
    "mem_deserialize",
    "put",
    "get",
    "poll",
    "cancel"};

// The operations whose completion can be turned into an error.
enum class Kind { send_unexpected, recv_unexpected, send_expected, recv_expected, put, get, count };
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::count)> kind_names{
    "send_unexpected", "recv_unexpected", "send_expected", "recv_expected", "put", "get"};

struct Plan {
    // The `nth` call of this slot fails, or the `nth` completion of this kind, counted from 1, and
    // the next ones, until `times` have failed.
    Slot slot = Slot::count;
    Kind kind = Kind::count;
    unsigned nth = 0;
    unsigned times = 1;
    na_return_t code = NA_NOMEM;

    // What happens by chance, of 1000 times, as the seed has it.
    std::uint64_t seed = 0;
    unsigned lose = 0;             // a message never arrives, a transfer ends with an error
    unsigned duplicate = 0;        // a message arrives twice
    unsigned delay = 0;            // a post or a completion waits for some polls
    unsigned fail_post = 0;        // a post is refused
    unsigned fail_completion = 0;  // an operation ends with an error
    // With the n-th post all peers are gone, for good; 0: never.
    unsigned gone_after = 0;

    bool hits(unsigned number) const { return number >= nth && number - nth < times; }
};

// Counted until calm(), but for what is open.
struct Report {
    std::array<unsigned, static_cast<std::size_t>(Slot::count)> calls{};
    std::array<unsigned, static_cast<std::size_t>(Kind::count)> completions{};
    unsigned posts = 0;
    unsigned faults = 0;  // what the plan has made happen
    // What is open and was not closed yet.
    long classes = 0, contexts = 0, ops = 0, posted = 0, addresses = 0, memories = 0, buffers = 0;

    unsigned calls_of(Slot slot) const { return calls[static_cast<std::size_t>(slot)]; }
    unsigned completions_of(Kind kind) const { return completions[static_cast<std::size_t>(kind)]; }
};

// The transports that are wrapped, as protocols: "fault_mem", "fault_sm", "fault_tcp". Makes them
// known to libna at the first call.
std::vector<const char*> protocols();

// From now on this plan holds, and the report begins anew. No net of the wrapper may be open.
void begin(const Plan& plan);
// From now on nothing more goes wrong, but that peers that are gone stay gone.
void calm();
Report report();

}  // namespace cinnabar::fault
